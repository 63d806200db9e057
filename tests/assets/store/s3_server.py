"""A real S3 server on loopback: moto's, with requests answered one after another, so that a condition holds as S3's."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
BUCKET = "problems"


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: Any = "-", size: Any = "-") -> None: ...


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """The environment that reaches it; it has one bucket, BUCKET."""
    answers, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with turn:
            return [b"".join(answers(environ, start_response))]

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
    httpx.put(f"{endpoint}/{BUCKET}", headers=signed).raise_for_status()
    try:
        yield {**KEYS, "AWS_ENDPOINT_URL": endpoint}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
