"""The `constants` of a problem package (formats 2023-07 and 2025-09), put where the package uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FOLDERS = ("statement/", "include/", "output_validator/", "submissions/")
_SEQUENCE = re.compile(rb"\{\{([\w.]+)\}\}|\\constant\{([\w.]+)\}")


def with_constants(files: Mapping[str, bytes], constants: object) -> dict[str, bytes]:
    """The package's files with `{{name}}`, `{{name.variant}}` and LaTeX's `\\constant{name}` replaced.

    constants: that key of problem.yaml: a scalar a name, or a mapping with `value` and variants. Test data and names
    that are not defined stay as they are.
    """
    if not isinstance(constants, Mapping):
        return dict(files)
    values = {name: str(value).encode() for name, value in _values(constants).items()}

    def value_of(match: re.Match[bytes]) -> bytes:
        return values.get((match[1] or match[2]).decode(), match[0])

    return {
        name: _SEQUENCE.sub(value_of, content) if name.startswith(_FOLDERS) else content
        for name, content in files.items()
    }


def _values(constants: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, given in constants.items():
        variants = given if isinstance(given, Mapping) else {"value": given}
        found |= {f"{name}.{variant}": value for variant, value in variants.items()}
        if "value" in variants:
            found[str(name)] = variants["value"]
    return found
