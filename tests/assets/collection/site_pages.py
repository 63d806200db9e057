"""Pages in the structure of Codeforces, AtCoder and LeetCode, written by hand: no real ones were to be had."""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Sequence
from typing import Any

from replay import JSON, Reply

from microcoder_assets.collection.web.leetcode import CONTESTS, QUESTION, QUESTIONS

CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Enable JavaScript</body></html>"


def codeforces_page(
    title: str = "Lamp Posts",
    tutorial: str = "",
    number: int = 3,
    note: str = "One lamp.",
    seconds: str = "1.5 seconds",
    megabytes: int = 256,
    samples: Sequence[tuple[str, str]] = (("3\n1 < 2\n", "3\n4\n"),),
    blocks: bool = True,
) -> Reply:
    """blocks: input samples with a `div` a line, as they are today; else with `br`, as output samples still are."""
    side = f'<li><a href="/blog/entry/{tutorial}?lang=en">Tutorial (en)</a></li>' if tutorial else ""
    shown = "".join(
        f"""<div class="input"><div class="title">Input</div><pre>{_lines(given, blocks)}</pre></div>
<div class="output"><div class="title">Output</div><pre>
{_lines(expected, False)}
</pre></div>"""
        for given, expected in samples
    )
    return Reply(
        f"""<!DOCTYPE html><html lang="en"><head><title>Problem - A - Codeforces</title></head><body>
<div id="header"><a href="/enter?back=%2F">Enter</a></div>
<div class="problemindexholder"><div class="ttypography"><div class="problem-statement"><div class="header">
<div class="title">A. {title}</div>
<div class="time-limit"><div class="property-title">time limit per test</div>{seconds}</div>
<div class="memory-limit"><div class="property-title">memory limit per test</div>{megabytes} megabytes</div>
<div class="input-file input-standard"><div class="property-title">input</div>standard input</div>
<div class="output-file output-standard"><div class="property-title">output</div>standard output</div></div>
<div><p>There are $$$n$$$ lamps with $$$1 \\le n &lt; {number}$$$. $$$$$$\\sum a_i$$$$$$ Light them.</p></div>
<div class="input-specification"><div class="section-title">Input</div><p>The number $$$n$$$.</p></div>
<div class="output-specification"><div class="section-title">Output</div><p>Print the number of lit lamps.</p></div>
<div class="sample-tests"><div class="section-title">Example</div><div class="sample-test">
{shown}</div></div>
<div class="note"><div class="section-title">Note</div><p>{note}</p></div></div></div></div>
<div id="sidebar"><ul>{side}<li><a href="/blog/entry/7">Announcement (en)</a></li></ul></div>
<div class="csrf-token" data-csrf="{secrets.token_hex(8)}"></div></body></html>""".encode()
    )


def _lines(text: str, blocks: bool) -> str:
    lines = [html.escape(line).replace("'", "&#39;") or "&nbsp;" for line in text.splitlines()]
    if not blocks:
        return "<br />".join(lines)
    name = "test-example-line test-example-line-even test-example-line-"
    return "".join(f'<div class="{name}{n}">{line}</div>' for n, line in enumerate(lines))


def contest_list(contests: dict[int, int], running: int | None = None) -> Reply:
    """contests: start by id, as `contest.list` gives them."""
    rows = [
        {"id": i, "name": f"Round {i}", "type": "CF", "phase": "FINISHED", "startTimeSeconds": start}
        for i, start in contests.items()
    ]
    if running:
        rows.append({"id": running, "name": "Now", "type": "CF", "phase": "CODING", "startTimeSeconds": 1})
    return Reply(json.dumps({"status": "OK", "result": rows}).encode(), type=JSON)


def problemset(problems: list[dict[str, Any]]) -> Reply:
    body = {"status": "OK", "result": {"problems": problems, "problemStatistics": []}}
    return Reply(json.dumps(body).encode(), type=JSON)


def listed(contest: int, index: str, **more: Any) -> dict[str, Any]:
    return {
        "contestId": contest,
        "index": index,
        "name": f"Lamp {index}",
        "type": "PROGRAMMING",
        "tags": ["dp"],
        **more,
    }


def atcoder_page(languages: tuple[str, ...] = ("ja", "en")) -> Reply:
    words = {
        "en": ("Problem Statement", "Constraints", "Input", "Output", "Sample Input 1", "Sample Output 1"),
        "ja": ("問題文", "制約", "入力", "出力", "入力例 1", "出力例 1"),
    }
    parts = []
    for language in languages:
        statement, limits, given, wanted, sample, answer = words[language]
        parts.append(
            f"""<span class="lang-{language}"><p>Score : <var>100</var> points</p>
<div class="part"><section><h3>{statement}</h3>
<p>Add <var>A</var> and <var>B_{{i}}</var> ({language}).</p></section></div>
<div class="part"><section><h3>{limits}</h3><ul><li><var>1 \\leq A &lt; 9</var></li></ul></section></div><hr />
<div class="io-style"><div class="part"><section><h3>{given}</h3><pre><var>A</var> <var>B</var></pre></section></div>
<div class="part"><section><h3>{wanted}</h3><p>Print the sum.</p></section></div></div><hr />
<div class="part"><section><h3>{sample}</h3><pre>1 2\r\n</pre></section></div>
<div class="part"><section><h3>{answer}</h3><pre>3\r\n</pre><p><var>1+2=3</var>.</p></section></div></span>"""
        )
    return Reply(
        f"""<!DOCTYPE html><html><head><title>A - Sum</title></head><body>
<span class="h2">A - Sum<a class="btn" href="/contests/abc399/tasks/abc399_a/editorial">Editorial</a></span>
<p>\n\tTime Limit: 2 sec / Memory Limit: 1024 MiB\n</p>
<div id="task-statement"><span class="lang">{"".join(parts)}</span></div></body></html>""".encode()
    )


def graphql(query: str, **variables: str) -> str:
    """The key of a query at `/graphql`."""
    return "/graphql " + json.dumps({"query": query, "variables": variables}, sort_keys=True)


def data(**fields: Any) -> Reply:
    return Reply(json.dumps({"data": fields}).encode(), type=JSON, etag=False)


def question(slug: str = "count-lamps", **more: Any) -> dict[str, Any]:
    return {
        "questionFrontendId": "4100",
        "title": "Count Lamps",
        "titleSlug": slug,
        "content": "<p>Given <code>lamps</code>, return how many are lit.</p><p><strong>Example 1:</strong></p><pre>"
        "<strong>Input:</strong> lamps = [1,0]\n<strong>Output:</strong> 1\n</pre>",
        "isPaidOnly": False,
        "difficulty": "Easy",
        "topicTags": [{"name": "Array"}],
        "codeSnippets": [
            {"langSlug": "cpp", "code": "class Solution {};"},
            {
                "langSlug": "python3",
                "code": "class Solution:\n    def countLamps(self, lamps: List[int]) -> int:\n        ",
            },
        ],
        **more,
    }


def leetcode(start: int) -> dict[str, Reply]:
    """One weekly contest of one question."""
    contest = {"title": "Weekly Contest 480", "titleSlug": "weekly-contest-480", "startTime": start, "duration": 5400}
    row = {"questionId": "4500", "title": "Count Lamps", "titleSlug": "count-lamps", "credit": 3}
    return {
        graphql(CONTESTS): data(allContests=[contest]),
        graphql(QUESTIONS, contestSlug="weekly-contest-480"): data(contestQuestionList=[row]),
        graphql(QUESTION, titleSlug="count-lamps"): data(question=question()),
    }
