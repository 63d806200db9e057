"""`find_unique` on small frames: every rule, what must stay apart, and that order never matters."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing.decontaminate import OverlapReport, find_overlap
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.schema import NORMALIZED, SAMPLE, UNIQUE
from microcoder_assets.stage import Decision, Kind, StageResult

DEDUP, DECONTAMINATION = DedupSettings(), DecontaminationSettings()
BENCHMARK_SCHEMA = {
    **dict.fromkeys(("problem_id", "platform", "native_id", "title", "url", "statement", "io_mode"), pl.String),
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


def test_a_duplicate_in_another_language_is_found_by_its_samples() -> None:
    chinese = row("loj:7", "给定一个长度为的序列求区间和" * 10, statement_language="zh", samples=[SAMPLE_A])
    result = unique(row("codeforces:1A", story(1), samples=[SAMPLE_A]), chinese)
    merged = decision(result, "loj:7")
    assert (merged.kind, merged.reason, merged.rule) == (Kind.MERGED, "duplicate_samples", "sample_fingerprint")
    assert merged.detail["of"] == "codeforces:1A" and merged.detail["sample_tokens"] == 13


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


def test_a_stock_example_under_many_titles_is_no_evidence() -> None:
    rows = [row(f"judge{n}:p", story(n), title=f"Story {'abcdefgh'[n]}", samples=[SAMPLE_A]) for n in range(8)]
    assert len(kept(unique(*rows))) == 8
    assert len(kept(unique(*rows[:3]))) == 1


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
        self.written += values


def test_a_second_run_writes_only_signatures_of_new_content() -> None:
    cache, text = Cache(), story(1)
    rows = [row("codeforces:1A", text), row("mirror:1", reworded(text, 0.05))]
    first, _ = find_unique(frame(*rows), items(), DEDUP, DECONTAMINATION, cache)
    assert len(cache.written) == 2
    again, _ = find_unique(frame(*rows, row("atcoder:a", story(2))), items(), DEDUP, DECONTAMINATION, cache)
    assert len(cache.written) == 3 and cache.written[2].endswith("sha-atcoder:a")
    assert kept(again) == ["atcoder:a", *kept(first)]
    find_unique(frame(*rows), items(), DedupSettings(seed=7), DECONTAMINATION, cache)
    assert len(cache.written) == 5


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
    benchmark = items(row("lcb:x", story(1), samples=[SAMPLE_A]))
    result, _ = run(frame(row("loj:1", story(2), statement_language="zh", samples=[SAMPLE_A])), benchmark)
    assert decision(result, "loj:1").reason == "benchmark_samples"


def test_benchmark_by_the_arguments_of_a_reworded_function() -> None:
    benchmark = items(row("lcb:x", story(1), samples=[FUNCTION_SAMPLE], io_mode="function"))
    result, _ = run(frame(row("leetcode:1", story(2), samples=[FUNCTION_SAMPLE], io_mode="function")), benchmark)
    assert decision(result, "leetcode:1").reason == "benchmark_samples"


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
    rows = [row("mirror:1", item), row("loj:1", story(2), samples=[SAMPLE_A]), row("atcoder:a", story(3))]
    found = find_overlap(frame(*rows), benchmark, DECONTAMINATION)
    assert found["problem_id"].to_list() == ["loj:1", "mirror:1"]
    assert found["rule"].to_list() == ["sample_fingerprint", "8gram_raw_containment"]
    result, _ = run(frame(*rows), benchmark)
    assert find_overlap(result.frame, benchmark, DECONTAMINATION).is_empty()
    assert find_overlap(frame(*rows), items(), DECONTAMINATION).is_empty()
