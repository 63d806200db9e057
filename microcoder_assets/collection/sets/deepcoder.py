"""agentica-org/DeepCoder-Preview-Dataset: the training sets of DeepCoder, each with tests in a form of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from microcoder_assets.collection.records import ScrapedProblem
from microcoder_assets.collection.sets.fields import (
    Judging,
    called_or_piped,
    function_judging,
    python_references,
    text_id,
)
from microcoder_assets.collection.sets.rows import SetRow
from microcoder_assets.collection.sets.source import ProblemSet


def problem(row: SetRow, max_references: int) -> ScrapedProblem:
    """One row. It has neither id nor title nor address: it is named by a hash of its text, and identity must come from
    that. Its part of the set (lcbv5, primeintellect, taco, codeforces) is the folder of its file."""
    raw = row.fields
    statement = raw["problem"]
    judging = _judging(json.loads(raw["tests"]), raw, statement)
    return ScrapedProblem(
        platform="deepcoder",
        native_id=text_id(row.ref.rpartition("/")[0].replace("/", "-") or "text", statement),
        title="",
        statement=statement,
        statement_format="text",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        io_mode=judging.io_mode,
        entry_point=judging.entry_point,
        starter_code=judging.starter_code,
        tests=judging.tests,
        checker=judging.checker,
        references=tuple(python_references(_solutions(raw.get("solutions")), max_references)),
        license="MIT",
        flags=tuple(sorted(judging.flags)),
    )


def _judging(tests: Any, raw: Mapping[str, Any], statement: str) -> Judging:
    """Tests are a mapping of lists (taco) or a list of mappings (the others), whose functions name themselves in
    `fn_name` (primeintellect) or in LiveCodeBench's metadata, with one JSON value a line of input."""
    starter_code = raw.get("starter_code") or ""
    if isinstance(tests, dict):
        inputs, outputs, name = tests["inputs"], tests["outputs"], tests.get("fn_name")
    else:
        first = tests[0] if tests else {}
        inputs, outputs = ([test[field] for test in tests] for field in ("input", "output"))
        if first.get("testtype") == "functional":
            arguments = [[json.loads(line) for line in given.rstrip("\n").split("\n")] for given in inputs]
            cases = zip(arguments, map(json.loads, outputs), strict=True)
            return function_judging(_func_name(first, raw), starter_code, cases)
        name = first.get("fn_name")
    return called_or_piped(inputs, outputs, name, statement, starter_code)


def _func_name(test: Mapping[str, Any], raw: Mapping[str, Any]) -> str:
    """Raises KeyError where neither the test nor the row names the function."""
    metadata = test.get("metadata") or raw.get("metadata") or {}
    name: str = (json.loads(metadata) if isinstance(metadata, str) else metadata)["func_name"]
    return name


def _solutions(given: list[str] | str | None) -> list[str]:
    return [given] if isinstance(given, str) else given or []


DEEPCODER = ProblemSet("deepcoder", ("deepcoder",), ("*/*.parquet",), problem)
