"""vLLM's own server on CPU, in an environment of its own (`make test-vllm`), asked by the client of the evaluation."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from microcoder_train.cli import run
from microcoder_train.vllm_engine import require_version

PYTHON = os.environ.get("VLLM_PYTHON")
pytestmark = pytest.mark.skipif(PYTHON is None, reason="VLLM_PYTHON names no interpreter with vLLM (`make test-vllm`)")
READY_S = 1200


@pytest.fixture(scope="module")
def checkpoint(split: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("vllm") / "base"
    run(["make-base", "--split", str(split), "--out", str(out), "--config", str(config), "base.hidden_size=64"],
        lambda _: None)  # fmt: skip
    return out


@pytest.fixture(scope="module")
def url(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    line = [str(PYTHON), "-m", "vllm.entrypoints.openai.api_server", "--model", str(checkpoint)]
    line += ["--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port)]
    line += ["--dtype", "float32", "--enforce-eager", "--max-model-len", "512"]
    log = tmp_path_factory.mktemp("log") / "server"
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1"}
    with log.open("wb") as file, subprocess.Popen(line, stdout=file, stderr=file, env=environment) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise AssertionError(f"the server did not come up: {log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def test_a_checkpoint_of_ours_is_served_and_scored(split: Path, config: Path, url: str, tmp_path: Path) -> None:
    require_version("the server", httpx.get(f"{url}/version", timeout=5).json()["version"])
    benchmark = tmp_path / "benchmark"
    (benchmark / "data").mkdir(parents=True)
    (benchmark / "manifest.json").write_text('{"data_version": "b1"}', encoding="utf-8")
    name = "data/{}-00000-of-00001.parquet"
    (benchmark / name.format("test")).write_bytes((split / name.format("validation")).read_bytes())
    out = tmp_path / "scores"
    run(["evaluate", "--backend", "openai", "--base-url", f"{url}/v1", "--model", "tiny=tiny", "--style", "plain",
         "--benchmark", str(benchmark), "--out", str(out), "--config", str(config)], lambda _: None)  # fmt: skip
    record = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert record["models"]["tiny"]["overall"]["problems"] == 2
    samples = pq.read_table(out / "scores.parquet").to_pylist()
    assert len(samples) == 4
    assert all(sample["verdict"] != "IE" for sample in samples)
    drawn = [json.loads(line) for path in (tmp_path / "completions").glob("*.jsonl") for line in path.open()]
    assert len(drawn) == 4
    assert all(0 < one["tokens"] <= 8 and one["prompt_tokens"] > 0 for one in drawn)
