"""`find_unique` on small frames: every rule, what must stay apart, and that order never matters."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing.decontaminate import OverlapReport, find_overlap
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.schema import BENCHMARK, NORMALIZED, SAMPLE, UNIQUE
from microcoder_assets.stage import Decision, Kind, StageResult

DEDUP, DECONTAMINATION = DedupSettings(), DecontaminationSettings()
BENCHMARK_SCHEMA = {
    **dict.fromkeys(("problem_id", "platform", "native_id", "title", "url", "statement"), pl.String),
    **dict.fromkeys(("io_mode", "entry_point"), pl.String),
    "samples": pl.List(SAMPLE),
}
SAMPLE_A = ("5 3\n4 1 7 2 9\n1 2 3", "4 11 12")
SAMPLE_B = ("4\n10 20 30 40", "100 7 3 1 2")
FUNCTION_SAMPLE = ("nums = [4,1,7,2,9,3,3], k = 3", "12")


def story(seed: int, length: int = 120) -> str:
    """Text of its own words, so that two seeds share nothing."""
    generator = random.Random(seed)
    return " ".join(f"w{seed}x{generator.randrange(400)}" for _ in range(length))


def reworded(text: str, share: float, seed: int = 0) -> str:
    generator = random.Random(seed)
    return " ".join(f"other{n}" if generator.random() < share else word for n, word in enumerate(text.split()))


def row(problem_id: str, statement: str, **fields: Any) -> dict[str, Any]:
    platform, _, native_id = problem_id.partition(":")
    samples = [{"input": i, "output": o, "explanation": None} for i, o in fields.pop("samples", ())]
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "tags", "ratings", "flags")}
    return blank | {
        "problem_id": problem_id,
        "platform": platform,
        "native_id": native_id,
        "title": f"Title of {native_id}",
        "statement": statement,
        "statement_language": "en",
        "io_mode": "stdin",
        "content_sha": f"sha-{problem_id}",
        "samples": samples,
        **fields,
    }


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=NORMALIZED)


def items(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [{name: entry[name] for name in BENCHMARK_SCHEMA} for entry in rows], schema=BENCHMARK_SCHEMA
    )


def unique(*rows: dict[str, Any], benchmark: pl.DataFrame | None = None) -> StageResult:
    return run(frame(*rows), benchmark)[0]


def run(problems: pl.DataFrame, benchmark: pl.DataFrame | None = None) -> tuple[StageResult, OverlapReport]:
    result, report = find_unique(problems, items() if benchmark is None else benchmark, DEDUP, DECONTAMINATION)
    assert result.accounted() is None
    assert sorted(d.problem_id for d in result.decisions) == sorted(problems["problem_id"])
    assert result.frame.schema == pl.Schema(UNIQUE)
    return result, report


def decision(result: StageResult, problem_id: str) -> Decision:
    return next(d for d in result.decisions if d.problem_id == problem_id)


def kept(result: StageResult) -> list[str]:
    return result.frame["problem_id"].to_list()


def test_nothing_in_nothing_out() -> None:
    result, report = run(frame())
    assert result.frame.is_empty() and result.decisions == []
    assert report.rows == 0 and report.items.is_empty()


def test_unrelated_rows_stay() -> None:
    result = unique(row("atcoder:a", story(1)), row("codeforces:1A", story(2)))
    assert kept(result) == ["atcoder:a", "codeforces:1A"]
    assert {(d.kind, d.reason) for d in result.decisions} == {(Kind.KEPT, "ok")}
    assert result.frame["merged_ids"].to_list() == [[], []]
    assert result.frame["benchmark_nearest"].null_count() == result.frame["benchmark_overlap"].null_count() == 2


def test_one_url_is_one_problem() -> None:
    url = "https://codeforces.com/problemset/problem/1/A"
    result = unique(row("codeforces:1A", story(1), url=url), row("mirror:1", story(2), url=url))
    assert decision(result, "mirror:1").reason == "duplicate_identity"


def test_title_and_samples_across_judges() -> None:
    result = unique(
        row("codeforces:1A", story(1), title="Watermelon", samples=[("8", "YES NO")]),
        row("mirror:1", story(2), title="[Round 4] Watermelon", samples=[("8\n", "YES  NO\n")]),
    )
    assert decision(result, "mirror:1").reason == "duplicate_identity"
    assert decision(result, "mirror:1").rule == "title_and_samples"
    assert decision(result, "mirror:1").parents == ["codeforces:1A"]


BOUNDED = {"samples": [SAMPLE_A], "constraints": "1 <= n <= 10^5, 1 <= a_i <= 10^9"}


def test_a_duplicate_in_another_language_is_found_by_its_samples_and_bounds() -> None:
    chinese = row("loj:7", "给定一个长度为的序列求区间和" * 10, statement_language="zh", **BOUNDED)
    result = unique(row("codeforces:1A", story(1), **BOUNDED), chinese)
    merged = decision(result, "loj:7")
    assert (merged.kind, merged.reason, merged.rule) == (Kind.MERGED, "duplicate_samples", "bounds_and_samples")
    assert merged.detail["of"] == "codeforces:1A" and merged.detail["sample_tokens"] == 13
    other = chinese | {"constraints": "n <= 100"}
    assert len(kept(unique(row("codeforces:1A", story(1), **BOUNDED), other))) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_equal_samples_alone_neither_merge_nor_drop(language: str) -> None:
    samples = [SAMPLE_A, SAMPLE_B]
    other = row("loj:7", story(2), samples=samples, statement_language=language)
    assert len(kept(unique(row("codeforces:1A", story(1), samples=samples), other))) == 2
    assert len(kept(unique(other, benchmark=items(row("lcb:x", story(1), samples=samples))))) == 1


def test_short_samples_alone_are_an_accident() -> None:
    short = [("1 2", "3")]
    apart = unique(row("codeforces:1A", story(1), samples=short), row("loj:7", story(2), samples=short))
    assert len(kept(apart)) == 2
    text = story(1)
    like = unique(
        row("codeforces:1A", text, samples=short), row("loj:7", reworded(text, 0.14), title="Sum", samples=short)
    )
    assert decision(like, "loj:7").reason == "duplicate_samples"
    translated = row("loj:7", story(2), samples=short, statement_language="zh")
    assert len(kept(unique(row("codeforces:1A", story(1), samples=short), translated))) == 2


def test_samples_of_other_modes_never_meet() -> None:
    result = unique(
        row("codeforces:1A", story(1), samples=[SAMPLE_A]),
        row("leetcode:7", story(2), samples=[SAMPLE_A], io_mode="function"),
    )
    assert len(kept(result)) == 2


def test_functions_that_take_the_same_argument_are_not_one_problem() -> None:
    result = unique(
        row("leetcode:1", story(1), samples=[FUNCTION_SAMPLE], io_mode="function"),
        row("mirror:7", story(2), samples=[FUNCTION_SAMPLE], io_mode="function"),
    )
    assert len(kept(result)) == 2


def test_equal_samples_need_only_somewhat_like_texts() -> None:
    text = story(1, 300)
    other = reworded(text, 0.3)
    first = row("codeforces:1A", text, samples=[SAMPLE_A])
    merged = decision(unique(first, row("mirror:1", other, samples=[SAMPLE_A], title="Quite Another")), "mirror:1")
    assert (merged.reason, merged.rule) == ("duplicate_samples", "text_and_samples")
    assert len(kept(unique(first, row("mirror:1", other, samples=[SAMPLE_B], title="Quite Another")))) == 2


def test_other_samples_ask_for_more_likeness() -> None:
    text = story(1, 300)
    other = reworded(text, 0.08)
    first = row("codeforces:1A", text, samples=[SAMPLE_A])
    assert len(kept(unique(first, row("mirror:1", other, samples=[SAMPLE_B], title="Quite Another")))) == 2
    assert len(kept(unique(first, row("mirror:1", other, title="Quite Another")))) == 1
    assert len(kept(unique(first, row("mirror:1", text, samples=[SAMPLE_B], title="Quite Another")))) == 1


def test_near_duplicate_text_across_judges() -> None:
    text = story(1)
    result = unique(row("codeforces:1A", text), row("mirror:1", reworded(text, 0.05), title="Quite Another"))
    merged = decision(result, "mirror:1")
    assert (merged.reason, merged.rule) == ("duplicate_text", "minhash")
    assert merged.score is not None and 0.5 <= merged.score < 1


def test_chinese_near_duplicates() -> None:
    generator = random.Random(3)
    text = "".join(chr(0x4E00 + generator.randrange(3000)) for _ in range(300))
    spaced = text[:150] + " \n" + text[150:290] + "，改写的结尾"
    result = unique(
        row("bzoj:1", text, title="一", statement_language="zh"),
        row("loj:1", spaced, title="二", statement_language="zh"),
    )
    assert decision(result, "loj:1").reason == "duplicate_text"


def test_an_equal_title_asks_for_less_likeness() -> None:
    text = story(1, 300)
    other = reworded(text, 0.17)
    same = unique(row("codeforces:1A", text, title="Toy"), row("mirror:1", other, title="Toy"))
    assert decision(same, "mirror:1").rule == "title_and_minhash"
    assert len(kept(unique(row("codeforces:1A", text, title="Toy"), row("mirror:1", other, title="Box")))) == 2


def test_a_copy_without_title_and_samples_is_found_by_its_function() -> None:
    text = story(1, 300)
    site = row("leetcode:4", text, io_mode="function", entry_point="findMedian")
    copy = row("rllm:1", reworded(text, 0.17), title="", io_mode="function", entry_point="findMedian")
    assert decision(unique(site, copy), "rllm:1").rule == "entry_point_and_minhash"
    assert len(kept(unique(site, copy | {"entry_point": "findMean"}))) == 2
    assert len(kept(unique(site, copy | {"statement": story(2, 300)}))) == 2
    assert len(kept(unique(site, copy | {"platform": "leetcode"}))) == 2


def test_short_or_empty_statements_are_no_evidence() -> None:
    for text in ("", "See the picture below.", "![image](x.png)"):
        assert len(kept(unique(row("bzoj:1", text), row("loj:1", text)))) == 2


@pytest.mark.parametrize(
    ("easy", "hard"),
    [
        ({"title": "Toy (easy version)"}, {"title": "Toy (hard version)"}),
        ({"title": "Toy (easy)", "samples": [SAMPLE_A]}, {"title": "Toy (hard)", "samples": [SAMPLE_A]}),
        ({"title": "Toy I"}, {"title": "Toy II"}),
        ({"title": "Toy", "constraints": "n <= 100"}, {"title": "Toy", "constraints": "n <= 10^5"}),
        ({"title": "Toy", "samples": [SAMPLE_A]}, {"title": "Toy", "samples": [SAMPLE_B]}),
        ({"title": "And Oracle"}, {"title": "Or Oracle"}),
    ],
)
def test_versions_at_one_judge_stay_apart(easy: dict[str, Any], hard: dict[str, Any]) -> None:
    text = story(1)
    assert len(kept(unique(row("codeforces:1A1", text, **easy), row("codeforces:1A2", text, **hard)))) == 2


def test_twins_of_two_divisions_are_one() -> None:
    same = {"title": "Toy", "samples": [SAMPLE_A], "constraints": "1 <= n <= 10^5"}
    result = unique(row("codeforces:1C", story(1), **same), row("codeforces:2A", story(1), **same))
    assert kept(result) == ["codeforces:1C"]


def test_a_copy_at_another_judge_does_not_join_two_versions() -> None:
    text = story(1)
    result = unique(
        row("codeforces:1A1", text, title="Toy (easy version)"),
        row("codeforces:1A2", text, title="Toy (hard version)"),
        row("mirror:1", text, title="Boxes"),
    )
    assert {"codeforces:1A1", "codeforces:1A2"} <= set(kept(result))
    assert decision(result, "mirror:1").kind is Kind.MERGED


def test_the_most_complete_row_stays_and_gains_tags_and_ratings() -> None:
    text = story(1)
    reference = [{"name": "a", "language": "python", "label": "accepted", "code": "print()"}]
    test = {"name": "1", "sample": False, "input_sha": "x", "expected_sha": "y", "bytes": 2}
    early = dt.date(2020, 1, 1)
    result = unique(
        row("codeforces:1A", text, published=early, tags=["dp"], ratings=[{"source": "cf", "value": 1500.0}]),
        row("mirror:tests", text, tests=[test, test], published=early, tags=["greedy"]),
        row("other:reference", text, references=reference, tests=[test], tags=["dp", "bit"]),
    )
    assert kept(result) == ["other:reference"]
    winner = result.frame.row(0, named=True)
    assert winner["merged_ids"] == ["codeforces:1A", "mirror:tests"]
    assert winner["tags"] == ["bit", "dp", "greedy"]
    assert winner["ratings"] == [{"source": "cf", "value": 1500.0}]
    assert decision(result, "other:reference").detail == {"merged": ["codeforces:1A", "mirror:tests"]}


def test_ties_go_to_english_then_the_earlier_then_the_listed_platform() -> None:
    text, day = story(1), dt.date(2020, 1, 1)
    swedish = row("codeforces:1A", text, statement_language="sv", published=day)
    assert kept(unique(swedish, row("zzz:1", text))) == ["zzz:1"]
    assert kept(unique(row("leetcode:1", text), row("zzz:1", text, published=day))) == ["zzz:1"]
    assert kept(unique(row("leetcode:1", text), row("aaa:1", text))) == ["leetcode:1"]


def test_a_thousand_copies_become_one() -> None:
    text = story(1)
    result = unique(*(row(f"judge{n}:p", text) for n in range(1000)))
    assert len(kept(result)) == 1 and len(result.frame["merged_ids"][0]) == 999


def pool(seed: int) -> list[dict[str, Any]]:
    """Forty rows with chains of copies, versions, shared samples and translations."""
    generator = random.Random(seed)
    rows = []
    for n in range(40):
        base = generator.randrange(12)
        title = f"Story {'abcdefghijkl'[base]}" + generator.choice(["", "", " II", " (hard version)"])
        samples = [[], [SAMPLE_A], [(f"{base} 1 2 3 4 5 6 7 8", "9")]][generator.randrange(3)]
        text = reworded(story(base), generator.choice([0, 0.03, 0.1, 0.3]), n)
        rows.append(row(f"judge{generator.randrange(4)}:{n}", text, title=title, samples=samples))
    return rows


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_changes_nothing(seed: int, shuffler: random.Random) -> None:
    rows = pool(seed)
    benchmark = items(row("lcb:0", story(0)), row("lcb:1", story(99), samples=[SAMPLE_B]))
    first, first_report = run(frame(*rows), benchmark)
    shuffler.shuffle(rows)
    second, second_report = run(frame(*rows), benchmark[::-1])
    assert first.frame.equals(second.frame)
    assert sorted(map(repr, first.decisions)) == sorted(map(repr, second.decisions))
    assert first_report.items.equals(second_report.items)


class Cache:
    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.written: list[str] = []

    def get(self, keys: list[str]) -> dict[str, bytes]:
        return {key: self.values[key] for key in keys if key in self.values}

    def put(self, values: dict[str, bytes]) -> None:
        self.values |= values
        self.written += [key for key in values if not key.startswith("words")]


def test_a_second_run_reads_only_statements_of_new_content() -> None:
    cache, text = Cache(), story(1)
    rows = [row("codeforces:1A", text, samples=[SAMPLE_A]), row("mirror:1", reworded(text, 0.05))]
    benchmark = items(row("lcb:x", story(3)))
    first, _ = find_unique(frame(*rows), benchmark, DEDUP, DECONTAMINATION, cache)
    assert len(cache.written) == 4
    blank = [entry | {"statement": "what is known is not read again"} for entry in rows]
    more = frame(*blank, row("atcoder:a", story(2)))
    again, _ = find_unique(more, benchmark, DEDUP, DECONTAMINATION, cache)
    assert len(cache.written) == 6
    assert kept(again) == ["atcoder:a", *kept(first)]
    assert decision(again, "mirror:1") == decision(first, "mirror:1")
    find_unique(frame(*rows), benchmark, DedupSettings(seed=7), DECONTAMINATION, cache)
    assert len(cache.written) == 8
    find_unique(frame(*rows), items(row("lcb:y", story(4))), DEDUP, DECONTAMINATION, cache)
    assert len(cache.written) == 10
    renamed = [rows[0] | {"title": "Another"}, rows[1]]
    find_unique(frame(*renamed), benchmark, DEDUP, DECONTAMINATION, cache)
    assert len(cache.written) == 12


def test_a_bound_too_large_for_a_number_is_remembered() -> None:
    cache, text = Cache(), story(1)
    rows = [row("codeforces:1A", text, constraints="n <= 10^999"), row("mirror:1", text, constraints="n <= 10^999")]
    runs = [find_unique(frame(*rows), items(), DEDUP, DECONTAMINATION, cache)[0] for _ in range(2)]
    assert kept(runs[0]) == kept(runs[1]) == ["codeforces:1A"]


def test_benchmark_by_identity_before_any_merge() -> None:
    text = story(1)
    url = "https://atcoder.jp/contests/abc300/tasks/abc300_a"
    benchmark = items(row("lcb:abc300_a", story(50), url=url))
    result, report = run(frame(row("atcoder:abc300_a", text, url=url), row("mirror:1", text)), benchmark)
    dropped = decision(result, "atcoder:abc300_a")
    assert (dropped.kind, dropped.reason) == (Kind.DROPPED, "benchmark_identity")
    assert dropped.detail["item"] == "lcb:abc300_a" and dropped.parents == ["lcb:abc300_a"]
    assert kept(result) == ["mirror:1"]
    assert report.items.row(0, named=True)["nearest_problem_id"] == "atcoder:abc300_a"


def test_benchmark_by_samples_though_translated() -> None:
    text = story(1) + " 1 <= n <= 10^5 and 1 <= a_i <= 10^9"
    benchmark = items(row("lcb:x", text, samples=[SAMPLE_A]))
    result, _ = run(frame(row("loj:1", story(2), statement_language="zh", **BOUNDED)), benchmark)
    dropped = decision(result, "loj:1")
    assert (dropped.reason, dropped.rule) == ("benchmark_samples", "bounds_and_samples")


def function(problem_id: str, text: str, **fields: Any) -> dict[str, Any]:
    return row(problem_id, text, **{"io_mode": "function", "entry_point": "sumUp", "title": "", **fields})


def test_benchmark_by_the_arguments_of_a_reworded_function() -> None:
    benchmark = items(function("lcb:x", story(1), samples=[FUNCTION_SAMPLE]))
    result, _ = run(frame(function("mirror:1", story(2), samples=[FUNCTION_SAMPLE])), benchmark)
    dropped = decision(result, "mirror:1")
    assert (dropped.reason, dropped.rule) == ("benchmark_samples", "entry_point_and_samples")
    other = function("mirror:1", story(2), samples=[FUNCTION_SAMPLE], entry_point="addUp")
    assert decision(run(frame(other), benchmark)[0], "mirror:1").kind is Kind.KEPT


def test_benchmark_by_its_public_tests_where_a_row_has_no_samples() -> None:
    pairs = [(b"[[1, 2], 3]", b"6"), (b"[[4], 5]", b"9")]
    public = [{"name": str(n), "sample": True, "input": i, "expected": e} for n, (i, e) in enumerate(pairs)]
    private = [{"name": "private", "sample": False, "input": b"[[], 0]", "expected": b"0"}]
    item = function("lcb:x", story(1)) | {"tests": [*public, *private]}
    benchmark = items(item).with_columns(tests=pl.Series([item["tests"]], dtype=BENCHMARK["tests"]))

    def hidden(tests: list[tuple[bytes, bytes]], **fields: Any) -> Decision:
        shas = [(hashlib.sha256(i).hexdigest(), hashlib.sha256(e).hexdigest()) for i, e in tests]
        names = ("name", "sample", "input_sha", "expected_sha", "bytes")
        given = [dict(zip(names, ("t", False, *pair, 9), strict=True)) for pair in shas]
        return decision(run(frame(function("mirror:1", story(2), tests=given, **fields)), benchmark)[0], "mirror:1")

    found = hidden([*pairs[:1], (b"[[7], 7]", b"14")])
    assert (found.reason, found.rule, found.score) == ("benchmark_samples", "entry_point_and_tests", 0.5)
    assert found.detail["tests"] == 1 and found.detail["public_tests"] == 2
    assert hidden(pairs, entry_point="addUp").kind is Kind.KEPT
    assert hidden([(b"[[], 0]", b"0")]).kind is Kind.KEPT


def test_a_version_of_a_benchmark_problem_at_its_own_judge_is_another_problem() -> None:
    benchmark = items(function("leetcode:toy-i", story(1), title="Toy I", samples=[FUNCTION_SAMPLE]))
    version = function("leetcode:2", story(2), title="Toy II", samples=[FUNCTION_SAMPLE])
    assert decision(run(frame(version), benchmark)[0], "leetcode:2").kind is Kind.KEPT


@pytest.mark.parametrize(
    ("day", "basis", "inside"),
    [
        (dt.date(2024, 3, 1), "contest", True),
        (dt.date(2024, 3, 1), "inferred", False),
        (dt.date(2024, 3, 1), None, False),
        (dt.date(2023, 1, 1), "contest", False),
    ],
)
def test_a_contest_in_the_benchmarks_window_decides_only_where_the_settings_say_so(
    day: dt.date, basis: str | None, inside: bool
) -> None:
    dates = [dt.date(2024, 1, 1), dt.date(2024, 6, 1)]
    benchmark = items(row("atcoder:a", story(1)), row("atcoder:b", story(2))).with_columns(published=pl.Series(dates))
    problems = frame(row("atcoder:c", story(3), published=day, published_basis=basis))
    result, report = run(problems, benchmark)
    assert kept(result) == ["atcoder:c"]
    assert (report.window, report.window_kept) == (inside, inside)
    strict, report = find_unique(problems, benchmark, DEDUP, DecontaminationSettings(contest_window="drop"))
    assert kept(strict) == ([] if inside else ["atcoder:c"])
    assert report.window_kept == 0 and report.ladder["benchmark_window"] == inside
    elsewhere = frame(row("kattis:c", story(3), published=day, published_basis=basis))
    assert run(elsewhere, benchmark)[1].window == 0


def test_the_papers_figure_stands_beside_the_ladder() -> None:
    item = story(1, 200)
    leaked = story(2, 150) + " " + " ".join(item.split()[:60])
    _, report = run(frame(row("mirror:1", leaked), row("mirror:2", story(3))), items(row("lcb:x", item)))
    assert (report.paper, report.paper_kept) == (1, 0)
    less = story(2, 400) + " " + " ".join(item.split()[:60])
    assert run(frame(row("mirror:1", less)), items(row("lcb:x", item)))[1].paper == 0


def test_benchmark_by_containment_of_a_copied_passage() -> None:
    item = story(1, 200)
    leaked = story(2, 150) + " " + " ".join(item.split()[:60])
    result, report = run(frame(row("mirror:1", leaked), row("mirror:2", story(3))), items(row("lcb:x", item)))
    dropped = decision(result, "mirror:1")
    assert (dropped.reason, dropped.rule) == ("benchmark_ngrams", "8gram_containment")
    assert dropped.score == pytest.approx(53 / 203, abs=1e-3)
    assert decision(result, "mirror:2").kind is Kind.KEPT
    assert result.frame.row(0, named=True)["benchmark_overlap"] == 0.0
    assert report.ladder == {"benchmark_ngrams": 1} and report.strict == 1 and report.strict_kept == 0


def test_benchmark_by_text_where_words_are_replaced_evenly() -> None:
    item = story(1, 300)
    leaked = " ".join("new" if n % 14 == 13 else word for n, word in enumerate(item.split()))
    settings_without_grams = DecontaminationSettings(ngram=30)
    result, _ = find_unique(frame(row("mirror:1", leaked)), items(row("lcb:x", item)), DEDUP, settings_without_grams)
    assert decision(result, "mirror:1").reason == "benchmark_text"


def test_phrases_of_a_judge_are_no_overlap() -> None:
    phrase = "the first line contains one integer t the number of test cases then the description of them follows"
    rows = [row(f"codeforces:{n}A", f"{story(n)} {phrase}") for n in range(1, 6)]
    result, report = run(frame(*rows), items(row("lcb:x", f"{story(50)} {phrase}")))
    assert len(kept(result)) == 5
    assert report.strict == report.strict_kept == 5
    two_items = items(row("lcb:x", f"{story(50)} {phrase}"), row("lcb:y", f"{story(51)} {phrase}"))
    assert len(kept(run(frame(rows[0]), two_items)[0])) == 1


def test_one_accidental_gram_of_a_short_statement_drops_nothing() -> None:
    gram = "print one integer the answer to the problem"
    result, _ = run(frame(row("mirror:1", f"sum {gram}")), items(row("lcb:x", f"{story(1)} {gram}")))
    assert kept(result) == ["mirror:1"]
    assert 0 < result.frame["benchmark_overlap"][0] < DECONTAMINATION.max_containment
    assert result.frame["benchmark_nearest"][0] == "lcb:x"


def test_copies_do_not_make_a_benchmark_text_boilerplate() -> None:
    item = story(1)
    rows = [row(f"judge{n}:p", item, title=f"Copy {'abcdef'[n]}") for n in range(6)]
    result, _ = run(frame(*rows), items(row("lcb:x", item)))
    assert kept(result) == []


def test_report_holds_a_line_for_every_item() -> None:
    item = story(1, 200)
    benchmark = items(row("lcb:a", item), row("lcb:b", story(60)))
    _, report = run(frame(row("mirror:1", item)), benchmark)
    assert report.items["benchmark_id"].to_list() == ["lcb:a", "lcb:b"]
    assert report.items.row(0)[1:] == ("mirror:1", "benchmark_ngrams", 1.0, 1.0)
    assert report.items.row(1)[1:] == (None, None, 0.0, 0.0)
    assert dict(report.summary().iter_rows())["dropped: benchmark_ngrams"] == 1


def test_the_check_finds_benchmark_problems_and_nothing_in_what_the_stage_kept() -> None:
    item = story(1)
    benchmark = items(row("lcb:x", item, samples=[SAMPLE_A]))
    copy = row("loj:1", story(2), samples=[SAMPLE_A], title="Title of x")
    rows = [row("mirror:1", item), copy, row("atcoder:a", story(3))]
    found = find_overlap(frame(*rows), benchmark, DECONTAMINATION)
    assert found["problem_id"].to_list() == ["loj:1", "mirror:1"]
    assert found["rule"].to_list() == ["sample_fingerprint", "8gram_raw_containment"]
    result, _ = run(frame(*rows), benchmark)
    assert find_overlap(result.frame, benchmark, DECONTAMINATION).is_empty()
    assert find_overlap(frame(*rows), items(), DECONTAMINATION).is_empty()
