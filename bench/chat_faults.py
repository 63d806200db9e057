"""An OpenAI-compatible server on loopback with every fault a real one has, which keeps count of what it did.

It works in a process of its own: whoever asks it may be killed. `GET /bill` says what it would charge for.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.request import urlopen

FAULTS: Final = (
    "429 with Retry-After",
    "500",
    "503",
    "silence",
    "reset amid the answer",
    "truncated JSON",
    "answer not in the schema",
    "no choices",
)
UNPAID: Final = FAULTS[:3]
"""The server did no work; for all others it did, and charges."""
SILENCE_S: Final = 30.0


class FaultyServer(ThreadingHTTPServer):
    """share: of requests that meet a fault, each kind alike; none is answered malformed twice in a row.

    dimensions: the keys of a right answer.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, share: float, seed: int, dimensions: list[str]) -> None:
        self.share = share
        self.chance = random.Random(seed)
        self.dimensions = dimensions
        self.faults = dict.fromkeys(FAULTS, 0)
        self.requests = 0
        self.worked: dict[str, tuple[int, int]] = {}
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    def fault(self, repair: bool) -> str | None:
        with self.lock:
            self.requests += 1
            if self.chance.random() >= self.share:
                return None
            kind = self.chance.choice([f for f in FAULTS if not (repair and f == FAULTS[6])])
            self.faults[kind] += 1
            return kind

    def bill(self) -> dict[str, Any]:
        with self.lock:
            return {"requests": self.requests, "faults": self.faults, "worked": self.worked}


class Handler(BaseHTTPRequestHandler):
    server: FaultyServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._say(200, json.dumps(self.server.bill()).encode())

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.fault(repair=len(request["messages"]) > 2)
        if fault in UNPAID:
            return self._say(int(fault[:3]), b'{"error": {"message": "busy"}}', {"Retry-After": "1"})
        text = "about three" if fault == FAULTS[6] else self._levels(request["seed"])
        tokens = len(request["messages"][1]["content"]) // 4, len(text) // 4
        with self.server.lock:
            self.server.worked[self.headers["X-Client-Request-Id"]] = tokens
        body = self._completion(text, tokens, fault == "no choices")
        if fault == "silence":
            threading.Event().wait(SILENCE_S)
            self.close_connection = True
        elif fault == "reset amid the answer":
            self._say(200, body, cut=len(body) // 2)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            self._say(200, body[: len(body) // 2] if fault == "truncated JSON" else body)
        return None

    def _levels(self, seed: int) -> str:
        return json.dumps({name: 1 + (seed + n) % 5 for n, name in enumerate(self.server.dimensions)})

    def _completion(self, text: str, tokens: tuple[int, int], empty: bool) -> bytes:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
        completion = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "usage": usage}
        return json.dumps({**completion, "choices": [] if empty else [choice]}).encode()

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.wfile.flush()

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError):  # the client is gone, or the connection was reset on purpose
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (ConnectionError, ValueError):
            return

    def log_message(self, format: str, *arguments: object) -> None:
        return


def bill_of(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/bill") as answer:
        bill: dict[str, Any] = json.load(answer)
    return bill


def main() -> None:
    """Serve until standard input ends; the address is the first line of standard output."""
    share, seed, *dimensions = sys.argv[1:]
    with FaultyServer(float(share), int(seed), dimensions) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
