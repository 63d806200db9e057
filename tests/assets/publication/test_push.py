"""A version on the Hub: pushed by the real client to a server on loopback that keeps files and commits."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from microcoder_assets.errors import UserError
from microcoder_assets.publication.export import export
from microcoder_assets.publication.push import push
from microcoder_assets.publication.versions import find_version
from microcoder_assets.schema import SPLIT

TOKEN = "hf_only_for_this_test"
REPOSITORY = "owner/problems"


@dataclass
class Hub:
    """What the Hub's answers are made of."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[dict[str, Any]] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def create(self, body: bytes) -> dict[str, Any]:
        self.created.append(json.loads(body))
        return {"url": f"{self.url}/datasets/{REPOSITORY}"}

    def preupload(self, body: bytes) -> dict[str, Any]:
        paths = [file["path"] for file in json.loads(body)["files"]]
        return {"files": [self._known(path) for path in paths]}

    def _known(self, path: str) -> dict[str, Any]:
        held = self.files.get(path)
        oid = None if held is None else hashlib.sha1(b"blob %d\0" % len(held) + held).hexdigest()
        return {"path": path, "uploadMode": "regular", "shouldIgnore": False, "oid": oid}

    def commit(self, body: bytes) -> dict[str, Any]:
        for line in body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "header":
                self.commits.append(value)
            elif entry["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
                self.sent.append(value["path"])
            else:
                del self.files[value["path"]]
        oid = f"{len(self.commits):040d}"
        return {"commitUrl": f"{self.url}/datasets/{REPOSITORY}/commit/{oid}", "commitOid": oid}

    def info(self) -> dict[str, Any]:
        siblings = [{"rfilename": path} for path in self.files]
        return {"id": REPOSITORY, "sha": f"{len(self.commits):040d}", "siblings": siblings, "private": False,
                "disabled": False, "gated": False, "downloads": 0, "likes": 0, "tags": [], "createdAt": None}

    def tree(self) -> list[dict[str, Any]]:
        return [{"type": "file", "path": path, "size": len(data), "oid": "0" * 40} for path, data in self.files.items()]


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, value: Any, status: int = 200) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _route(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._answer({"error": "Invalid credentials"}, 401)
            elif path == "/api/validate-yaml":
                self._answer({"errors": [], "warnings": []})
            elif path == "/api/repos/create":
                self._answer(state.create(body))
            elif path == f"/api/datasets/{REPOSITORY}/preupload/main":
                self._answer(state.preupload(body))
            elif path == f"/api/datasets/{REPOSITORY}/commit/main":
                self._answer(state.commit(body))
            elif path.startswith(f"/api/datasets/{REPOSITORY}/tree/main"):
                self._answer(state.tree())
            elif path.startswith(f"/api/datasets/{REPOSITORY}"):
                self._answer(state.info())
            else:
                self._answer({"error": "Not found"}, 404)

        do_GET = do_POST = _route

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()


def exported(home: Path, statement: str, shard_bytes: int) -> Path:
    rows = [{**dict.fromkeys(SPLIT), "problem_id": f"a:{n}", "platform": "a", "statement": statement,
             "split": "train" if n else "validation"} for n in range(3)]
    folder, frame = home / "exports" / "train_split", pl.DataFrame(rows, schema=SPLIT)
    return export(folder, frame, ("train", "validation"), statement, "card", None, shard_bytes)


def run(home: Path, hub: Hub, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": token, "HF_HUB_OFFLINE": "0",
                   "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(home), "push", REPOSITORY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def test_the_hub_holds_the_version_and_nothing_is_sent_twice(hub: Hub, tmp_path: Path) -> None:
    first = exported(tmp_path, "one", 100)
    done = run(tmp_path, hub, "--private")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{hub.url}/datasets/{REPOSITORY}/commit/{1:040d}\n"
    assert hub.created[0]["visibility"] == "private" and hub.created[0]["type"] == "dataset"
    on_disk = {str(path.relative_to(first)): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert hub.files == on_disk
    assert first.name in hub.commits[0]["summary"]

    again = run(tmp_path, hub)
    assert again.returncode == 0, again.stderr
    assert len(hub.commits) == 1

    second = exported(tmp_path, "two", 10_000_000)
    assert run(tmp_path, hub).returncode == 0
    assert {path for path in hub.files if path.startswith("data/")} == {
        f"data/{part}-00000-of-00001.parquet" for part in ("train", "validation")
    }
    assert hub.files["manifest.json"] == (second / "manifest.json").read_bytes()
    assert hub.sent.count("README.md") == 1  # it did not change
    old = run(tmp_path, hub, "--version", first.name)
    assert old.returncode == 0 and hub.files == on_disk
    for told in (done, again, old):
        assert TOKEN not in told.stdout + told.stderr


def test_a_refusal_is_one_line_without_the_token(hub: Hub, tmp_path: Path) -> None:
    exported(tmp_path, "one", 100)
    refused = run(tmp_path, hub, token="hf_of_a_stranger")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: cannot push to {REPOSITORY}: ")
    assert len(refused.stderr.strip().splitlines()) == 1 and "hf_of_a_stranger" not in refused.stderr
    assert hub.commits == []


def test_a_missing_token_is_named(tmp_path: Path) -> None:
    version = find_version(tmp_path / "exports" / "train_split", exported(tmp_path, "one", 100).name)
    with pytest.raises(UserError, match="HF_TOKEN is not set"):
        push(version, REPOSITORY, private=False, environment={})
