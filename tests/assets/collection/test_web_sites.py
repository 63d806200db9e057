"""Each site's parser: on pages that sites served where there are any, else on pages written by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import JSON, Reply
from site_pages import atcoder_page, codeforces_page, contest_list, data, listed, problemset, question

from microcoder_assets.collection.records import NATIVE_ID, Sample, ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.collection.web import atcoder, codeforces, leetcode
from microcoder_assets.collection.web.errors import NotServed, SourceChanged, WebError
from microcoder_assets.collection.web.exchange import Answer, Request
from microcoder_assets.collection.web.live import Contest, LiveProblem
from microcoder_assets.config import CollectionSettings
from microcoder_assets.processing.normalize import NormalizedProblem, normalize_row
from microcoder_assets.store import Blobs

DAY = dt.date(2026, 4, 2)
PAGE = "https://codeforces.com/problemset/problem/2214/A"


def answer(reply: Reply, url: str) -> Answer:
    return Answer(url, 200, {"content-type": reply.type}, reply.body)


def problem(key: str, url: str) -> LiveProblem:
    return LiveProblem(key, "Lamp Posts", Contest("2214", "Round", DAY), Request(url), url, ("dp",), (("x", 1500.0),))


def read_codeforces(reply: Reply, tags: tuple[str, ...] = ("dp",)) -> ScrapedProblem:
    found = codeforces.parse_problem(answer(reply, PAGE), dataclasses.replace(problem("2214A", PAGE), tags=tags))
    assert isinstance(found, ScrapedProblem)
    return found


def read_atcoder(reply: Reply) -> ScrapedProblem:
    url = "https://atcoder.jp/contests/abc399/tasks/abc399_a"
    return atcoder.parse_problem(answer(reply, f"{url}?lang=en"), problem("abc399_a", f"{url}?lang=en"))


def read_leetcode(reply: Reply) -> ScrapedProblem | UnreadableRecord:
    listed = problem("count-lamps", "https://leetcode.com/problems/count-lamps")
    return leetcode.parse_question(answer(reply, "https://leetcode.com/graphql"), listed)


def normalized(found: ScrapedProblem, tmp_path: Path) -> dict[str, object]:
    """The row that processing makes of it."""
    blobs = Blobs(tmp_path)
    (row,) = scrape([found], blobs, CollectionSettings(), "web").frame.to_dicts()
    shas = {test[part] for test in row["tests"] for part in ("input_sha", "expected_sha")}
    outcome = normalize_row(row, blobs.get_many(shas))
    assert isinstance(outcome, NormalizedProblem), outcome
    return outcome.row


def test_codeforces_page(tmp_path: Path) -> None:
    found = read_codeforces(codeforces_page(tutorial="120001"))
    assert (found.problem_id, found.time_limit_s, found.memory_limit_mb) == ("codeforces:2214A", 1.5, 256)
    assert (found.published, found.published_basis, found.contest) == (DAY, "contest", "2214")
    assert found.samples == (Sample("3\n1 < 2\n", "3\n4\n"),)
    assert [(t.name, t.input, t.expected) for t in found.tests] == [("sample-1", b"3\n1 < 2\n", b"3\n4\n")]
    assert (found.checker, found.flags) == (None, ())
    assert found.editorial_url == "https://codeforces.com/blog/entry/120001"
    row = normalized(found, tmp_path)
    assert row["description"] == "There are $n$ lamps with $1 \\le n < 3$. $$\\sum a_i$$ Light them."
    assert (row["input_spec"], row["output_spec"]) == ("The number $n$.", "Print the number of lit lamps.")
    assert row["notes"] == "One lamp."


def test_codeforces_page_is_the_same_record_whatever_token_it_carries() -> None:
    pages = [codeforces_page(), codeforces_page()]
    assert pages[0].body != pages[1].body
    assert read_codeforces(pages[0]) == read_codeforces(pages[1])
    assert read_codeforces(codeforces_page(note="Two.")).record_sha != read_codeforces(pages[0]).record_sha


def test_codeforces_interactive_and_several_answers(tmp_path: Path) -> None:
    assert read_codeforces(codeforces_page(), tags=("interactive",)).flags == ("interactive",)
    several = read_codeforces(codeforces_page(note="If there are several answers, print any of them."))
    row = normalized(several, tmp_path)
    assert (row["flags"], row["checker"]) == (["multi_answer"], None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'class="problem-statement"', b'class="statement-v2"'),
        (b"1.5 seconds", b"soon"),
        (b'class="memory-limit"', b'class="limit"'),
        (b"<pre>", b"<div>"),
        (b'class="header"', b'class="top"'),
    ],
)
def test_a_codeforces_page_of_another_shape_is_a_changed_source(before: bytes, after: bytes) -> None:
    body = codeforces_page().body
    assert before in body
    with pytest.raises(SourceChanged):
        read_codeforces(Reply(body.replace(before, after)))


def test_codeforces_pdf_and_gone() -> None:
    listed = problem("2214A", PAGE)
    link = Reply(b'<html><body><a href="/contest/2214/attachments/download/1/x.pdf">Statement</a></body></html>')
    found = codeforces.parse_problem(answer(link, PAGE), listed)
    assert isinstance(found, UnreadableRecord) and found.detail == "the statement is a PDF"
    with pytest.raises(NotServed, match="leads to"):
        codeforces.parse_problem(answer(codeforces_page(), "https://codeforces.com/problemset"), listed)


EXPECTED = ["normal", "interactive", "highlighted-input", "html-entities-1", "html-entities-2", "nbsp",
            "file-input-output", "cursive-input-output"]  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("blocks", [True, False])
@pytest.mark.parametrize("name", EXPECTED)
def test_samples_and_limits_of_real_codeforces_problems(data_dir: Path, name: str, blocks: bool) -> None:
    """Their values as competitive-companion's tests hold them, in pages written by hand."""
    with tarfile.open(data_dir / "raw-responses" / "competitive-companion-tests.tar.gz") as tests:
        member = tests.extractfile(f"codeforces/problem/{name}.json")
        assert member is not None
        expected = json.load(member)["result"]
    samples = [(test["input"], test["output"]) for test in expected["tests"]]
    seconds = f"{expected['timeLimit'] / 1000:g} second" + "s" * (expected["timeLimit"] != 1000)
    page = codeforces_page(samples=samples, seconds=seconds, megabytes=expected["memoryLimit"], blocks=blocks)
    found = read_codeforces(page)
    assert [(sample.input, sample.output) for sample in found.samples] == samples
    assert found.time_limit_s == expected["timeLimit"] / 1000
    assert found.memory_limit_mb == expected["memoryLimit"]


def test_a_special_round_may_show_no_sample() -> None:
    bare = codeforces_page(samples=())
    assert read_codeforces(bare, tags=("*special",)).tests == ()
    with pytest.raises(SourceChanged, match="no sample"):
        read_codeforces(bare)


PAGES = {
    "codeforces": (codeforces_page().body, read_codeforces),
    "atcoder": (atcoder_page().body, read_atcoder),
    "leetcode": (data(question=question()).body, read_leetcode),
}


@pytest.mark.parametrize("site", PAGES)
@settings(max_examples=60, deadline=None)
@given(draw=st.data())
def test_a_damaged_page_is_a_whole_problem_or_a_change_never_an_empty_one(site: str, draw: st.DataObject) -> None:
    body, read = PAGES[site]
    start = draw.draw(st.integers(0, len(body)))
    end = draw.draw(st.integers(start, min(len(body), start + 400)))
    damaged = body[:start] + draw.draw(st.binary(max_size=20)) + body[end:]
    try:
        found = read(Reply(damaged))
    except WebError:
        return
    if isinstance(found, ScrapedProblem):
        assert found.statement.strip() and found.title
        assert found.samples or site == "leetcode" or "interactive" in found.flags


@pytest.mark.data
def test_the_real_codeforces_lists(data_dir: Path) -> None:
    dumps = sorted((data_dir / "codeforces-api").glob("*.json.gz"))
    for dump, count in zip(dumps, (7579, 11116), strict=True):
        reply = Reply(gzip.decompress(dump.read_bytes()), type=JSON)
        rows = codeforces.parse_problemset(answer(reply, "https://codeforces.com/api/problemset.problems"))
        names = {f"{row.contest}{row.index}" for row in rows}
        assert len(names) == count
        assert all(map(NATIVE_ID.fullmatch, names))


@pytest.mark.parametrize(
    "body",
    [b'{"status":"OK","result":{"problems":[]}}', b'{"status":"FAILED"}', b"[]", b"<html></html>",
     problemset([{"contestId": 1, "index": "A", "name": None, "tags": []}]).body],
)  # fmt: skip
def test_a_codeforces_list_of_another_shape_is_a_changed_source(body: bytes) -> None:
    for parse in (codeforces.parse_problemset, codeforces.parse_contests):
        with pytest.raises(SourceChanged):
            parse(answer(Reply(body, type=JSON), "https://codeforces.com/api"))


def test_codeforces_contests_that_run_are_not_listed() -> None:
    found = codeforces.parse_contests(answer(contest_list({7: 1775000000}, running=8), "u"))
    assert found == {"7": Contest("7", "Round 7", dt.date(2026, 3, 31))}
    assert codeforces.parse_problemset(answer(problemset([listed(7, "A"), {"problemsetName": "acmsguru"}]), "u"))


def test_atcoder_page(tmp_path: Path) -> None:
    found = read_atcoder(atcoder_page())
    assert (found.problem_id, found.time_limit_s, found.memory_limit_mb) == ("atcoder:abc399_a", 2.0, 1024)
    assert (found.statement_language, found.published_basis, found.checker) == ("en", "contest", None)
    assert found.samples == (Sample("1 2\n", "3\n", "$1+2=3$."),)
    row = normalized(found, tmp_path)
    assert "Add $A$ and $B_{i}$ (en)." in str(row["description"])
    assert (row["output_spec"], row["constraints"]) == ("Print the sum.", "- $1 \\leq A < 9$")
    assert "ja" not in str(row["statement"])


def test_atcoder_scores_heuristic_contests() -> None:
    url = "https://atcoder.jp/contests/ahc060/tasks/ahc060_a"
    heuristic = dataclasses.replace(problem("ahc060_a", url), contest=Contest("ahc060", "AHC 60", DAY))
    body = atcoder_page(("en",)).body.partition(b'<div class="part"><section><h3>Sample Input 1')[0]
    found = atcoder.parse_problem(answer(Reply(body), url), heuristic)
    assert (found.flags, found.checker, found.tests) == (("scoring",), None, ())
    with pytest.raises(SourceChanged, match="no sample"):
        read_atcoder(Reply(body))


def test_atcoder_page_in_japanese_only() -> None:
    found = read_atcoder(atcoder_page(languages=("ja",)))
    assert (found.statement_language, found.samples[0].output) == ("ja", "3\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'id="task-statement"', b'id="statement"'),
        (b"Time Limit: 2 sec", b"Limit: 2 sec"),
        (b"1024 MiB", b"unlimited"),
        (b"Sample Output", b"Result"),
    ],
)
def test_an_atcoder_page_of_another_shape_is_a_changed_source(before: bytes, after: bytes) -> None:
    body = atcoder_page(("en",)).body
    assert before in body
    with pytest.raises(SourceChanged):
        read_atcoder(Reply(body.replace(before, after)))


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "contest", "first", "count"),
    [
        ("tasks.html", "abc399", ("abc399_a", "Hamming Distance"), 7),
        ("tasks_abc308.html", "abc308", ("abc308_a", "New Scheme"), 8),
        ("tasks_codequeen2023.html", "codequeen2023-final-open", ("codequeen2023_final_a", "QUEN"), 6),
    ],
)
def test_the_real_atcoder_task_lists(
    data_dir: Path, file: str, contest: str, first: tuple[str, str], count: int
) -> None:
    reply = Reply((data_dir / "raw-responses" / "atcoder" / file).read_bytes())
    tasks = atcoder.parse_tasks(answer(reply, f"https://atcoder.jp/contests/{contest}/tasks?lang=en"))
    assert (min(tasks.items()), len(tasks)) == (first, count)


@pytest.mark.data
@pytest.mark.parametrize("file", ["contests_archive.html", "contests_permanent.html", "submissions.html"])
def test_another_real_atcoder_page_is_no_task_list(data_dir: Path, file: str) -> None:
    reply = Reply((data_dir / "raw-responses" / "atcoder" / file).read_bytes())
    with pytest.raises(SourceChanged):
        atcoder.parse_tasks(answer(reply, "https://atcoder.jp/contests/abc399/tasks"))


@pytest.mark.data
def test_the_real_atcoder_difficulties(data_dir: Path) -> None:
    body = gzip.decompress((data_dir / "atcoder-kenkoooo" / "problem-models.json.gz").read_bytes())
    found = atcoder.parse_difficulties(answer(Reply(body, type=JSON), "u"))
    rated = [model for model in json.loads(body).values() if model.get("difficulty") is not None]
    assert (found["abc138_a"], len(found)) == (-848.0, len(rated))


def test_leetcode_question(tmp_path: Path) -> None:
    found = read_leetcode(data(question=question()))
    assert isinstance(found, ScrapedProblem)
    assert (found.problem_id, found.title, found.difficulty_label) == ("leetcode:4100", "Count Lamps", "easy")
    assert (found.io_mode, found.entry_point, found.checker) == ("function", "countLamps", None)
    assert (found.published, found.published_basis, found.flags) == (DAY, "contest", ())
    assert normalized(found, tmp_path)["samples"] == [{"input": "lamps = [1,0]", "output": "1", "explanation": None}]


def test_leetcode_premium_missing_and_changed() -> None:
    found = read_leetcode(data(question=question(content=None, isPaidOnly=True)))
    assert isinstance(found, UnreadableRecord) and found.reason == "blocked"
    with pytest.raises(NotServed):
        read_leetcode(data(question=None))
    with pytest.raises(SourceChanged, match="refuses the query: Cannot query field"):
        read_leetcode(Reply(b'{"errors":[{"message":"Cannot query field content"}],"data":null}', type=JSON))
    for changed in (question(content=None), question(content="<p></p>"), {"titleSlug": "count-lamps"}):
        with pytest.raises(SourceChanged):
            read_leetcode(data(question=changed))


@pytest.mark.data
@pytest.mark.parametrize("file", ["find-the-difference.json.20171216", "problems.json.20160911"])
def test_what_leetcode_served_before_its_present_form_is_a_changed_source(data_dir: Path, file: str) -> None:
    body = (data_dir / "raw-responses" / "leetcode" / file).read_bytes()
    with pytest.raises(SourceChanged):
        read_leetcode(Reply(body, type=JSON))
