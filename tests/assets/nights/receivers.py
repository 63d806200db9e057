"""A webhook and a mail server on loopback, which take, refuse or keep silent as a test says."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

SILENT = 0


class Hook(ThreadingHTTPServer):
    """status: of its answers; SILENT: none until it is closed."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.taken: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.tried = 0
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/key-of-the-hook"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class _HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tried += 1
        if self.server.status == SILENT:
            self.server.closing.wait(30)
            return
        if self.server.status == 200:
            self.server.taken.append(json.loads(body))
            self.server.headers.append(dict(self.headers))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        raise AssertionError("an alert is never fetched")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    """As much of RFC 5321, RFC 3207 and RFC 4954 as a sender needs.

    refusal: what it answers to DATA instead of taking it. safe: its certificate, for TLS from the first byte on or,
    with `starttls`, from that verb on. logins: what was told in AUTH PLAIN, each with whether TLS was on.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, safe: ssl.SSLContext | None = None, starttls: bool = False) -> None:
        self.refusal = ""
        self.taken: list[str] = []
        self.logins: list[tuple[str, bool]] = []
        self.safe, self.starttls = safe, starttls
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.port = self.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.shutdown()
        self.server_close()


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        if self.server.safe and not self.server.starttls:
            self._go_safe(self.server.safe)
        self._say("220 loopback")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper().split()[0]
            if verb == "EHLO":
                self._say("250-loopback\r\n250-AUTH PLAIN\r\n250 STARTTLS")
            elif verb == "STARTTLS" and self.server.safe:
                self._say("220 go on")
                self._go_safe(self.server.safe)
            elif verb == "AUTH":
                told = b64decode(line.split()[2]).decode()
                self.server.logins.append((told, isinstance(self.request, ssl.SSLSocket)))
                self._say("235 welcome")
            elif verb == "DATA" and not self.server.refusal:
                self._say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.taken.append("".join(lines))
                self._say("250 taken")
            elif verb == "DATA":
                self._say(self.server.refusal)
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _go_safe(self, context: ssl.SSLContext) -> None:
        self.request = context.wrap_socket(self.request, server_side=True)
        self.setup()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
