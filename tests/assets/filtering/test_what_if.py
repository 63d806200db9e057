"""`microcoder select`: what a policy would do, told from a real store without touching it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from rows import frame, unique_row

from microcoder_assets.cli import main
from microcoder_assets.config import BANDS
from microcoder_assets.filtering.what_if import composition
from microcoder_assets.schema import CALIBRATED, PREPARED, SELECTED
from microcoder_assets.stage import StageResult
from microcoder_assets.store import ParquetStore

RUN = {"inputs": "", "code_version": "1", "run_id": "r"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six easy and four hard problems with a date each, one without tests; three of them are selected now."""
    home = tmp_path_factory.mktemp("home")
    store = ParquetStore(home / "store")
    names = [*(f"a:easy{n}" for n in range(6)), *(f"b:hard{n}" for n in range(4))]
    dated = [(name, dt.date(2020 + n, 1, 1)) for n, name in enumerate(names)]
    rows = [unique_row(store.blobs, name, published=date, platform=name[0]) for name, date in dated]
    problems = frame([*rows, unique_row(store.blobs, "a:untested", tests=())])
    band = pl.when(pl.col("problem_id").str.starts_with("b")).then(pl.lit("hard")).otherwise(pl.lit("easy"))
    values = {"score": 2.0, "expected_solve_rate": 0.5, "evidence": "prior"}
    blank = {
        name: pl.lit(values.get(name), dtype) for name, dtype in CALIBRATED.items() if name not in problems.columns
    }
    calibrated = problems.select("problem_id", "content_sha", **{**blank, "band": band}).select(list(CALIBRATED))
    store.publish("prepared_problems", StageResult(problems.select(list(PREPARED)), []), **RUN)
    store.publish("calibrated_problems", StageResult(calibrated, []), **RUN)
    store.publish("selected_problems", StageResult(calibrated.head(3).select(list(SELECTED)), []), **RUN)
    return home


def run(home: Path, *arguments: str, policy: str | None = None) -> Result:
    given = []
    if policy is not None:
        path = home.parent / "policy.yaml"
        path.write_text(policy)
        given = ["--policy", str(path)]
    return CliRunner().invoke(main, ["--home", str(home), "select", *given, *arguments])


def test_a_dry_run_tells_the_funnel_and_the_composition_and_writes_nothing(home: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    result = run(home, "--dry-run", policy="caps: {band: {easy: 1}}")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["dropped", "over_cap", "caps.band.easy", "=", "1", "5"] in lines
    assert ["dropped", "no_tests", "gates.min_tests", "=", "1", "1"] in lines
    assert ["easy", "7", "6", "1", "0.6", "0.2", "#" * 18, "#" * 6] in lines
    assert ["hard", "4", "4", "4", "0.4", "0.8", "#" * 12, "#" * 24] in lines
    assert ["2029", "1", "1", "1", "0.1", "0.2", "###", "######"] in lines
    assert "5 selected; of the 3 selected now" in result.output
    assert before == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_problem_is_explained(home: Path) -> None:
    policy = "caps: {band: {easy: 0}}\nrecency: {half_life_months: 12}"
    out = run(home, "--explain", "a:easy1", policy=policy).output
    assert out.startswith("a:easy1 dropped: over_cap by caps.band.easy = 0 (")
    assert "band easy: 0 rows taken, 0 allowed" in out
    assert "weight: 2.0" in out
    assert "of 10 in the draw" in out
    kept = run(home, "--explain", "b:hard0", policy=policy).output
    assert kept.startswith("b:hard0 kept: ok (")
    untested = run(home, "--explain", "a:untested").output
    assert untested.startswith("a:untested dropped: no_tests by gates.min_tests = 1 (")
    assert "rank" not in untested


def test_what_cannot_be_told_is_one_line(home: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (["--explain", "a:none"], "did not come to selection"),
        ([], "give --dry-run or --explain"),
        (["--dry-run", "--explain", "a:easy1"], "give --dry-run or --explain"),
        (["--dry-run", "--policy", str(tmp_path / "none.yaml")], "does not exist"),
    ):
        result = run(home, *arguments)
        assert (result.exit_code, words in result.output) == (2, True), result.output
    assert "run --until calibrated_problems" in run(tmp_path, "--dry-run").output


def test_the_composition_sets_quality_apart_from_difficulty() -> None:
    rows = pl.DataFrame(
        {
            "platform": ["a", "a", "b", "b"],
            "published": [dt.date(2024, 1, 1), None, dt.date(2024, 5, 1), dt.date(2023, 1, 1)],
            "band": ["expert", "easy", "easy", "medium"],
            "reason": [None, "over_cap", "no_tests", "too_hard"],
        }
    )
    tables = composition(rows)
    assert tables["band"]["band"].to_list() == [band for band in BANDS if band != "hard"]
    assert tables["band"].select("came_in", "sound", "selected").rows() == [(2, 1, 0), (1, 1, 0), (1, 1, 1)]
    assert tables["year"]["year"].to_list() == ["2023", "2024", "unknown"]
    for table in tables.values():
        assert table["sound_share"].sum() == pytest.approx(1)
        assert table["selected_share"].sum() == pytest.approx(1)
