"""LeetCode: contests, their questions and each question through its GraphQL endpoint."""

from __future__ import annotations

import json
from typing import Any

from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.signature import Signature
from microcoder_assets.collection.web.errors import NotServed, SourceChanged
from microcoder_assets.collection.web.exchange import Answer, Reader, Request
from microcoder_assets.collection.web.html import sha_of
from microcoder_assets.collection.web.live import Contest, LiveProblem, Window, day_of, known_shape
from microcoder_assets.collection.wording import plain
from microcoder_assets.config import LeetCodeSite

SITE = "https://leetcode.com"
"""How rows name problems, wherever they were fetched from."""

CONTESTS = "query { allContests { title titleSlug startTime duration } }"
QUESTIONS = (
    "query contestQuestionList($contestSlug: String!) {"
    " contestQuestionList(contestSlug: $contestSlug) { questionId title titleSlug credit } }"
)
QUESTION = (
    "query question($titleSlug: String!) { question(titleSlug: $titleSlug) {"
    " questionFrontendId title titleSlug content isPaidOnly difficulty"
    " topicTags { name } codeSnippets { langSlug code } } }"
)


class LeetCode:
    """A LiveSource."""

    platform = "leetcode"

    def __init__(self, settings: LeetCodeSite, reader: Reader) -> None:
        self._settings = settings
        self._reader = reader

    def contests(self, window: Window) -> list[Contest]:
        listed = self._reader.read(self._query(CONTESTS), parse_contests)
        return sorted((contest for contest in listed if contest.day in window), key=lambda c: (c.day, c.id))

    def problems(self, contest: Contest) -> list[LiveProblem]:
        questions = self._reader.read(self._query(QUESTIONS, contestSlug=contest.id), parse_questions)
        return [self._listed(slug, title, contest) for slug, title in sorted(questions.items())]

    def fetch(self, problem: LiveProblem) -> ScrapedProblem | UnreadableRecord:
        return self._reader.read(problem.request, lambda answer: parse_question(answer, problem))

    def _listed(self, slug: str, title: str, contest: Contest) -> LiveProblem:
        request = self._query(QUESTION, titleSlug=slug)
        return LiveProblem(slug, title, contest, request, f"{SITE}/problems/{slug}")

    def _query(self, query: str, **variables: str) -> Request:
        return Request(self._settings.graphql, json.dumps({"query": query, "variables": variables}, sort_keys=True))


def parse_contests(answer: Answer) -> list[Contest]:
    with known_shape(answer.url):
        found = [
            Contest(row["titleSlug"], row["title"], day_of(row["startTime"]))
            for row in _data(answer, "allContests")
            if row["titleSlug"]
        ]
    if not found:
        raise SourceChanged(f"{answer.url} lists no contests")
    return found


def parse_questions(answer: Answer) -> dict[str, str]:
    """Title by slug. A contest that is not over lists no questions."""
    with known_shape(answer.url):
        return {row["titleSlug"]: row["title"] for row in _data(answer, "contestQuestionList") or ()}


def parse_question(answer: Answer, listed: LiveProblem) -> ScrapedProblem | UnreadableRecord:
    """One question. Its samples stay in the HTML; there are no tests. Without a subscription, a premium question has
    no statement, and is blocked.

    io_mode is `function` when the Python starter is a `class Solution` with one public method over JSON values; else
    None, with flags that say why (those of Signature, no_python, premium).
    """
    with known_shape(answer.url):
        question = _data(answer, "question")
        if question is None:
            raise NotServed(f"{listed.url} is not there any more")
        if question["content"] is None:
            if question["isPaidOnly"]:
                return UnreadableRecord("leetcode", listed.key, "blocked", "the question is for subscribers")
            raise SourceChanged(f"{listed.url} has no content")
        return _problem(question, listed)


def _problem(question: dict[str, Any], listed: LiveProblem) -> ScrapedProblem:
    starter = next((s["code"] for s in question["codeSnippets"] or () if s["langSlug"] == "python3"), None)
    signature = Signature.of_starter(starter) if starter else None
    callable_ = signature is not None and not signature.flags
    flags = set(signature.flags) if signature else {"design_class" if starter else "no_python"}
    if question["isPaidOnly"]:
        flags.add("premium")
    if not plain(question["content"]):
        raise ValueError("the content is empty")
    return ScrapedProblem(
        platform="leetcode",
        native_id=question["questionFrontendId"],
        title=question["title"].strip(),
        statement=question["content"],
        statement_format="html",
        statement_language="en",
        source_ref=listed.url,
        record_sha=sha_of(listed.facts, question),
        url=listed.url,
        contest=listed.contest.id,
        published=listed.contest.day,
        published_basis="contest",
        io_mode="function" if callable_ else None,
        entry_point=signature.name if signature and callable_ else None,
        starter_code=signature.starter_code if signature and callable_ else None,
        tags=tuple(tag["name"] for tag in question["topicTags"]),
        difficulty_label=question["difficulty"].lower(),
        flags=tuple(sorted(flags)),
    )


def _data(answer: Answer, name: str) -> Any:
    """One field of a GraphQL answer. Raises SourceChanged with what the server says of the query."""
    said = answer.json()
    if errors := said.get("errors"):
        raise SourceChanged(f"{answer.url} refuses the query: {errors[0]['message'][:200]}")
    return said["data"][name]
