"""A provider's batch API on loopback: files and batches, answered when a test says so."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chat_server import completion


class BatchServer(ThreadingHTTPServer):
    """text: of every answer. fail_after_create: the answer to this creation of a batch is lost."""

    daemon_threads = True

    def __init__(self, text: str) -> None:
        self.text = text
        self.files: dict[str, bytes] = {}
        self.batches: list[dict[str, Any]] = []
        self.fail_after_create: int | None = None
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def keep(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def finish(self, status: str = "completed", answered: int | None = None) -> None:
        """Every batch: the first `answered` requests get an answer, the others an error."""
        for batch in self.batches:
            requests = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
            body = json.loads(completion(self.text)[1])
            lines = [
                {"id": f"r{n}", "custom_id": r["custom_id"], "response": {"status_code": 200, "body": body}}
                if answered is None or n < answered
                else {"id": f"r{n}", "custom_id": r["custom_id"], "error": {"code": "batch_expired"}}
                for n, r in enumerate(requests)
            ]
            for kind, wanted in (("output_file_id", False), ("error_file_id", True)):
                some = [json.dumps(line) for line in lines if ("error" in line) is wanted]
                batch[kind] = self.keep("\n".join(some).encode()) if some else None
            batch["status"] = status


class Handler(BaseHTTPRequestHandler):
    server: BatchServer

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/files":
            kind = self.headers["Content-Type"].encode()
            parts = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + content).get_payload()
            (file,) = [p for p in parts if p.get_filename()]  # type: ignore[union-attr]
            name = self.server.keep(file.get_payload(decode=True))  # type: ignore[union-attr, arg-type]
            self._say({"id": name, "object": "file", "bytes": 1, "created_at": 0, "filename": "f", "purpose": "batch"})
        elif self.path == "/v1/batches":
            given = json.loads(content)
            number = len(self.server.batches)
            batch = {**given, "id": f"batch-{number}", "object": "batch", "created_at": 0, "status": "in_progress"}
            self.server.batches.append(batch)
            if len(self.server.batches) == self.server.fail_after_create:
                self.close_connection = True
                return
            self._say(batch)
        else:
            self.send_error(404)

    def do_GET(self) -> None:
        if self.path.startswith("/v1/batches"):
            self._say({"object": "list", "data": self.server.batches, "has_more": False})
        elif found := re.fullmatch(r"/v1/files/(file-\d+)/content", self.path):
            self._say(self.server.files[found[1]])
        else:
            self.send_error(404)

    def _say(self, answer: dict[str, Any] | bytes) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        return


@contextmanager
def batch_serving(text: str) -> Iterator[BatchServer]:
    with BatchServer(text) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
