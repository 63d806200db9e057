"""The versioned rubric: five dimensions, an anchor for every level, weights."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from microcoder_assets.errors import UserError
from microcoder_assets.schema import DIMENSIONS

DEFAULT = Path(__file__).with_name("rubric.toml")


class Dimension(BaseModel):
    """weight: share of the score. anchors: what earns each level, the lowest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(gt=0, le=1)
    question: str = Field(min_length=1)
    anchors: tuple[str, ...]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    lowest: int
    highest: int
    dimensions: dict[str, Dimension]


@dataclass(frozen=True, slots=True)
class Rubric:
    """version: the declared version and a short hash of the file, so that an edit never passes as the old rubric."""

    version: str
    lowest: int
    highest: int
    dimensions: Mapping[str, Dimension]

    def score(self, values: Mapping[str, float]) -> float:
        """Weighted mean of the dimensions, on the rubric's scale."""
        return sum(self.dimensions[name].weight * values[name] for name in DIMENSIONS)


def load_rubric(path: Path = DEFAULT) -> Rubric:
    """Raises UserError naming the file and the fault."""
    try:
        content = path.read_bytes()
        file = _File.model_validate(tomllib.loads(content.decode("utf-8")))
    except OSError as error:
        raise UserError(f"rubric {path}: {error.strerror}; restore it from the package") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"rubric {path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"rubric {path}: {key}: {first['msg']}") from error
    if fault := _fault(file):
        raise UserError(f"rubric {path}: {fault}")
    version = f"{file.version}-{hashlib.sha256(content).hexdigest()[:8]}"
    return Rubric(version, file.lowest, file.highest, file.dimensions)


def _fault(file: _File) -> str | None:
    if (file.lowest, file.highest) != (1, 5):
        return "lowest and highest must be 1 and 5, the scale that selection and calibration know"
    if set(file.dimensions) != set(DIMENSIONS):
        return f"dimensions must be exactly {', '.join(DIMENSIONS)}"
    levels = file.highest - file.lowest + 1
    for name, dimension in file.dimensions.items():
        if len(dimension.anchors) != levels:
            return f"dimensions.{name}.anchors must hold {levels} texts, one a level"
    total = sum(dimension.weight for dimension in file.dimensions.values())
    if abs(total - 1) > 1e-9:
        return f"weights must sum to 1, not {total:g}"
    return None
