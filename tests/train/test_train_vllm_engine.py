"""What is asked of vLLM before training, of a server on loopback that answers as vLLM's does."""

from __future__ import annotations

import json
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from trl.import_utils import is_vllm_available

from microcoder_train.config import PRESETS
from microcoder_train.errors import TrainError
from microcoder_train.vllm_engine import NEWEST, OLDEST, require_server, require_version, require_vllm

GOOD: dict[str, Any] = {
    "/version": {"version": "0.31.0"},
    "/server_info": {
        "vllm_config": {
            "weight_transfer_config": {"backend": "nccl"},
            "model_config": {"logprobs_mode": "processed_logprobs", "max_model_len": 10240},
        }
    },
}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        answer = self.server.answers.get(self.path.partition("?")[0])
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        made.answers = json.loads(json.dumps(GOOD))
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


def ask(server: Server) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    require_server(replace(PRESETS["paper"], vllm_mode="server", vllm_server_base_url=url))


def test_a_server_that_was_started_as_the_trainer_needs_it_is_taken(server: Server) -> None:
    ask(server)


@pytest.mark.parametrize(("path", "value", "words"), [
    ("/version", {"version": "0.33.0"}, "is version 0.33.0, and TRL 1.16 works with 0.22.0 to 0.31.0"),
    ("/version", {"model": "other"}, "says that its version is 'None'"),
    ("/version", "hello", "cannot be asked"),
    ("/version", [1], "answers as no vLLM server does"),
    ("/server_info", None, "has no /server_info; start it as VLLM_SERVER_DEV_MODE=1"),
])  # fmt: skip
def test_another_server_is_refused(server: Server, path: str, value: Any, words: str) -> None:
    server.answers[path] = value
    with pytest.raises(TrainError, match=words):
        ask(server)


@pytest.mark.parametrize(("keys", "value", "words"), [
    (["weight_transfer_config"], None, "takes no weights; start it as"),
    (["model_config", "logprobs_mode"], "raw_logprobs", "gives raw_logprobs"),
    (["model_config", "max_model_len"], 8192, "takes 8192 tokens.*--max-model-len 10240"),
])  # fmt: skip
def test_a_server_with_another_configuration_is_refused(
    server: Server, keys: list[str], value: Any, words: str
) -> None:
    *groups, last = keys
    place = server.answers["/server_info"]["vllm_config"]
    for group in groups:
        place = place[group]
    place[last] = value
    with pytest.raises(TrainError, match=words):
        ask(server)


def test_a_server_that_is_not_there_is_refused(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(TrainError, match="cannot be asked"):
        ask(server)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(TrainError, match="needs vllm_server_base_url"):
        require_server(replace(PRESETS["paper"], vllm_mode="server"))
    with pytest.raises(TrainError, match="cannot be asked"):
        require_server(replace(PRESETS["paper"], vllm_mode="server", vllm_server_base_url="127.0.0.1:1"))


def installed(folder: Path, number: str) -> None:
    (folder / f"vllm-{number}.dist-info").mkdir()
    metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {number}\n"
    (folder / f"vllm-{number}.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")


@pytest.mark.parametrize(("number", "words"), [
    ("0.33.0", "vLLM here is version 0.33.0.*constraints-gpu.txt"), ("0.21.9", "0.21.9"), ("0.31.0+cu130", "a GPU"),
])  # fmt: skip
def test_the_installed_version_is_looked_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, words: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    installed(tmp_path, number)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert version("vllm") == number
    with pytest.raises(TrainError, match=words):
        require_vllm(replace(PRESETS["paper"], use_vllm=True))


@pytest.mark.parametrize("number", [OLDEST, NEWEST, "0.21.9", "0.31.1"])
def test_the_range_is_trls(monkeypatch: pytest.MonkeyPatch, number: Any) -> None:
    module = sys.modules["trl.import_utils"]
    monkeypatch.setattr(module, "_is_package_available", lambda *_, **__: (True, str(number)))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert is_vllm_available()
    if told:
        with pytest.raises(TrainError):
            require_version("it", str(number))
    else:
        require_version("it", str(number))
    assert bool(told) == (number not in (OLDEST, NEWEST))
