"""The store promises: whole or not there, the same bytes for the same rows, nothing lost between writers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import new_bucket_place, storage
from polars.testing import assert_frame_equal

from microcoder_assets import clock
from microcoder_assets.errors import UserError
from microcoder_assets.schema import of_problems
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import Blobs, Packs, ParquetStore, Partition, ledger
from microcoder_assets.store.atomic import write_atomic
from microcoder_assets.store.storage import Storage, Stored

SCHEMA = {"problem_id": pl.String, "value": pl.Int64}
RUN = {"inputs": "inputs", "code_version": "1", "run_id": "run"}


def result(values: dict[str, int]) -> StageResult:
    frame = pl.DataFrame({"problem_id": list(values), "value": list(values.values())}, schema=SCHEMA)
    return StageResult(frame, [Decision(name, Kind.KEPT, "ok", sha_out=str(v)) for name, v in values.items()])


def tree(storage: Storage) -> dict[str, str]:
    patterns = ["/".join("*" * depth) for depth in range(1, 6)]
    names = [name for pattern in patterns for name in storage.names(pattern)]
    return {name: stored.tag for name, stored in zip(names, storage.read(names), strict=True) if stored}


def test_publish_then_read(place: str) -> None:
    store = ParquetStore(storage(place))
    store.publish("asset", result({"a:2": 2, "a:1": 1}), partition=Partition("2026-01", "a"), **RUN)
    store.publish("asset", result({"b:1": 3}), partition=Partition("2026-02", "b"), **RUN)
    assert store.read("asset", SCHEMA).rows() == [("a:1", 1), ("a:2", 2), ("b:1", 3)]
    assert store.read("asset", SCHEMA, [Partition("2026-02", "b")]).rows() == [("b:1", 3)]
    assert store.read("nothing", SCHEMA).is_empty()


rows_of_platforms = st.dictionaries(
    st.sampled_from("abc"), st.dictionaries(st.integers(0, 9).map(str), st.integers(0, 9), min_size=1), max_size=3
)


@given(rows_of_platforms, st.sets(st.sampled_from(["a:1", "a:5", "b:0", "b:9", "c:3", "d:1"])))
@settings(max_examples=12)
def test_the_rows_of_some_problems_are_those_of_all_read_and_chosen_from(
    new_place: Callable[[], str], rows: dict[str, dict[str, int]], wanted: set[str]
) -> None:
    store = ParquetStore(storage(new_place()))
    for platform, values in rows.items():
        named = {f"{platform}:{number}": value for number, value in values.items()}
        store.publish("asset", result(named), partition=Partition("2026-01", platform), **RUN)
    every = store.read("asset", SCHEMA)
    assert_frame_equal(store.scan("asset", SCHEMA).sort("problem_id").collect(), every)
    ids = pl.Series(sorted(wanted), dtype=pl.String)
    chosen = of_problems(store.scan("asset", SCHEMA), ids)
    assert_frame_equal(chosen.collect(), every.filter(pl.col("problem_id").is_in(ids.implode())))
    assert_frame_equal(chosen.select("value").collect(), chosen.collect().select("value"))


def test_publishing_the_same_again_changes_no_byte(place: str) -> None:
    store = ParquetStore(storage(place))
    first = store.publish("asset", result({"a:1": 1}), **RUN)
    before = tree(store.storage)
    assert len([name for name in before if ".lock" not in name]) == 4
    assert store.publish("asset", result({"a:1": 1}), **{**RUN, "run_id": "another"}) == first
    assert tree(store.storage) == before


def test_lines_of_the_ledger_stay_in_order_when_the_clock_is_set_back(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, today = ParquetStore(storage(place)), dt.datetime(2026, 4, 3, tzinfo=dt.UTC)
    for hours, value in ((0, 1), (-24, 2), (-48, 3), (1, 4)):
        monkeypatch.setattr(clock, "now", lambda hours=hours: today + dt.timedelta(hours=hours))
        store.publish("asset", result({"a:1": value}), **RUN)
    lines = pl.read_parquet(store.ledger_files("asset")).sort("version")
    assert lines["decided_at"].to_list() == [today, today, today, today + dt.timedelta(hours=1)]


def test_the_ledger_holds_what_changed_and_only_that(place: str) -> None:
    store = ParquetStore(storage(place))
    store.publish("asset", result({"a:1": 1, "a:2": 2, "a:3": 3}), **RUN)
    store.publish("asset", result({"a:1": 1, "a:2": 20, "a:4": 4}), **{**RUN, "inputs": "new"})
    lines = pl.read_parquet(store.ledger_files("asset")).filter(version=2)
    assert lines.select("problem_id", "decision", "reason").rows() == [
        ("a:2", "changed", "ok"),
        ("a:3", "dropped", "vanished"),
        ("a:4", "kept", "ok"),
    ]


def test_a_version_that_was_never_published_is_not_read(place: str) -> None:
    store = ParquetStore(storage(place))
    store.publish("asset", result({"a:1": 1}), **RUN)
    before = store.ledger_files("asset")
    store.storage.write("asset/all/ledger/000002-0123.parquet", b"PAR1 torn")
    assert store.ledger_files("asset") == before
    store.publish("asset", result({"a:1": 5}), **{**RUN, "inputs": "new"})
    assert pl.read_parquet(store.ledger_files("asset")).height == 2


def test_a_store_whose_manifests_name_no_ledger_keeps_its_history(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    folder = tmp_path / "asset" / "all"
    for n in (1, 2):
        store.publish("asset", result({"a:1": n}), **{**RUN, "inputs": str(n)})
    for n, path in enumerate(sorted((folder / "ledger").iterdir()), 1):
        path.rename(path.with_name(f"{n:06d}.parquet"))
    fields = json.loads((folder / "manifest.json").read_text())
    del fields["ledger"]
    (folder / "manifest.json").write_text(json.dumps(fields))
    store.publish("asset", result({"a:1": 3}), **{**RUN, "inputs": "3"})
    assert pl.read_parquet(store.ledger_files("asset"))["version"].to_list() == [1, 2, 3]


def nights_of_packs(folder: Path, nights: int) -> dict[str, bytes]:
    """Adds three keys a night, of which one is two nights old."""
    stored = {}
    for night in range(nights):
        added = {f"key {n}": f"value {n}".encode() for n in (2 * night, 2 * night + 1)}
        Packs(folder).put({f"key {max(0, 2 * night - 4)}": b"not this"} | added)
        stored |= added
    return stored


def test_small_packs_become_one_with_all_that_they_held(tmp_path: Path) -> None:
    stored = nights_of_packs(tmp_path, 9)
    reader, late = Packs(tmp_path), Packs(tmp_path)
    assert reader.get(stored) == stored
    (group,) = reader.scattered()
    assert len(group) == 9
    Packs(tmp_path).join(group)
    assert len(list(tmp_path.iterdir())) == 1 and not reader.scattered()
    assert reader.get(["key 4"]) == {"key 4": b"value 4"}
    assert reader.get(stored) == late.get(stored) == Packs(tmp_path).get(stored) == stored
    reader.put({"key 1": b"not this", "new": b"n"})
    assert late.known() == stored.keys() | {"new"}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_reader_that_meets_a_join_looks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the names that it has listed and the files that it then opens."""
    stored = nights_of_packs(tmp_path, 5)
    reader, real, left = Packs(tmp_path), pl.scan_parquet, [2]

    def joined_meanwhile(files: list[str], **options: Any) -> pl.LazyFrame:
        if left[0]:
            left[0] -= 1
            for group in Packs(tmp_path).scattered():
                Packs(tmp_path).join(group)
        return real(files, **options)

    monkeypatch.setattr(pl, "scan_parquet", joined_meanwhile)
    assert reader.get(stored) == stored


@pytest.mark.parametrize("killed_after", [0, 1, 4])
def test_a_join_that_is_killed_has_lost_nothing(tmp_path: Path, killed_after: int) -> None:
    stored = nights_of_packs(tmp_path, 6)
    code = f"""
    import pathlib
    unlink, left = pathlib.Path.unlink, [{killed_after}]
    def unlink_or_die(path, missing_ok=False):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= path.suffix == ".parquet"
        unlink(path, missing_ok)
    pathlib.Path.unlink = unlink_or_die
    packs = Packs(Path(sys.argv[2]))
    packs.join(packs.scattered()[0])
    """
    joiner = script(code, str(tmp_path))
    joiner.communicate(timeout=60)
    assert joiner.returncode == -signal.SIGKILL
    assert Packs(tmp_path).get(stored) == stored
    Packs(tmp_path).join(Packs(tmp_path).scattered()[0])
    assert Packs(tmp_path).get(stored) == stored
    assert len(list(tmp_path.glob("*.parquet"))) == 1


values = st.dictionaries(st.text(min_size=1, max_size=5), st.binary(max_size=20), max_size=8)


@given(values)
@settings(max_examples=8)
def test_packs_keep_first_values(new_place: Callable[[], str], values: dict[str, bytes]) -> None:
    place = storage(new_place())
    packs = Packs(place)
    packs.put(values)
    packs.put(dict.fromkeys(values, b"other"))
    assert Packs(place).get([*values, "never stored "]) == values


@given(
    st.lists(st.dictionaries(st.sampled_from(["a:1", "a:2", "a:3", "b:1"]), st.integers(0, 2)), max_size=5),
    st.sampled_from([1, 2, 100]),
)
@settings(max_examples=12)
def test_whatever_is_published_the_ledger_leads_to_what_stands(
    new_place: Callable[[], str], nights: list[dict[str, int]], at_a_time: int
) -> None:
    store = ParquetStore(storage(new_place()))
    with patch.object(ledger, "DECISIONS_AT_A_TIME", at_a_time):
        for night, values in enumerate(nights):
            store.publish("asset", result(values), **{**RUN, "inputs": str(night)})
    standing: dict[str, str] = {}
    for file in store.ledger_files("asset"):
        for line in pl.read_parquet(file).iter_rows(named=True):
            if line["reason"] == "vanished":
                del standing[line["problem_id"]]
            else:
                standing[line["problem_id"]] = line["sha_out"]
    last = nights[-1] if nights else {}
    assert standing == {name: str(value) for name, value in last.items()}
    assert dict(store.read("asset", SCHEMA).rows()) == last


def test_a_writer_that_was_overtaken_starts_from_what_the_other_left(bucket: None) -> None:
    """A writer that finds another manifest than it read tells the ledger what changed between the two. A folder is
    locked, so only in a bucket can this be."""
    place = new_bucket_place()
    quick = ParquetStore(storage(place))

    class Slow(ParquetStore):
        overtaken = False

        def _folder(self, asset: str, partition: Partition) -> Storage:
            folder = super()._folder(asset, partition)
            read = folder.read

            def late(names: Sequence[str]) -> list[Stored | None]:
                found = read(names)
                if not self.overtaken:
                    self.overtaken = True
                    quick.publish("asset", result({"a:1": 1, "a:2": 2}), **RUN)
                return found

            folder.read = late  # type: ignore[method-assign]
            return folder

    manifest = Slow(storage(place)).publish("asset", result({"a:1": 1, "a:3": 3}), **{**RUN, "inputs": "late"})
    assert manifest.version == 2
    lines = pl.read_parquet(quick.ledger_files("asset")).filter(version=2)
    assert lines.select("problem_id", "reason").rows() == [("a:2", "vanished"), ("a:3", "ok")]


def test_a_bucket_that_is_not_there_is_one_clear_line(bucket: None) -> None:
    store = ParquetStore(storage("s3://nobody-made-this/prefix"))
    with pytest.raises(UserError, match="no such bucket"):
        store.publish("asset", result({"a:1": 1}), **RUN)


def test_blobs_by_hash(place: str) -> None:
    blobs = Blobs(storage(place))
    shas = blobs.put_many([b"one", b"two", b"one"])
    assert shas[0] == shas[2] == hashlib.sha256(b"one").hexdigest()
    assert Blobs(storage(place)).get_many(shas) == {shas[0]: b"one", shas[1]: b"two"}
    with pytest.raises(KeyError, match="f00"):
        blobs.get_many(["f00"])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UserError, match="disk full"):
        write_atomic(path, lambda temporary: Path("/dev/full").write_bytes(b"x" * 10_000))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def script(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    common = """
    import sys
    from pathlib import Path
    sys.path.insert(0, str(Path(sys.argv[1])))
    from test_store import *
    store = ParquetStore(storage(sys.argv[2]))
    """
    source = textwrap.dedent(common) + textwrap.dedent(code)
    command = [sys.executable, "-c", source, str(Path(__file__).parent), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def test_writers_at_once_lose_nothing(place: str) -> None:
    code = """
    who = sys.argv[3]
    for n in range(5):
        store.publish("asset", result({f"{who}:{n}": n}), partition=Partition(f"2026-{n+1:02}", who), **RUN)
        store.publish("shared", result({f"{who}:{n}": n}), **{**RUN, "inputs": f"{who}{n}"})
        store.blobs.put_many([f"{who}{n}".encode(), b"common"])
    """
    writers = [script(code, place, f"w{n}") for n in range(3)]
    errors = [writer.communicate(timeout=90)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 3, errors
    store = ParquetStore(storage(place))
    assert store.read("asset", SCHEMA).height == 15
    manifest = store.manifest("shared")
    assert manifest is not None
    assert manifest.version == len(store.ledger_files("shared")) == 15
    assert len(store.blobs._packs.known()) == 16


def test_killed_at_any_moment_the_store_is_whole(place: str) -> None:
    code = """
    print(1, flush=True)
    n = 0
    while True:
        n += 1
        store.publish("asset", result({f"a:{i}": n for i in range(2000)}), **{**RUN, "inputs": str(n)})
    """
    store = ParquetStore(storage(place))

    def version() -> int:
        manifest = store.manifest("asset")
        return manifest.version if manifest else 0

    for attempt in range(3):
        before = version()
        writer = script(code, place)
        deadline = time.monotonic() + 60
        while version() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.03 + 0.013 * attempt)
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=30)
        rows = store.read("asset", SCHEMA)
        assert rows.height == 2000
        assert rows["value"].n_unique() == 1
        pl.read_parquet(store.ledger_files("asset"))
        store.publish("asset", result({"a:0": attempt}), **{**RUN, "inputs": f"mended {attempt}"})
        assert not [name for name in tree(store.storage) if ".tmp-" in name]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a small disk")
def test_a_full_disk_is_one_clear_line_and_loses_nothing(tmp_path: Path) -> None:
    code = textwrap.dedent(
        """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from test_store import *
        store = ParquetStore(Path(sys.argv[2]))
        store.publish("asset", result({"a:1": 1}), **RUN)
        try:
            for n in range(1000):
                noise = {os.urandom(64).hex(): n for _ in range(200)}
                store.publish("big", result(noise), **{**RUN, "inputs": str(n)})
        except UserError as error:
            assert store.read("asset", SCHEMA).rows() == [("a:1", 1)]
            assert store.read("big", SCHEMA).height == 200
            print(error)
            sys.exit(2)
        """
    )
    disk = tmp_path / "disk"
    disk.mkdir()
    shell = 'mount -t tmpfs -o size=300k none "$1" && exec "$2" -c "$3" "$4" "$1"'
    command = ["unshare", "-Urm", "sh", "-c", shell, "sh", str(disk), sys.executable, code, str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": ""})
    if "mount" in run.stderr or "unshare" in run.stderr:
        pytest.skip(f"cannot mount a small disk here: {run.stderr.strip()}")
    assert run.returncode == 2, run.stderr
    assert run.stdout.startswith("disk full while writing")
