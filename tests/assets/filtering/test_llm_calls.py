"""The chat client's books: what was answered, what was lost, what a killed process leaves, and its limits."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chat_server import COMPLETION_TOKENS, Reply, Server, completion, serving
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.config import ServerSettings
from microcoder_assets.llm.cache import AnswerCache
from microcoder_assets.llm.client import AnswerError, ChatClient, open_client
from microcoder_assets.llm.journal import LOST, Journal, abandoned, read_journal
from microcoder_assets.store import Packs, ParquetStore
from microcoder_assets.store.catalogue import query
from microcoder_assets.throttle import TokenBucket

CHECKOUT = Path(__file__).resolve().parents[3]
ASKED = [{"role": "user", "content": "?"}]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda request, number: completion("yes")) as server:
        yield server


@pytest.fixture
def client(server: Server, tmp_path: Path) -> Callable[..., ChatClient]:
    def build(**given: Any) -> ChatClient:
        settings = ServerSettings(**{"model": "m", "base_url": server.url, "backoff_s": 0.001, **given})
        packs = ParquetStore(tmp_path).packs("llm")
        return open_client(settings, "scoring", packs, None, temperature=0.0, max_tokens=10)

    return build


def calls(home: Path) -> pl.DataFrame:
    return query(ParquetStore(home), "FROM llm_calls ORDER BY lost, call")


def test_free_text_is_asked_without_a_schema(server: Server, client: Any) -> None:
    asked = client()
    assert asked.ask(ASKED, None, 0).text == "yes"
    assert "response_format" not in server.requests[0]
    assert asked.ask(ASKED, None, 0).text == "yes"
    assert len(server.requests) == 1
    assert asked.key(ASKED, None, 0) != asked.key(ASKED, {}, 0)


def test_a_plain_server_is_sent_what_it_knows(server: Server, client: Any) -> None:
    client(plain_requests=True).ask(ASKED, {"type": "object"}, 0)
    assert server.requests[0].keys() == {"model", "messages", "seed", "temperature", "max_tokens"}


@pytest.mark.parametrize("body", ["{", "<html>", "{}", '{"choices": []}', "null", "[]"])
def test_an_answer_that_cannot_be_read_is_asked_again_and_booked_as_lost(
    server: Server, client: Any, tmp_path: Path, body: str
) -> None:
    server.behave = lambda request, number: (200, body) if number < 3 else completion("yes")
    asked = client(price_per_million_completion=1.0)
    assert asked.ask(ASKED, None, 0).text == "yes"
    asked.cache.flush()
    books = calls(tmp_path)
    assert books["lost"].is_null().to_list() == [False, False, True]
    assert books["cost_usd"].to_list() == [pytest.approx(c / 1e6) for c in (10, 10, COMPLETION_TOKENS)]
    assert asked.budget.spent_usd == pytest.approx((20 + COMPLETION_TOKENS) / 1e6)


@pytest.mark.parametrize(("status", "lost"), [(429, 0), (500, 0), (503, 0), (502, 1), (504, 1)])
def test_a_refusal_costs_nothing_unless_a_proxy_speaks(
    server: Server, client: Any, tmp_path: Path, status: int, lost: int
) -> None:
    server.behave = lambda request, number: (status, "{}") if number == 1 else completion("yes")
    asked = client()
    asked.ask(ASKED, None, 0)
    asked.cache.flush()
    assert calls(tmp_path)["lost"].count() == lost


def test_a_silent_server_is_left_and_may_have_worked(server: Server, client: Any, tmp_path: Path) -> None:
    woken = threading.Event()

    def behave(request: dict[str, Any], number: int) -> Reply:
        if number == 1:
            woken.wait(20)
        return completion("yes")

    server.behave = behave
    asked = client(timeout_s=0.5)
    assert asked.ask(ASKED, None, 0).text == "yes"
    woken.set()
    asked.cache.flush()
    assert calls(tmp_path)["lost"].drop_nulls().to_list() == ["no answer within 0.5 s"]


def test_a_request_that_is_refused_for_what_it_is_is_not_sent_again(server: Server, client: Any) -> None:
    server.behave = lambda request, number: (422, '{"error": {"message": "unknown field"}}')
    with pytest.raises(AnswerError, match="422"):
        client().ask(ASKED, None, 0)
    assert len(server.requests) == 1


def test_every_call_has_a_name_that_the_server_sees(server: Server, client: Any, tmp_path: Path) -> None:
    asked = client()
    asked.ask(ASKED, None, 0)
    asked.cache.flush()
    assert calls(tmp_path)["call"].to_list() == [server.headers[0]["x-client-request-id"]]


KILLED = """
import os, signal, sys
from pathlib import Path
from microcoder_assets.llm.cache import AnswerCache
from microcoder_assets.store import Packs
cache = AnswerCache(Packs(Path(sys.argv[1])))
most = {"text": "", "prompt_tokens": 9, "completion_tokens": 9, "cost_usd": 9.0}
for key in ("answered", "refused", "lost", "in flight"):
    call = cache.sent(key, most)
    if key == "answered":
        cache.answered(call, key, {**most, "text": "yes", "cost_usd": 1.0})
    elif key != "in flight":
        cache.ended(call, key, "why")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_was_answered_and_may_owe_is_taken_over(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert killed.returncode == -signal.SIGKILL
    (journal,) = abandoned(tmp_path)
    left = journal.read_bytes()
    packs = Packs(tmp_path)
    answer = AnswerCache(packs).get("answered")
    assert answer and answer["text"] == "yes"
    assert list(abandoned(tmp_path)) == []
    lost = [json.loads(packs.get([key])[key]) for key in packs.known() if key.startswith(LOST)]
    assert sorted((line["key"], line["lost"]) for line in lost) == [
        ("in flight", "the process was killed"),
        ("lost", "why"),
    ]
    known = set(packs.known())
    journal.write_bytes(left)  # a kill between taking over and removing
    AnswerCache(packs)
    assert set(packs.known()) == known


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    mine = AnswerCache(Packs(tmp_path))
    call = mine.sent("key", {"cost_usd": 1.0})
    assert AnswerCache(Packs(tmp_path)).get("key") is None
    mine.answered(call, "key", {"text": "yes"})
    mine.flush()
    found = AnswerCache(Packs(tmp_path)).get("key")
    assert found and found["text"] == "yes"


def test_two_answers_to_one_request_are_both_in_the_books(tmp_path: Path) -> None:
    cache = AnswerCache(Packs(tmp_path))
    for call in [cache.sent("key", {}) for _ in range(2)]:
        cache.answered(call, "key", {"text": "yes", "cost_usd": 1.0})
    cache.flush()
    stored = Packs(tmp_path)
    values = [json.loads(value) for value in stored.get(stored.known()).values()]
    assert sorted(value.get("lost", "") for value in values) == ["", "asked twice at once"]
    assert sum(value["cost_usd"] for value in values) == 2.0


@given(
    ends=st.lists(st.sampled_from(["answered", "refused", "lost", ""]), max_size=12),
    cut=st.floats(0, 1),
)
def test_a_journal_cut_anywhere_tells_each_call_once(
    tmp_path_factory: pytest.TempPathFactory, ends: list[str], cut: float
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal"))
    ids = [journal.sent(f"key {n}", {}) for n in range(len(ends))]
    for call, end in zip(ids, ends, strict=True):
        if end:
            journal.ended(call, end, {"text": end} if end == "answered" else "why")  # type: ignore[arg-type]
    journal.close()
    content = journal.path.read_bytes()
    told = Counter(value["call"] for _, value in read_journal(content.splitlines()))
    assert told == Counter(call for call, end in zip(ids, ends, strict=True) if end != "refused")
    part = content[: int(len(content) * cut)].splitlines()
    assert set(Counter(value["call"] for _, value in read_journal(part)).values()) <= {1}


def test_a_rate_is_kept_by_many_threads(server: Server, client: Any) -> None:
    asked = client(requests_per_minute=1200)
    began = time.monotonic()
    threads = [threading.Thread(target=asked.ask, args=(ASKED, None, seed)) for seed in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 11
    assert time.monotonic() - began >= 10 * 60 / 1200


def test_tokens_that_were_not_used_are_given_back() -> None:
    bucket = TokenBucket(rate=10)
    assert [bucket.take(0.0, tokens) for tokens in (21, 10)] == [pytest.approx(2), pytest.approx(3)]
    bucket.take(0.0, -28)
    assert bucket.take(0.0, 7) == pytest.approx(0.9)


def test_rows_among_faults_and_kills_are_scored_once_and_the_books_agree() -> None:
    """The benchmark at a small size; it fails when a row is scored twice or not at all, or the books differ."""
    command = [sys.executable, "-m", "bench.bench_llm_faults", "--rows", "200", "--kills", "3"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\| rows scored +\| 200 ", done.stdout)
