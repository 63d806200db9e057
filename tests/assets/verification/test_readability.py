"""The readability gate against a real HTTP server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Reply, Server, completion, serving
from rows import frame, selected, unique_row

from microcoder_assets.config import ReadabilitySettings, VerificationSettings
from microcoder_assets.stage import Kind, StageResult
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.readability import drop_unreadable, open_reader
from microcoder_assets.verification.verify import verify

CLEAR = {"readable": 5, "complete": True, "missing": []}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda request, number: completion(json.dumps(CLEAR))) as server:
        yield server


def gate(tmp_path: Path, server: Server, answers: dict[str, Any]) -> StageResult:
    """Verified problems after the gate. answers: by problem; what the server says of it, or a whole reply."""

    def behave(request: dict[str, Any], number: int) -> Reply:
        problem = next(name for name in answers if name in request["messages"][1]["content"])
        answer = answers[problem]
        return answer if isinstance(answer, tuple) else completion(json.dumps(answer))

    server.behave = behave
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([unique_row(blobs, name) for name in answers])
    settings = VerificationSettings(workers=1)  # type: ignore[call-arg]
    result = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), settings)
    named = ReadabilitySettings(model="m", base_url=server.url)  # type: ignore[call-arg]
    reader = open_reader(named, Packs(tmp_path / "llm"))
    assert reader is not None
    result = drop_unreadable(result, problems, reader)
    assert result.accounted() is None
    return result


def test_unreadable_and_incomplete_statements_are_dropped_with_what_is_missing(tmp_path: Path, server: Server) -> None:
    lacking = {"readable": 4, "complete": False, "missing": ["the range of n"]}
    answers = {"a:clear": CLEAR, "a:garbled": {**CLEAR, "readable": 2}, "a:lacking": lacking}
    clear, garbled, incomplete = gate(tmp_path, server, answers).decisions
    assert (clear.kind, clear.reason, clear.detail["reading"]) == (Kind.KEPT, "ok", CLEAR)
    assert (garbled.kind, garbled.reason, garbled.sha_out) == (Kind.DROPPED, "unreadable", None)
    assert incomplete.detail["reading"]["missing"] == ["the range of n"]


def test_an_answer_is_paid_for_once(tmp_path: Path, server: Server) -> None:
    first = gate(tmp_path, server, {"a:clear": CLEAR})
    again = gate(tmp_path, server, {"a:clear": CLEAR})
    assert len(server.requests) == 1
    assert again.decisions == first.decisions


@pytest.mark.parametrize("reply", [completion("{}"), completion('{"readable": 9, "complete": true, "missing": []}')])
def test_no_usable_answer_drops_nothing_and_says_so(tmp_path: Path, server: Server, reply: Reply) -> None:
    result = gate(tmp_path, server, {"a:clear": reply})
    assert result.frame["problem_id"].to_list() == ["a:clear"]
    assert "malformed answer" in result.decisions[0].detail["not_read"]


def test_without_a_model_nothing_is_asked(tmp_path: Path) -> None:
    assert open_reader(ReadabilitySettings(), Packs(tmp_path / "llm")) is None  # type: ignore[call-arg]
