"""Records to rows and decisions; identity keys; partitions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.collection.identity import canonical_url, identity_keys, slugify
from microcoder_assets.collection.leetcode import contest_date
from microcoder_assets.collection.platforms import PLATFORMS, UNDATED_MONTH
from microcoder_assets.collection.records import Reference, Sample, ScrapedProblem, ScrapedTest, UnreadableRecord
from microcoder_assets.collection.scrape import Scraper, home_of, partition_of, scrape
from microcoder_assets.config import CollectionSettings
from microcoder_assets.schema import SCRAPED
from microcoder_assets.stage import Kind, StageResult
from microcoder_assets.store import Blobs, Partition
from microcoder_judge import Checker

PROBLEM = ScrapedProblem(
    platform="kattis",
    native_id="two",
    title="Two",
    statement="Add.",
    statement_format="markdown",
    statement_language="en",
    source_ref="two",
    record_sha="1" * 64,
    published=dt.date(2025, 10, 25),
    samples=(Sample("1 2", "3"),),
    tests=(ScrapedTest("a", True, b"1 2", b"3"), ScrapedTest("b", False, b"\xff\x00", b"3")),
    checker=Checker("tokens_float", abs_tol=1e-6),
    references=(Reference("good.py", "python", "accepted", "print(3)"),),
    ratings=(("community", 1200.0),),
)


def other(**changes: Any) -> ScrapedProblem:
    return dataclasses.replace(PROBLEM, **changes)


def run(folder: Path, *records: ScrapedProblem | UnreadableRecord) -> StageResult:
    settings = CollectionSettings(max_statement_bytes=1000)  # type: ignore[call-arg]
    result = scrape(records, Blobs(folder / "blobs"), settings, "kattis")
    assert result.accounted() is None and len(result.decisions) == len(records)
    assert dict(result.frame.schema) == dict(SCRAPED)
    return result


def test_a_problem_becomes_a_row_whose_test_bytes_are_stored_once(tmp_path: Path) -> None:
    (row,) = run(tmp_path, PROBLEM).frame.iter_rows(named=True)
    assert (row["problem_id"], row["source_kind"], row["published"]) == ("kattis:two", "kattis", dt.date(2025, 10, 25))
    first, second = row["tests"]
    assert (first["name"], first["sample"], first["bytes"]) == ("a", True, 4)
    assert first["expected_sha"] == second["expected_sha"]
    stored = Blobs(tmp_path / "blobs").get_many([second["input_sha"], second["expected_sha"]])
    assert stored == {second["input_sha"]: b"\xff\x00", second["expected_sha"]: b"3"}
    assert Checker.from_json(row["checker"]) == PROBLEM.checker
    assert row["samples"] == [{"input": "1 2", "output": "3", "explanation": None}]


def test_the_second_record_of_an_id_is_merged_into_the_first(tmp_path: Path) -> None:
    again = other(source_ref="two#2", title="Second")
    result = run(tmp_path, PROBLEM, again, other(source_ref="two#3", record_sha="2" * 64))
    assert result.frame["title"].to_list() == ["Two"]
    _, merged, differs = result.decisions
    assert (merged.kind, merged.reason, merged.ref, merged.parents) == (Kind.MERGED, "same_id", "two#2", ["kattis:two"])
    assert (merged.detail["identical"], differs.detail["identical"]) == (True, False)


MANY = tuple(ScrapedTest(f"m{n}", False, b"%d" % n, b"%d" % n) for n in range(5))


@pytest.mark.parametrize(
    ("changes", "gave", "columns"),
    [
        ({"tests": MANY, "checker": Checker("tokens")}, ["tests"], {"flags": ["interactive"]}),
        ({"tests": MANY, "checker": None}, [], {"flags": ["interactive", "scoring"]}),
        ({"checker": Checker("custom", program="exit(0)")}, ["tests"], {"flags": ["interactive"]}),
        (
            {"references": (Reference("good.py", "python", "accepted", "print(1 + 2)"),)},
            ["references"],
            {"references": [("good.py", "print(3)"), ("later:good.py", "print(1 + 2)")]},
        ),
        ({"references": (Reference("copy.py", "python", "accepted", "print(3)"),)}, [], {}),
        ({"tags": ("dp",), "ratings": (("community", 9.0), ("zerotrac", 1.0))}, ["tags", "ratings"], {"tags": ["dp"]}),
        ({"url": "https://x.org", "time_limit_s": 2.0}, ["url", "time_limit_s"], {"url": "https://x.org"}),
        ({"published": dt.date(2024, 1, 1), "published_basis": "archive"}, ["published"], {}),
        ({"published": dt.date(2024, 1, 1), "published_basis": "inferred"}, [], {}),
        ({"title": "Second", "statement": "Other.", "license": "MIT"}, [], {"title": "Two", "statement": "Add."}),
    ],
)
def test_a_later_record_gives_what_the_first_lacks(
    tmp_path: Path, changes: dict[str, Any], gave: list[str], columns: dict[str, Any]
) -> None:
    first = other(flags=("interactive", "scoring"), published_basis="inferred")
    plain = other(source_ref="later", record_sha="2" * 64, published=None)
    later = dataclasses.replace(plain, **{"references": (), **changes})
    scraper = Scraper(Blobs(tmp_path / "blobs"), CollectionSettings())  # type: ignore[call-arg]
    home, elsewhere = Partition("2025-10", "kattis"), Partition("2024-01", "kattis")
    scraper.add(first, "kattis", home)
    scraper.add(later, "later", elsewhere)
    results = scraper.results()
    (row,) = results[home].frame.iter_rows(named=True)
    (kept,), (merged,) = results[home].decisions, results[elsewhere].decisions
    assert results[elsewhere].frame.is_empty()
    assert merged.detail.get("gave", []) == gave
    assert (row["record_sha"] == "1" * 64) == (not gave) and kept.sha_out == row["record_sha"]
    assert row["published"] == (later.published if "published" in gave else first.published)
    shown = {**row, "references": [(r["name"], r["code"]) for r in row["references"]]}
    assert {name: shown[name] for name in columns} == columns
    assert (len(row["tests"]) == 5) == (changes.get("tests") == MANY and bool(gave))
    shas = [test[part] for test in row["tests"] for part in ("input_sha", "expected_sha")]
    assert Blobs(tmp_path / "blobs").get_many(shas).keys() == set(shas)


def test_of_partitions_that_are_not_wanted_only_the_ids_are_remembered(tmp_path: Path) -> None:
    home, elsewhere = Partition("2025-10", "kattis"), Partition("2024-01", "kattis")
    secret = other(native_id="b", tests=(ScrapedTest("c", False, b"secret", b""),))
    decided = []
    for wanted in ({elsewhere}, {home}, {home, elsewhere}):
        blobs = Blobs(tmp_path / str(len(decided)))
        scraper = Scraper(blobs, CollectionSettings(), wanted)  # type: ignore[call-arg]
        for record, partition in ((PROBLEM, home), (secret, home), (other(record_sha="2" * 64), elsewhere)):
            scraper.add(record, "kattis", partition)
        results = scraper.results()
        assert results.keys() == wanted
        decided.append({partition: [d.reason for d in result.decisions] for partition, result in results.items()})
        assert (tmp_path / str(len(decided) - 1)).exists() == (home in wanted)
    assert decided == [
        {elsewhere: ["same_id"]},
        {home: ["ok", "ok"]},
        {home: ["ok", "ok"], elsewhere: ["same_id"]},
    ]


def test_references_of_two_records_together_stay_under_the_cap(tmp_path: Path) -> None:
    def solved(name: str, count: int) -> ScrapedProblem:
        codes = (Reference(f"{name}-{n}", "python", "accepted", f"# {name} {n}") for n in range(count))
        return other(record_sha=name * 64, references=tuple(codes))

    scraper = Scraper(Blobs(tmp_path / "blobs"), CollectionSettings(max_references=3))  # type: ignore[call-arg]
    for record in (solved("a", 2), solved("b", 5)):
        scraper.add(record, "kattis", home_of(record))
    (result,) = scraper.results().values()
    assert [r["name"] for r in result.frame["references"].to_list()[0]] == ["a-0", "a-1", "b-0"]


@pytest.mark.parametrize("native_id", ["", "a/b", "..", ".hidden", "a\\b", "a b", "a\n", "x" * 121, "ä", None])
def test_an_id_that_could_be_a_path_is_an_error_row(tmp_path: Path, native_id: Any) -> None:
    result = run(tmp_path, other(native_id=native_id), PROBLEM)
    (decision, kept) = result.decisions
    assert (decision.kind, decision.reason) == (Kind.ERROR, "bad_native_id")
    assert decision.problem_id == "kattis:?two"
    assert kept.kind is Kind.KEPT


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"statement": "x" * 1001}, "statement_too_large", "1001"),
        ({"statement": "é" * 501}, "statement_too_large", "1002"),
        ({"statement": None}, "malformed_record", "statement must be text, not NoneType"),
        ({"title": 7}, "malformed_record", "title must be text, not int"),
        ({"tags": (3,)}, "malformed_record", "tags must be text"),
        ({"statement": "\ud800"}, "malformed_record", "surrogate"),
        ({"samples": (Sample("1", None),)}, "malformed_record", "samples must be text"),  # type: ignore[arg-type]
        ({"samples": (Sample("1", "2", "\udcff"),)}, "malformed_record", "samples holds half"),
        ({"tests": (ScrapedTest("\udcff", False, b"", b""),)}, "malformed_record", "tests holds half"),
        ({"references": (Reference("\udcff", "c", "accepted", ""),)}, "malformed_record", "references holds half"),
        ({"statement_format": ["html"]}, "malformed_record", "statement_format must be text"),
        ({"time_limit_s": math.inf}, "malformed_record", "time_limit_s must be above 0 and at most 600, not inf"),
        ({"time_limit_s": math.nan}, "malformed_record", "time_limit_s"),
        ({"time_limit_s": -2.0}, "malformed_record", "time_limit_s"),
        ({"time_limit_s": 600.001}, "malformed_record", "time_limit_s"),
        ({"memory_limit_mb": 10**23}, "malformed_record", "memory_limit_mb must be a whole number from 1 to 1048576"),
        ({"memory_limit_mb": 0}, "malformed_record", "memory_limit_mb"),
        ({"memory_limit_mb": math.nan}, "malformed_record", "memory_limit_mb"),
        ({"ratings": (("community", math.nan),)}, "malformed_record", "the rating of community must be finite"),
        ({"ratings": (("community", math.inf),)}, "malformed_record", "the rating of community must be finite"),
    ],
)
def test_a_record_that_later_stages_could_not_take(
    tmp_path: Path, changes: dict[str, Any], reason: str, words: str
) -> None:
    (bad, kept) = run(tmp_path, other(native_id="bad", source_ref="bad", **changes), PROBLEM).decisions
    assert (bad.kind, bad.reason, bad.problem_id, bad.ref) == (Kind.ERROR, reason, "kattis:bad", "bad")
    assert words in str(bad.detail)
    assert kept.kind is Kind.KEPT


def test_an_unreadable_record_is_an_error_row(tmp_path: Path) -> None:
    (decision,) = run(tmp_path, UnreadableRecord("kattis", "x.zip", "malformed_record", "broken")).decisions
    assert (decision.problem_id, decision.kind, decision.detail) == ("kattis:?x.zip", Kind.ERROR, {"error": "broken"})


def test_the_largest_limits_are_kept(tmp_path: Path) -> None:
    (row,) = run(tmp_path, other(time_limit_s=600.0, memory_limit_mb=1_048_576)).frame.iter_rows(named=True)
    assert (row["time_limit_s"], row["memory_limit_mb"]) == (600.0, 1_048_576)


@pytest.mark.parametrize("name", ["br\udcffken", "br\nken"])
def test_a_file_name_that_is_no_text_is_written_in_ascii(tmp_path: Path, name: str) -> None:
    unreadable = UnreadableRecord("kattis", name, "malformed_record", "broken")
    decisions = run(tmp_path, unreadable, other(native_id=name, source_ref=name)).decisions
    escaped = ascii(name)[1:-1]
    assert [(d.problem_id, d.ref) for d in decisions] == [(f"kattis:?{escaped}", ""), (f"kattis:?{escaped}", "~2")]
    (bad, merged) = run(tmp_path, other(source_ref=name, title=7), PROBLEM).decisions
    assert (bad.kind, bad.ref, merged.kind) == (Kind.ERROR, escaped, Kind.KEPT)


def test_no_two_decisions_have_one_id_and_ref(tmp_path: Path) -> None:
    broken = UnreadableRecord("kattis", "broken", "malformed_record", "broken")
    records = (broken, broken, PROBLEM, PROBLEM, PROBLEM, other(source_ref="two~2"), PROBLEM)
    decisions = run(tmp_path, *records).decisions
    assert [(d.problem_id, d.ref) for d in decisions] == [
        ("kattis:?broken", ""),
        ("kattis:?broken", "~2"),
        ("kattis:two", ""),
        ("kattis:two", "two"),
        ("kattis:two", "two~2"),
        ("kattis:two", "two~2~2"),
        ("kattis:two", "two~3"),
    ]


def test_rows_do_not_depend_on_the_order_of_the_records(tmp_path: Path) -> None:
    second = other(native_id="one", source_ref="one")
    assert run(tmp_path, PROBLEM, second).frame.equals(run(tmp_path, second, PROBLEM).frame)


@pytest.mark.parametrize(
    ("published", "month"),
    [(dt.date(2025, 10, 25), "2025-10"), (dt.date(2000, 1, 1), "2000-01"), (dt.date(1999, 12, 31), UNDATED_MONTH)],
)
def test_partitions(published: dt.date, month: str) -> None:
    assert partition_of("loj", published) == (month, "loj")
    assert partition_of("loj", None) == ("1999-12", "loj")


def test_platforms_keep_their_order() -> None:
    named = "lantern harbor meadow leetcode codeforces atcoder kattis rllm bzoj joyoi cogs loj uoj tsinsen"
    assert " ".join(PLATFORMS[:14]) == named


def test_contest_dates() -> None:
    assert contest_date("weekly", 444) == dt.date(2025, 4, 6)
    assert contest_date("biweekly", 153) == dt.date(2025, 3, 29)


def test_identity_keys() -> None:
    ours = identity_keys("leetcode", "2670", "Find the Array's Sum!", "https://leetcode.com/problems/find-array-sum/")
    assert ours == (
        "https://leetcode.com/problems/find-array-sum",
        "leetcode/find-array-sum",
        "leetcode/find-the-arrays-sum",
        "leetcode:2670",
    )
    assert set(identity_keys("leetcode", "find-array-sum", "find-array-sum", None)) & set(ours)
    assert identity_keys("codeforces", "4A", "Watermelon", None) == ("codeforces:4A",)
    assert identity_keys("rllm", "x-1", "", None) == ("rllm:x-1",)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://www.Codeforces.com/contest/4/problem/A/", "https://codeforces.com/problemset/problem/4/A"),
        ("https://x.org/problem.php?id=1000#top", "https://x.org/problem.php?id=1000"),
    ],
)
def test_canonical_urls(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@given(st.text())
def test_a_slug_is_its_own_slug(title: str) -> None:
    assert slugify(slugify(title)) == slugify(title)
