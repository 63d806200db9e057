"""Completions are drawn once each, whatever ends the run, and come from servers as from local models."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from completion_server import completing
from fabricated import fenced, program, stdin_row, write_folder
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.config import EvaluationSettings
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.backends import ServerBackend, cut
from microcoder_train.evaluation.completions import CompletionFile, Drawn, Request, draw_all

REQUESTS = [Request(f"p:{problem}", sample, f"problem {problem}") for problem in range(5) for sample in range(2)]


class Pairs:
    """Draws both samples of a problem together; fails on the problem `broken`."""

    parallel = 2

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.drawn: list[str] = []

    def batches(self, requests: Sequence[Request]) -> list[list[Request]]:
        return [list(requests[start : start + 2]) for start in range(0, len(requests), 2)]

    def draw(self, batch: Sequence[Request]) -> list[Drawn]:
        if batch[0].problem_id == self.broken:
            raise TrainError("broken")
        self.drawn += [request.key for request in batch]
        return [Drawn(f"{request.problem_id} {request.sample}", 1, False) for request in batch]


def texts(drawn: Sequence[Drawn]) -> list[str]:
    return [item.text for item in drawn]


def test_what_was_drawn_before_an_error_is_kept_and_the_rest_drawn_later(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "c.jsonl"
    with pytest.raises(TrainError, match="broken"):
        draw_all(REQUESTS, Pairs("p:4"), CompletionFile(path), "x")
    backend = Pairs()
    drawn, new = draw_all(REQUESTS, backend, CompletionFile(path), "x")
    assert texts(drawn) == [f"{request.problem_id} {request.sample}" for request in REQUESTS]
    assert new == len(backend.drawn) == 2
    assert CompletionFile(path).all_of(REQUESTS) == drawn
    assert CompletionFile(path).all_of([*REQUESTS, Request("p:9", 0, "new")]) is None


@given(st.integers(0, 900))
def test_a_file_cut_anywhere_gives_whole_completions_only(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "c.jsonl"
    draw_all(REQUESTS, Pairs(), CompletionFile(path), "x")
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    drawn, _ = draw_all(REQUESTS, Pairs(), CompletionFile(path), "x")
    assert texts(drawn) == [f"{request.problem_id} {request.sample}" for request in REQUESTS]
    keys = [json.loads(line)["key"] for line in path.read_text().splitlines()]
    assert sorted(keys) == sorted(request.key for request in REQUESTS)


def test_two_runs_cannot_write_one_file(tmp_path: Path) -> None:
    with CompletionFile(tmp_path / "c.jsonl").writing(), pytest.raises(TrainError, match="another run"):
        draw_all(REQUESTS, Pairs(), CompletionFile(tmp_path / "c.jsonl"), "x")


def test_a_changed_prompt_is_another_request() -> None:
    assert Request("p", 0, "a").key != Request("p", 0, "b").key != Request("p", 1, "b").key
    assert 0 <= Request("p", 0, "a").seed(3) < 2**31 and Request("p", 0, "a").seed(3) != Request("p", 0, "a").seed(4)


def test_stop_texts_end_a_completion() -> None:
    assert cut("a\n### b ## c", "###,##") == ("a\n", True)
    assert cut("a", "###") == cut("a", "") == ("a", False)


def server_backend(url: str, **changes: Any) -> ServerBackend:
    return ServerBackend("m", EvaluationSettings(**changes), 0, url, None, 4)


def test_messages_go_to_chats_and_text_to_completions_with_the_sampling_settings() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> tuple[int, str, str]:
        seen.append(request)
        return 200, "a b", "length"

    with completing(answer) as server:
        backend = server_backend(server.url, temperature=0.2, top_p=0.95, max_completion_tokens=7, stop="###")
        chat, text = Request("p", 0, [{"role": "user", "content": "hi"}]), Request("p", 0, "hi")
        assert backend.draw([chat, text]) == [Drawn("a b", 2, True, 100)] * 2
        assert server.paths == {"/v1/chat/completions", "/v1/completions"}
    first, second = seen
    assert (first["temperature"], first["top_p"], first["max_tokens"]) == (0.2, 0.95, 7)
    assert "stop" not in first and second["stop"] == ["###"]
    assert first["seed"] == chat.seed(0)


def test_of_a_model_without_a_chat_template_messages_are_text_to_continue() -> None:
    def answer(request: dict[str, Any]) -> tuple[int, str, str]:
        if "messages" in request:
            return 400, "default chat template is no longer allowed, so you must provide a chat template", ""
        return 200, request["prompt"], "stop"

    with completing(answer) as server:
        backend = server_backend(server.url)
        asked = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
        drawn = backend.draw([Request("p", sample, asked) for sample in range(3)])
        assert [one.text for one in drawn] == ["be brief\n\nhi"] * 3
        assert server.asked.total() == 4, "it is asked once whether it chats"


def test_a_prompt_over_the_context_is_refused_and_other_faults_are_the_users() -> None:
    def answer(request: dict[str, Any]) -> tuple[int, str, str]:
        return 400, "the maximum context length is 5 tokens" if request["prompt"] == "long" else "no such model", ""

    with completing(answer) as server:
        backend = server_backend(server.url)
        assert backend.draw([Request("p", 0, "long")]) == [Drawn("", 0, False, refused=True)]
        with pytest.raises(TrainError, match=r"refuses a request: .*no such model"):
            backend.draw([Request("p", 0, "short")])


def answered(request: dict[str, Any]) -> tuple[int, str, str]:
    """Right or wrong by the request alone, after a moment in which a client can be killed."""
    time.sleep(0.02)
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).digest()[0]
    return 200, fenced(program("+-*"[digest % 3])), "stop"


def evaluate_line(folder: Path, out: Path, url: str) -> list[str | Path]:
    return [
        sys.executable, "-m", "microcoder_train", "evaluate", "--benchmark", folder, "--out", out, "--model", "tiny=m",
        "--backend", "openai", "--base-url", url, "--style", "OpenAIChat", "--samples", "3", "--parallel", "4",
    ]  # fmt: skip


def test_a_run_killed_three_times_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    rows = [{**stdin_row(f"n{n}", "sum", "+", "-"), "statement": f"Add {n}."} for n in range(40)]
    folder = write_folder(tmp_path / "bench", {"test": rows})
    with completing(answered) as server:
        line = evaluate_line(folder, tmp_path / "broken" / "scores", server.url)
        for kill in range(1, 4):
            with subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
                while server.asked.total() < 25 * kill and process.poll() is None:
                    time.sleep(0.005)
                process.send_signal(signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
        subprocess.run(line, check=True, capture_output=True)
        assert len(server.asked) == 120, "each sample has a request of its own, always the same"
        assert server.asked.total() <= 120 + 3 * 4, "only what was under way at a kill is asked for again"
        (kept,) = (tmp_path / "broken" / "completions").iterdir()
        keys = [json.loads(text)["key"] for text in kept.read_text().splitlines()]
        assert len(keys) == len(set(keys)) == 120
        whole_line = evaluate_line(folder, tmp_path / "whole" / "scores", server.url)
        subprocess.run(whole_line, check=True, capture_output=True)
    names = {path.name for path in (tmp_path / "whole" / "scores").iterdir()}
    assert {"report.md", "scores.json", "scores.parquet", "tiny_eval_all.json", "scores.png"} <= names
    for name in names - {"times.json"}:
        broken, whole = (tmp_path / side / "scores" / name for side in ("broken", "whole"))
        assert broken.read_bytes() == whole.read_bytes(), name
