"""Offline batches: files as vLLM and OpenAI read them, a provider's API on loopback, and what comes back wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from batch_server import BatchServer, batch_serving
from chat_server import COMPLETION_TOKENS, PROMPT_TOKENS, completion

from microcoder_assets.config import ScoringSettings
from microcoder_assets.errors import UserError
from microcoder_assets.filtering.llm_scorer import LLMScorer, llm_scorer
from microcoder_assets.filtering.rubric import Rubric
from microcoder_assets.filtering.score import score_problems
from microcoder_assets.llm.batch import BatchFolder, Line
from microcoder_assets.schema import DIMENSIONS
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Packs

GOOD = json.dumps(dict.fromkeys(DIMENSIONS, 3))


class Offline:
    """A scorer whose answers come from a folder of batches."""

    def __init__(self, home: Path, rubric: Rubric, problems: pl.DataFrame, **settings: Any) -> None:
        given = {"model": "m", "base_url": "http://127.0.0.1:1/v1", "draws": 2, "offline": True, **settings}
        self._home, self._rubric, self._problems = home, rubric, problems
        self._settings = ScoringSettings(**{"price_per_million_prompt": 1.0, "concurrency": 1, **given})
        self.folder = BatchFolder(home / "batches", max_requests=4)

    def scorer(self) -> LLMScorer:
        return llm_scorer(self._settings, self._rubric, Packs(self._home / "llm"))

    def score(self) -> StageResult:
        return score_problems(self._problems, self.scorer(), self._rubric)

    def write(self) -> list[int]:
        scorer = self.scorer()
        work = lambda: score_problems(self._problems, scorer, self._rubric)  # noqa: E731
        return list(self.folder.write(scorer.client, work).values())

    def read(self, price: float = 0.5) -> list[str]:
        """Outcomes, sorted."""
        return sorted(line.outcome for line in self.lines(price))

    def lines(self, price: float = 0.5) -> list[Line]:
        return self.folder.read(self.scorer().client, price)

    def answer(self, reply: Callable[[dict[str, Any]], str | None]) -> None:
        """What `run_batch` does: every file that waits, a line each; None: no line."""
        for path in self.folder.waiting():
            requests = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            lines = [answered(request, text) for request in requests if (text := reply(request["body"])) is not None]
            path.with_name(path.name.replace("requests", "answers")).write_text("".join(lines), "utf-8")


def answered(request: dict[str, Any], text: str) -> str:
    response = {"status_code": 200, "request_id": "r", "body": json.loads(completion(text)[1])}
    return json.dumps({"id": "b", "custom_id": request["custom_id"], "response": response, "error": None}) + "\n"


@pytest.fixture
def offline(tmp_path: Path, rubric: Rubric, unique_rows: Any) -> Callable[..., Offline]:
    return lambda rows, **settings: Offline(
        tmp_path, rubric, unique_rows(*({"statement": f"s{n}"} for n in range(rows))), **settings
    )


@pytest.fixture
def provider() -> Iterator[BatchServer]:
    with batch_serving(GOOD) as server:
        yield server


def test_a_batch_asks_what_the_scorer_would_ask_and_nothing_twice(offline: Any) -> None:
    batch = offline(5)
    assert batch.write() == [4, 4, 2]
    assert batch.write() == []
    requests = [json.loads(line) for path in batch.folder.requests() for line in path.read_text("utf-8").splitlines()]
    assert len({request["custom_id"] for request in requests}) == 10
    body = requests[0]["body"]
    assert (requests[0]["method"], requests[0]["url"]) == ("POST", "/v1/chat/completions")
    assert (body["model"], body["seed"]) == ("m", 0)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert {result.reason for result in batch.score().decisions} == {"score_failed"}
    batch.answer(lambda body: GOOD)
    assert batch.read() == ["answered"] * 10
    assert batch.read() == ["known"] * 10
    result = batch.score()
    assert result.frame["score"].to_list() == [pytest.approx(3)] * 5
    cost = PROMPT_TOKENS * 0.5 / 1e6
    assert [draw["cost_usd"] for draw in result.frame["draws"][0]] == [pytest.approx(cost)] * 2
    assert batch.write() == []


def test_equal_problems_give_equal_files(offline: Any, tmp_path: Path, rubric: Rubric, unique_rows: Any) -> None:
    first = offline(3)
    second = Offline(tmp_path / "again", rubric, unique_rows(*({"statement": f"s{n}"} for n in range(3))).reverse())
    first.write()
    second.write()
    assert [p.read_bytes() for p in first.folder.requests()] == [p.read_bytes() for p in second.folder.requests()]


def test_malformed_answers_are_repaired_by_a_second_batch_and_then_are_errors(offline: Any) -> None:
    batch = offline(2, draws=1)
    batch.write()
    batch.answer(lambda body: "about 3" if "s0" in body["messages"][1]["content"] else GOOD)
    batch.read()
    assert batch.write() == [1]
    (repair,) = batch.folder.waiting()
    messages = json.loads(repair.read_text("utf-8"))["body"]["messages"]
    assert messages[2]["content"] == "about 3"
    assert "JSON schema" in messages[3]["content"]
    batch.answer(lambda body: "still about 3")
    batch.read()
    assert batch.write() == []
    result = batch.score()
    assert [(d.problem_id, d.reason) for d in result.decisions] == [("site:0", "score_failed"), ("site:1", "scored")]


def test_what_did_not_come_back_is_told_by_row_and_asked_again(offline: Any) -> None:
    batch = offline(4, draws=1)
    batch.write()
    batch.answer(lambda body: GOOD)
    (answers,) = batch.folder.folder.glob("answers-*.jsonl")
    good, failed, strange, _ = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    failed["response"] = {"status_code": 500, "body": {"error": "overloaded"}}
    strange["response"]["body"]["choices"] = []
    stray = {**good, "custom_id": "never asked"}
    lines = [json.dumps(line) for line in (good, good, failed, strange, stray)]
    answers.write_text("\n".join([*lines, "[]", '{"id": "b", "cust']), "utf-8")
    found = batch.lines()
    assert sorted(line.outcome for line in found) == [
        "answered", "failed", "failed", "missing", "stray", "unreadable", "unreadable",
    ]
    assert any("overloaded" in line.detail for line in found if line.key == failed["custom_id"])
    assert batch.write() == [3]


def test_the_budget_bounds_what_is_written(offline: Any) -> None:
    batch = offline(8, draws=1, price_per_million_completion=1000.0, budget_usd=3.3)
    assert sum(batch.write()) == 3
    assert 1024 * 1000.0 / 1e6 * 3 < 3.3
    batch.answer(lambda body: GOOD)
    batch.read()
    assert sum(batch.write()) == 3


def test_a_provider_gets_each_file_once_and_its_answers_are_fetched(offline: Any, provider: BatchServer) -> None:
    batch = offline(5, base_url=provider.url)
    batch.write()
    client = batch.scorer().client
    provider.fail_after_create = 2
    with pytest.raises(UserError, match="nothing is sent twice"):
        batch.folder.submit(client)
    assert len(provider.batches) == 2
    assert len(batch.folder.submit(client)) == 3
    assert len(batch.folder.submit(client)) == 3
    assert len(provider.batches) == 3
    assert {b.status for b in batch.folder.fetch(client).values()} == {"in_progress"}
    assert len(batch.folder.waiting()) == 3
    provider.finish()
    batch.folder.fetch(client)
    assert batch.folder.waiting() == []
    assert batch.read() == ["answered"] * 10
    assert batch.score().frame.height == 5


def test_an_expired_batch_keeps_what_was_answered(offline: Any, provider: BatchServer) -> None:
    batch = offline(2, base_url=provider.url)
    batch.write()
    client = batch.scorer().client
    batch.folder.submit(client)
    provider.finish(status="expired", answered=3)
    batch.folder.fetch(client)
    assert batch.read() == ["answered"] * 3 + ["failed"]
    assert batch.write() == [1]


def test_a_server_without_a_batch_api_is_named_with_the_other_way(offline: Any, provider: BatchServer) -> None:
    batch = offline(1, base_url=provider.url.replace("/v1", "/nothing"))
    batch.write()
    with pytest.raises(UserError, match="run_batch"):
        batch.folder.submit(batch.scorer().client)


def test_prices_of_a_batch_are_those_of_its_tokens(offline: Any) -> None:
    batch = offline(1, draws=1, price_per_million_completion=2.0)
    batch.write()
    batch.answer(lambda body: GOOD)
    batch.read(price=0.25)
    (draw,) = batch.score().frame["draws"][0]
    assert draw["cost_usd"] == pytest.approx((PROMPT_TOKENS + 2 * COMPLETION_TOKENS) * 0.25 / 1e6)
