"""Solve rates of a solver: asked of a real server on loopback, judged by the real judge, kept by solver and step."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chat_server import Reply, completion, serving
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rows import DOUBLE, frame, unique_row

from microcoder_assets.cli import main
from microcoder_assets.config import CalibrationSettings, VerificationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.filtering.attempts import Attempt, ImportedAttempts, Solver, read_attempts
from microcoder_assets.filtering.solver import Attempted, attempt_problems
from microcoder_assets.plan import inputs_of
from microcoder_assets.project import Project
from microcoder_assets.schema import CALIBRATED, DIMENSIONS, PREPARED, SCORED
from microcoder_assets.stage import StageResult
from microcoder_assets.store import ParquetStore
from microcoder_judge import Checker

RIGHT, WRONG = (f"I think so:\n```python\n{code}\n```\n" for code in (DOUBLE, "print(input())"))
VERIFICATION = VerificationSettings(workers=1)
RUN = {"inputs": "", "code_version": "1", "run_id": "r"}


def scored(problems: pl.DataFrame) -> pl.DataFrame:
    known = {name: problems[name] for name in ("problem_id", "content_sha")}
    return pl.DataFrame({**known, **dict.fromkeys((*DIMENSIONS, "score"), 2.5)}).select(
        pl.col(name).cast(dtype) if name in (*known, *DIMENSIONS, "score") else pl.lit(None, dtype).alias(name)
        for name, dtype in SCORED.items()
    )


def problems_in(store: ParquetStore, *names: str, **fields: Any) -> pl.DataFrame:
    return frame([unique_row(store.blobs, name, **fields) for name in names])


def asked_of(request: Mapping[str, Any]) -> str:
    """The problem that a request is about; rows.unique_row writes it into the statement."""
    return re.search(r"\((\S+)\)", request["messages"][0]["content"])[1]  # type: ignore[index]


def answering(solves: Callable[[str, int], bool]) -> Callable[[dict[str, Any], int], Reply]:
    return lambda request, _: completion(RIGHT if solves(asked_of(request), request["seed"]) else WRONG)


def attempt(store: ParquetStore, problems: pl.DataFrame, url: str | None, **changes: Any) -> Attempted:
    settings = CalibrationSettings(model="policy", base_url=url, concurrency=4, **changes)
    return attempt_problems(scored(problems), problems, store, settings, VERIFICATION)


def counts(found: Attempted) -> dict[str, tuple[int, int]]:
    return {name: (attempts, solved) for name, attempts, solved in found.frame.iter_rows()}


def test_what_four_attempts_do_not_tell_is_attempted_more(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    problems = problems_in(store, "a:always", "a:at_a_boundary")
    with serving(answering(lambda name, seed: name == "a:always" or seed % 4 > 0)) as server:
        found = attempt(store, problems, server.url, most_attempts=20, confidence=0.7)
        asked = Counter((asked_of(request), request["seed"]) for request in server.requests)
        again = attempt(store, problems, server.url, most_attempts=20, confidence=0.7)
        assert len(server.requests) == asked.total()
    assert set(asked.values()) == {1}
    assert counts(found) == {"a:always": (8, 8), "a:at_a_boundary": (20, 15)}
    assert Counter(name for name, _ in asked) == {"a:always": 8, "a:at_a_boundary": 20}
    assert (counts(again), again.counts) == (counts(found), found.counts)
    assert "response_format" not in server.requests[0]


def test_an_answer_without_a_program_fails_and_none_at_all_is_no_attempt(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    problems = problems_in(store, "a:mute", "a:refused", "a:right")

    def behave(request: dict[str, Any], _: int) -> Reply:
        if asked_of(request) == "a:refused":
            return 400, json.dumps({"error": {"message": "too long"}})
        return completion("no idea" if asked_of(request) == "a:mute" else RIGHT)

    with serving(behave) as server:
        found = attempt(store, problems, server.url, most_attempts=4)
    assert counts(found) == {"a:mute": (4, 0), "a:right": (4, 4)}
    assert found.counts == {"attempts": 8, "solved": 4, "unjudged": 0, "unanswered": 4}


def test_what_the_judge_cannot_decide_is_not_counted_as_wrong(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    broken = Checker("custom", program="raise SystemExit(7)", protocol="kattis").to_json()
    problems = pl.concat(
        [
            problems_in(store, "a:broken", checker=broken),
            problems_in(store, "a:several", flags=["multi_answer"]),
            problems_in(store, "a:untested", tests=()),
        ]
    )
    with serving(answering(lambda name, seed: True)) as server:
        found = attempt(store, problems, server.url, most_attempts=4)
        assert {asked_of(request) for request in server.requests} == {"a:broken"}
    assert found.frame.is_empty()
    assert found.counts["unjudged"] == 4


def test_imported_attempts_count_first(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    problems = problems_in(store, "a:1", "a:2")
    shas = dict(problems.select("problem_id", "content_sha").iter_rows())
    given = [
        Attempt("a:1", 0, None, True),
        Attempt("a:1", 1, DOUBLE, None),
        Attempt("a:1", 2, "print(1)", None),
        Attempt("a:1", 3, None, None),
    ]
    imported = ImportedAttempts(store, Solver("policy"))
    assert imported.add(given, shas) == 4
    before = imported.fingerprint()
    assert imported.add(given, shas) == 0
    assert imported.fingerprint() == before
    assert ImportedAttempts(store, Solver("policy", 1)).fingerprint() != before
    alone = attempt(store, problems, None)
    assert counts(alone) == {"a:1": (3, 2)}
    with serving(answering(lambda name, seed: True)) as server:
        found = attempt(store, problems, server.url, most_attempts=4)
        assert Counter(asked_of(request) for request in server.requests) == {"a:2": 4}
    assert counts(found) == {"a:1": (3, 2), "a:2": (4, 4)}


@given(lines=st.lists(st.tuples(st.sampled_from(["AC", "WA", "NO_CODE"]), st.booleans()), max_size=8))
def test_attempts_are_read_in_order(lines: list[tuple[str, bool]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("attempts") / "attempts.jsonl"
    rows = [{"problem_id": "a:1", "verdict": verdict, "model": "M" if mine else "N"} for verdict, mine in lines]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = [Attempt("a:1", n, None, verdict == "AC") for n, verdict in enumerate(v for v, mine in lines if mine)]
    assert list(read_attempts(path, "M")) == expected


def test_attempts_of_a_scores_file(tmp_path: Path) -> None:
    rows = [
        {"problem_id": "a:1", "sample": 3, "accepted": None, "verdict": "IE", "code": DOUBLE, "completion": RIGHT},
        {"problem_id": "a:1", "sample": 4, "accepted": False, "verdict": "NO_CODE", "code": None, "completion": ""},
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "scores.parquet")
    assert list(read_attempts(tmp_path / "scores.parquet", "M")) == [
        Attempt("a:1", 3, DOUBLE, None),
        Attempt("a:1", 4, None, False),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "row 1: not JSON"),
        ("[]", "row 1: row: Input should be"),
        ('{"problem_id": "a:1"}', "row 1: needs code, completion, verdict or accepted"),
        ('{"problem_id": "a:1", "accepted": true}\n{"accepted": true}', "row 2: problem_id: Field required"),
    ],
)
def test_a_file_of_another_kind_is_the_users_to_mend(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(UserError, match=re.escape(words)):
        list(read_attempts(tmp_path / "a.jsonl", "M"))
    with pytest.raises(UserError, match="nowhere"):
        list(read_attempts(tmp_path / "nowhere.parquet", "M"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with forty scored problems."""
    store = ParquetStore(tmp_path / "store")
    problems = problems_in(store, *(f"a:{n:02}" for n in range(40)))
    store.publish("prepared_problems", StageResult(problems.select(list(PREPARED)), []), **RUN)
    store.publish("scored_problems", StageResult(scored(problems), []), **RUN)
    (tmp_path / "settings.toml").write_text('[calibration]\nmodel = "policy"\nstep = 2\nmost_attempts = 4\n')
    Project(tmp_path, (), None, tmp_path / "settings.toml").save()
    return tmp_path


def command(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), "calibrate", "--model", "policy", *arguments])


def test_each_step_of_a_policy_has_its_own_calibration(home: Path) -> None:
    project = Project.load(home)
    before = inputs_of(project, "calibrated_problems")
    for step, solved in ((1, 1), (2, 3)):
        lines = [{"problem_id": f"a:{n:02}", "accepted": k < solved} for n in range(40) for k in range(4)]
        path = home / f"{step}.jsonl"
        path.write_text("\n".join(map(json.dumps, [*lines, {"problem_id": "b:1", "accepted": True}])))
        said = command(home, "--step", str(step), "--attempts", str(path)).output
        assert "160 attempts imported, 0 known, 1 at other problems" in said
        assert f"40 problems: 160 attempts, {40 * solved} solved" in said
        changed = inputs_of(project, "calibrated_problems") != before
        assert changed == (step == 2), "only the solver of the settings makes the asset stale"
    assert "0 attempts imported, 160 known" in command(home, "--step", "1", "--attempts", str(home / "1.jsonl")).output
    asked = "SELECT DISTINCT step, model, solved FROM calibrations ORDER BY step"
    rows = CliRunner().invoke(main, ["--home", str(home), "sql", "--csv", asked])
    assert rows.output.split() == ["step,model,solved", "1,policy,1", "2,policy,3"]
    files = project.store.kept_files("calibrations")
    parts = [pl.read_parquet(file).sort("problem_id") for file in files]
    assert all(part.schema == pl.Schema(CALIBRATED) for part in parts)
    harder, easier = sorted((part["expected_solve_rate"].mean() for part in parts), key=float)  # type: ignore[arg-type]
    assert 0.2 < harder < 0.4 < 0.6 < easier < 0.8  # type: ignore[operator]


def test_without_attempts_or_scores_the_command_says_what_to_do(home: Path, tmp_path: Path) -> None:
    assert "there is no attempt of policy" in command(home).output
    empty = tmp_path / "empty"
    assert "run --until scored_problems" in command(empty).output


def test_a_killed_calibration_goes_on_where_it_was(home: Path) -> None:
    child: list[int] = []

    def behave(request: dict[str, Any], number: int) -> Reply:
        if number == 120:
            os.kill(child[0], signal.SIGKILL)
        return completion(RIGHT if request["seed"] % 2 else WRONG)

    with serving(behave) as server:
        arguments = ["--home", str(home), "calibrate", "--model", "policy", "--step", "2", "--base-url", server.url]
        process = subprocess.Popen(
            [sys.executable, "-m", "microcoder_assets.cli", *arguments], stdout=subprocess.DEVNULL
        )
        child.append(process.pid)
        assert process.wait() == -signal.SIGKILL
        killed_at = len(server.requests)
        result = CliRunner().invoke(main, arguments)
        assert "40 problems: 160 attempts, 80 solved" in result.output
        asked = {(asked_of(request), request["seed"]) for request in server.requests[killed_at:]}
        assert len(server.requests) - killed_at == len(asked) <= 160 - 64
