"""Kubernetes' API for one pod, on loopback: the pod that is made is checked, and its command run here to its end."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RUN_S = 60


class PodServer(ThreadingHTTPServer):
    """entrypoint: what takes the place of the image. pods: those that were made; deleted: names of those deleted."""

    daemon_threads = True

    def __init__(self, entrypoint: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.entrypoint = list(entrypoint)
        self.pods: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.log, self.exit_code = b"", 0

    def run(self, pod: Mapping[str, Any]) -> None:
        container = pod["spec"]["containers"][0]
        environment = {**os.environ, **{each["name"]: each["value"] for each in container["env"]}}
        command = [*self.entrypoint, *container["command"]]
        done = subprocess.run(command, capture_output=True, timeout=RUN_S, env=environment)
        self.log, self.exit_code = done.stdout + done.stderr, done.returncode

    def status(self) -> dict[str, Any]:
        state = {"terminated": {"exitCode": self.exit_code, "reason": "Completed" if not self.exit_code else "Error"}}
        name = self.pods[-1]["spec"]["containers"][0]["name"]
        statuses = [{"name": name, "ready": False, "restartCount": 0, "image": "i", "imageID": "i", "state": state}]
        return {**self.pods[-1], "status": {"phase": "Succeeded", "containerStatuses": statuses}}


class _Handler(BaseHTTPRequestHandler):
    server: PodServer

    def do_POST(self) -> None:
        pod = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.pods.append(pod)
        self.server.run(pod)
        self._answer(json.dumps(pod).encode())

    def do_GET(self) -> None:
        if self.path.split("?")[0].endswith("/log"):
            lines = (b"2026-11-01T00:00:%02d.%09dZ " % divmod(n, 10**9) + line for n, line in
                     enumerate(self.server.log.splitlines(keepends=True)))  # fmt: skip
            self._answer(b"".join(lines), "text/plain")
        else:
            found = [self.server.status()] if self.server.pods else []
            self._answer(json.dumps({"kind": "PodList", "apiVersion": "v1", "items": found}).encode())

    def do_DELETE(self) -> None:
        self.server.deleted.append(self.path.split("?")[0].rpartition("/")[2])
        self._answer(json.dumps(self.server.status()).encode())

    def log_message(self, format: str, *arguments: Any) -> None: ...

    def _answer(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def pod_server(entrypoint: Sequence[str], kubeconfig: Path) -> Iterator[PodServer]:
    """Serves, and writes the kubeconfig that reaches it."""
    with PodServer(entrypoint) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "here",
                    "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                    "users": [{"name": "me", "user": {}}],
                }
            )
        )
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
