"""A data set as a Source: a folder in the set's own layout, or `OWNER/NAME@COMMIT` on the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from microcoder_assets.collection.files import BAD_RECORD, fingerprint_files, one_line
from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.sets.rows import SetRow, data_files, require_datasets, set_rows
from microcoder_assets.errors import UserError

HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<commit>[\w./-]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class ProblemSet:
    """What is particular to one set.

    platforms: those its rows may have; the first is for rows that name none. patterns: its data files inside the
    repository. problem: one row, with how many references to keep for a label and language; raises one of BAD_RECORD.
    """

    kind: str
    platforms: tuple[str, ...]
    patterns: tuple[str, ...]
    problem: Callable[[SetRow, int], ScrapedProblem]


@dataclass(frozen=True, slots=True)
class SetSource:
    """layout: the set. place: a folder or file, or a name on the hub. commit: of the hub's repository, else empty."""

    layout: ProblemSet
    place: Path
    commit: str
    max_references: int

    @property
    def kind(self) -> str:
        return self.layout.kind

    @property
    def platforms(self) -> tuple[str, ...]:
        return self.layout.platforms

    def fingerprint(self) -> str:
        """A commit names its bytes, so nothing of the hub is read for it."""
        if self.commit:
            return fingerprint_commit(self.place.as_posix(), self.commit)
        return fingerprint_files(data_files(self.place, self.layout.patterns))

    def records(self) -> Iterator[ScrapedProblem | UnreadableRecord]:
        """Raises UserError where the hub's copy cannot be had or holds no data file."""
        require_datasets()
        root = download(self.place.as_posix(), self.commit, self.layout.patterns) if self.commit else self.place
        for name, path in _files_of(self.layout, root).items():
            for row in set_rows(name, path, self.platforms[0]):
                yield row if isinstance(row, UnreadableRecord) else self._record(row)

    def _record(self, row: SetRow) -> ScrapedProblem | UnreadableRecord:
        try:
            return self.layout.problem(row, self.max_references)
        except (*BAD_RECORD, MemoryError) as error:  # Python's parser raises MemoryError on deep nesting
            return UnreadableRecord(self.platforms[0], row.ref, "malformed_record", one_line(error))


def open_set(layout: ProblemSet, path: Path, max_references: int) -> SetSource:
    """path: a folder, a data file or `OWNER/NAME@COMMIT`.

    Raises UserError for a place that is neither there nor such a name, one without data files, and a name without a
    full commit hash: a branch moves, and rows must be those that the fingerprint stands for.
    """
    if path.exists():
        _files_of(layout, path)
        return SetSource(layout, path, "", max_references)
    repository, commit = hub_name(path, f"{layout.kind} source")
    return SetSource(layout, Path(repository), commit, max_references)


def hub_name(path: Path, what: str) -> tuple[str, str]:
    """Repository and commit of a `path` that is none on this machine. what: it is, for messages.

    Raises UserError where it is no name on the Hugging Face Hub, or one without a full commit hash.
    """
    name = HUB_NAME.fullmatch(path.as_posix())
    if name is None:
        raise UserError(f"{what} {path} does not exist")
    if not _COMMIT.fullmatch(name["commit"] or ""):
        raise UserError(
            f"{what} {path}: no such folder, and a name on the Hugging Face Hub needs the commit to "
            f"read: {name['repository']}@<40 hexadecimal digits>"
        )
    return name["repository"], name["commit"]


def fingerprint_commit(repository: str, commit: str) -> str:
    return hashlib.sha256(f"{repository}@{commit}".encode()).hexdigest()


def _files_of(layout: ProblemSet, root: Path) -> dict[str, Path]:
    files = data_files(root, layout.patterns)
    if not files:
        raise UserError(f"{layout.kind} source {root} holds no .parquet, .arrow or .jsonl file")
    return files


def download(repository: str, commit: str, patterns: tuple[str, ...]) -> Path:
    """The folder of the files in the hub's cache, got where they are not there yet. HF_HUB_OFFLINE=1 gets nothing.

    Raises UserError where they cannot be had.
    """
    import httpx
    from huggingface_hub import constants, snapshot_download

    try:
        found = snapshot_download(
            repository,
            repo_type="dataset",
            revision=commit,
            allow_patterns=list(patterns),
            local_files_only=constants.HF_HUB_OFFLINE,
        )
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise UserError(
            f"cannot get {repository} at {commit} from the Hugging Face Hub, and its cache does not hold it "
            f"({one_line(error)}); unset HF_HUB_OFFLINE where it is set, or name a local folder"
        ) from error
    return Path(found)
