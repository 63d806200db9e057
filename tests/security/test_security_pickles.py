"""No pickle is ever loaded: not by our code, not from what it stores, and not from a benchmark that comes as one."""

from __future__ import annotations

import ast
import base64
import json
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from microcoder_assets.collection.packed_tests import PackedTestsError, unpack_tests
from microcoder_train.config import _Yaml

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("microcoder_judge", "microcoder_assets", "microcoder_train")
LOADERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "jsonpickle"}
"""Modules that run what they read."""
SAFE = {"np.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}
"""Calls that do so unless they are told not to."""
NEVER = {"joblib.load", "yaml.unsafe_load", "yaml.full_load", "pd.read_pickle", "pl.DataFrame.deserialize"}


def findings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in LOADERS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LOADERS:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            told = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            name, wanted = SAFE.get(called, (None, None))
            unsafe = called == "yaml.load" and [ast.unparse(loader) for loader in node.args[1:]] != ["_Yaml"]
            if called in NEVER or unsafe or (name and told.get(name) is not wanted) or told.get("trust_remote_code"):
                yield ast.unparse(node)


def test_the_one_yaml_loader_of_our_own_makes_no_objects() -> None:
    assert issubclass(_Yaml, yaml.SafeLoader)


def test_no_code_of_ours_loads_a_pickle() -> None:
    sources = [path for package in PACKAGES for path in sorted((CHECKOUT / package).rglob("*.py"))]
    assert len(sources) > 100
    assert [(path.name, found) for path in sources for found in findings(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from cloudpickle import loads",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "joblib.load(path)",
        "yaml.load(text)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_the_scan_sees_each_way_to_load_one(source: str) -> None:
    assert list(findings(source))


class Planted:
    """Unpickling it makes the file of that name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return open, (self.name, "w")


def test_a_benchmark_that_is_a_hostile_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    target = tmp_path / "planted"
    for content in (Planted(str(target)), [json.dumps([]), Planted(str(target))]):
        text = base64.b64encode(zlib.compress(pickle.dumps(content))).decode()
        with pytest.raises(PackedTestsError):
            unpack_tests(text)
    assert not target.exists()


def test_arrays_that_we_ship_hold_no_objects() -> None:
    shipped = sorted(path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.np[yz]"))
    assert shipped
    for path in shipped:
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype.kind in "biufSU" for name in arrays.files)
