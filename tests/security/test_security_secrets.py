"""A key that goes to a server is in nothing that is written: store, ledger, books of runs, settings, or output."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chat_server import Reply, completion, serving

from microcoder_assets.config import ScoringSettings
from microcoder_assets.errors import UserError
from microcoder_assets.llm.client import AnswerError, open_client
from microcoder_assets.project import Project
from microcoder_assets.runner import Runner
from microcoder_assets.schema import DIMENSIONS
from microcoder_assets.store import Packs
from microcoder_assets.store.catalogue import query

KEY = "sk-sentinel-8e1f5c0b77"
"""Looked for as it is: Parquet files are read back, because they hold text compressed."""


def holders(folder: Path) -> list[str]:
    """Files that hold the key, as bytes or in a cell of a table."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_bytes()
        if path.suffix == ".parquet":
            text += repr(pl.read_parquet(path).rows()).encode()
        if KEY.encode() in text:
            found.append(str(path.relative_to(folder)))
    return found


def test_a_key_that_a_server_repeats_is_written_nowhere(
    tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The server first refuses in words that hold the key, as some do, then answers one of two problems so."""
    refuse = True

    def behave(request: dict[str, Any], number: int) -> Reply:
        sent = server.headers[-1]["authorization"]
        if refuse:
            return 401, json.dumps({"error": {"message": f"who is {sent}?", "code": "invalid_api_key"}})
        if "lamppost" in json.dumps(request):
            return 422, json.dumps({"error": {"message": f"{sent} may not ask this"}})
        return completion(json.dumps(dict.fromkeys(DIMENSIONS, 3)))

    for name in ("lampposts", "beadblocks"):
        shutil.copytree(examples_dir / "archive" / name, tmp_path / "packages" / name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HF_TOKEN", KEY)
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    home, settings = tmp_path / "home", tmp_path / "settings.toml"
    with serving(behave) as server:
        settings.write_text(f'[scoring]\nmodel = "m"\nbase_url = "{server.url}"\nretries = 0\n')
        Project(home, (f"kattis:{tmp_path / 'packages'}",), None, settings).save()
        with pytest.raises(UserError, match=r"who is Bearer \*\*\*\?"):
            Runner(Project.load(home)).run("scored_problems")
        refuse = False
        assert Runner(Project.load(home)).run("scored_problems") == ["scored_problems"]
        assert all(headers["authorization"] == f"Bearer {KEY}" for headers in server.headers)
    said = query(Project.load(home).store, "SELECT detail FROM decisions WHERE decision = 'error'")["detail"].to_list()
    assert len(said) == 1 and "Bearer *** may not ask this" in said[0]
    assert KEY not in "".join(capfd.readouterr())
    assert holders(tmp_path) == []

    (home / "planted.txt").write_text(f"found: {KEY}")
    assert holders(tmp_path) == ["home/planted.txt"]


def test_a_password_in_an_address_is_refused_without_repeating_it(tmp_path: Path) -> None:
    settings = ScoringSettings(model="m", base_url=f"http://user:{KEY}@127.0.0.1:9/v1")
    with pytest.raises(UserError, match="base_url holds a user or password") as refused:
        open_client(settings, "scoring", Packs(tmp_path), None, temperature=0.0, max_tokens=1)
    assert KEY not in str(refused.value)


def test_a_key_that_cannot_be_sent_is_not_repeated(tmp_path: Path) -> None:
    """With a line end in it, as from a file that was not read to its end, the HTTP library names the header."""
    with serving(lambda request, number: completion("")) as server:
        settings = ScoringSettings(model="m", base_url=server.url, retries=0)
        client = open_client(settings, "scoring", Packs(tmp_path), f"{KEY}\n", temperature=0.0, max_tokens=1)
        with pytest.raises((AnswerError, UserError)) as refused:
            client.ask([{"role": "user", "content": "?"}], None, 0)
    assert KEY not in str(refused.value)
