"""Is each sample drawn once when a run is killed, and is the report the same? `python -m bench.bench_evaluate FOLDER`.

FOLDER is an exported benchmark (manifest.json and data/). The server on loopback answers by the request alone: with
`--policy`, as a small model samples whose seed is the request's hash; without, with a program that reads everything
and prints a number. One run is killed with SIGKILL three times and ended by a fourth start, another is left alone; what
they leave is compared.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.tables import print_table
from microcoder_train.generation import load_policy, sample

KILLS, PARALLEL = 3, 8
PROMPT_TOKENS, ANSWER_TOKENS = 192, 64
"""Of a policy: how much of a prompt's end it is shown, and how long it may answer."""


class Model(ThreadingHTTPServer):
    """An OpenAI-compatible chat server; counts equal requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, policy: Path | None) -> None:
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.policy = load_policy(str(policy), "float32") if policy else None
        super().__init__(("127.0.0.1", 0), Handler)

    def answer(self, request: dict[str, Any], key: str) -> str:
        if self.policy is None:
            return f"```python\nimport sys\nsys.stdin.read()\nprint({int(key[:2], 16) % 4})\n```"
        prompt = self.policy.encode(request["messages"][-1]["content"])[-PROMPT_TOKENS:]
        with self.lock:
            ((found,),) = sample(
                self.policy,
                [prompt],
                1,
                temperature=request["temperature"],
                max_tokens=ANSWER_TOKENS,
                batch=1,
                seed=int(key[:8], 16),
            )
        return f"```python\n{found.text}\n```"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client breaks its connections."""


class Handler(BaseHTTPRequestHandler):
    server: Model
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(data)
        key = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        with self.server.lock:
            self.server.asked[key] += 1
        text = self.server.answer(request, key)
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        choice["message"] = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": len(data), "completion_tokens": int(key[:3], 16), "total_tokens": 0}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        body = json.dumps({**answer, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        return


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_evaluate", description="Evaluation over kills.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="an exported benchmark")
    parser.add_argument("--samples", type=int, default=1, help="completions a problem (1)")
    parser.add_argument("--policy", type=Path, metavar="MODEL", help="a model's folder that answers (none)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, Model(options.policy) as model:
        threading.Thread(target=model.serve_forever, args=(0.01,), daemon=True).start()

        def line(name: str) -> list[str]:
            url = f"http://127.0.0.1:{model.server_address[1]}/v1"
            return [
                sys.executable, "-m", "microcoder_train", "evaluate", "--benchmark", str(options.folder),
                "--out", str(Path(scratch) / name / "scores"), "--model", "loopback=m", "--backend", "openai",
                "--base-url", url, "--style", "OpenAIChat", "--samples", str(options.samples),
                "--parallel", str(PARALLEL), "--preset", "upstream", "--cutoff", "middle=2024-06-30",
            ]  # fmt: skip

        began = time.monotonic()
        subprocess.run(line("whole"), check=True, stdout=subprocess.DEVNULL)
        whole = time.monotonic() - began
        requests = len(model.asked)
        model.asked.clear()
        for kill in range(1, KILLS + 1):
            with subprocess.Popen(line("broken"), stdout=subprocess.DEVNULL) as process:
                while model.asked.total() < requests * kill // (KILLS + 1) and process.poll() is None:
                    time.sleep(0.01)
                process.send_signal(signal.SIGKILL)
        subprocess.run(line("broken"), check=True, stdout=subprocess.DEVNULL)
        (kept,) = (Path(scratch) / "broken" / "completions").iterdir()
        keys = [json.loads(text)["key"] for text in kept.read_text("utf-8").splitlines()]
        first, second = (Path(scratch) / side / "scores" for side in ("whole", "broken"))
        names = sorted(path.name for path in first.iterdir() if path.name != "times.json")
        equal = sum((first / name).read_bytes() == (second / name).read_bytes() for name in names)
        print_table(
            ("", "figure"),
            [
                ("samples", str(requests)),
                ("kept after three kills", f"{len(keys)}, of which {len(set(keys))} distinct"),
                ("requests that reached the server", str(model.asked.total())),
                ("asked for again, under way at a kill", str(model.asked.total() - requests)),
                ("files of the report that are equal", f"{equal} of {len(names)}"),
                ("unbroken run, seconds", f"{whole:.0f}"),
            ],
        )


if __name__ == "__main__":
    main()
