"""A loopback server that answers as sites do, faults included, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

HTML, JSON = "text/html; charset=utf-8", "application/json"


@dataclass(frozen=True)
class Reply:
    """sent: how many bytes of the body are sent, of those that Content-Length promises. drip, stall: send byte by byte,
    or nothing more, until the client hangs up."""

    body: bytes = b""
    status: int = 200
    type: str = HTML
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    drip: bool = False
    stall: bool = False
    etag: bool = True


@dataclass(frozen=True)
class Asked:
    key: str
    status: int
    bytes: int
    headers: dict[str, str]


class Replay:
    """pages: replies by path and query, or by path, a space and the body of a POST. faults: what comes before them,
    each once. Pages with `etag` know If-None-Match."""

    def __init__(self, pages: dict[str, Reply] | None = None) -> None:
        self.pages = dict(pages or {})
        self.faults: dict[str, list[Reply]] = {}
        self.log: list[Asked] = []
        self.heard: Callable[[Asked], None] = lambda asked: None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self) -> Counter[str]:
        """How often each page was asked for, robots.txt apart."""
        return Counter(asked.key for asked in self.log if asked.key != "/robots.txt")

    def bytes_sent(self) -> int:
        return sum(asked.bytes for asked in self.log)

    def forget(self) -> None:
        self.log.clear()

    def reply(self, key: str, seen: str | None) -> Reply:
        if self.faults.get(key):
            return self.faults[key].pop(0)
        page = self.pages.get(key, Reply(b"<html><body>404</body></html>", 404))
        if page.status != 200 or not page.etag:
            return page
        tag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
        if seen == tag:
            return Reply(status=304, headers={"ETag": tag})
        return Reply(page.body, page.status, page.type, {"ETag": tag, **page.headers}, page.sent, page.drip, page.stall)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(self.path)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(f"{self.path} {body}")

            def _answer(self, key: str) -> None:
                with replay._lock:
                    reply = replay.reply(key, self.headers.get("If-None-Match"))
                    asked = Asked(key, reply.status, len(reply.body), dict(self.headers))
                    replay.log.append(asked)
                replay.heard(asked)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 304:
                    self.send_header("Content-Type", reply.type)
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                try:
                    if reply.drip:
                        while True:
                            self.wfile.write(b" ")
                            threading.Event().wait(0.02)
                    self.wfile.write(reply.body[: reply.sent])
                    if reply.stall:
                        self.rfile.read(1)
                except OSError:
                    pass
                self.close_connection = self.close_connection or reply.sent is not None

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler
