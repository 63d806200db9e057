"""Problem packages in the Kattis problem package format, legacy and 2023-07, as folders or archives.

Beside problem.yaml a package may hold our own `microcoder.yaml`: platform, contest, published, tier (1 to 4), io_mode,
entry_point, starter_code, tags, rating.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from microcoder_assets.collection.constants import with_constants
from microcoder_assets.collection.files import BAD_RECORD, fingerprint_files, one_line
from microcoder_assets.collection.package_files import (
    SUFFIXES,
    BadPackage,
    folder_files,
    outermost,
    read_package,
    read_packages,
    suffix_of,
)
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.collection.records import Reference, ScrapedProblem, ScrapedTest, UnreadableRecord
from microcoder_assets.errors import UserError
from microcoder_judge import Checker, Verdict, checker_from_kattis
from microcoder_judge.kattis_package import expected_results, one_file

EXTENSION = "microcoder.yaml"
LABELS = {
    "accepted": "accepted",
    "wrong_answer": "wrong_answer",
    "time_limit_exceeded": "time_limit_exceeded",
    "run_time_error": "run_time_error",
    "partially_accepted": "rejected",
    "rejected": "rejected",
    "mixed": "rejected",
}
"""Submission folder to reference label. What is only partially accepted must not pass all tests. `@EXPECTED_RESULTS@`
in a submission goes before its folder."""
LANGUAGES = {
    "py": "python",
    "py3": "python",
    "c": "c",
    "cc": "cpp",
    "cpp": "cpp",
    "cxx": "cpp",
    "java": "java",
    "kt": "kotlin",
    "hs": "haskell",
    "rs": "rust",
    "go": "go",
    "js": "javascript",
    "cs": "csharp",
    "rb": "ruby",
}
"""Language by file extension; files of other extensions are not taken."""

_STATEMENT = re.compile(r"(?:problem_statement|statement)/problem(?:\.([a-z]{2,3}(?:-[A-Z]{2})?))?\.(tex|md)")
_FORMATS = {"tex": "latex", "md": "markdown"}
_LOCAL_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"', re.MULTILINE)
_VALIDATOR = re.compile(r"output_validators?/(?:.+/)?[^/]+\.([A-Za-z0-9]+)")
_HEADERS = ("h", "hpp")
_PACKAGE_FOLDERS = ("data", "statement", "problem_statement", "submissions")
_PROBLEM_NAME = re.compile(r"\\problemname\{([^{}]+)\}")
_TEST_CONFIGS = tuple(f"data/{folder}{name}.yaml" for folder in ("", "secret/") for name in ("test_group", "testdata"))


@dataclass(slots=True)
class KattisSource:
    """A folder of packages, or one package or archive. packages: each with the platform it is filed under."""

    path: Path
    packages: Mapping[Path, str]
    platforms: tuple[str, ...]
    kind: str = "kattis"

    def fingerprint(self) -> str:
        files = {}
        for package in self.packages:
            for path in folder_files(package) if package.is_dir() else (package,):
                if path.is_file():
                    files[path.relative_to(self.path.parent).as_posix()] = path
        return fingerprint_files(files)

    def records(self) -> Iterator[ScrapedProblem | UnreadableRecord]:
        for path, platform in self.packages.items():
            ref = path.name if path == self.path else path.relative_to(self.path).as_posix()
            try:
                packages = {ref: read_package(path)} if path.is_dir() else _archived(ref, read_packages(path))
            except BadPackage as error:
                yield UnreadableRecord(platform, ref, "malformed_record", one_line(error))
                continue
            for inner, files in packages.items():
                yield _record(inner, files, platform, archived=not path.is_dir())


def _archived(ref: str, packages: Mapping[str, dict[str, bytes]]) -> dict[str, dict[str, bytes]]:
    """Packages of an archive by their refs: an archive of one is named by its file, of several by their folders in it.

    A folder that all of them lie in, such as the one that GitHub puts around a repository, names nothing.
    """
    if len(packages) == 1:
        return {ref: next(iter(packages.values()))}
    shared = posixpath.commonpath(list(packages))
    return {f"{ref}/{root.removeprefix(f'{shared}/') if shared else root}": files for root, files in packages.items()}


def _record(ref: str, files: Mapping[str, bytes], platform: str, archived: bool) -> ScrapedProblem | UnreadableRecord:
    try:
        found = problem(ref, files, archived)
        if found.platform != platform:
            raise BadPackage(f"{EXTENSION} behind a link names {found.platform!r}; put it in the folder")
    except (BadPackage, yaml.YAMLError, *BAD_RECORD) as error:
        return UnreadableRecord(platform, ref, "malformed_record", one_line(error))
    return found


def open_kattis(path: Path) -> KattisSource:
    """path: a package, an archive of one or several, or a folder with such below it, for example a checkout of a
    repository. Raises UserError without one."""
    single = suffix_of(path) or (path / "problem.yaml").exists()
    paths = [path] if single else list(_packages_below(path))
    if not paths:
        raise UserError(f"kattis source {path} holds no problem package (a folder, {', '.join(SUFFIXES)})")
    packages = {package: _platform_of(package) for package in paths}
    platforms = {"kattis", *packages.values()}
    return KattisSource(path, packages, tuple(name for name in PLATFORMS if name in platforms))


def _packages_below(folder: Path) -> Iterator[Path]:
    """Archives and package folders, in order. Folders whose names begin with a dot or an underscore are left out.

    A folder with one problem.yaml somewhere below is that package; with several, each is one. Without any it is a
    broken package when it has a package's folders, else what archives lie below it.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    for entry in (entry for entry in entries if not entry.name.startswith((".", "_"))):
        if not entry.is_dir():
            yield from [entry] if suffix_of(entry) else []
            continue
        inside = (file.relative_to(entry).as_posix() for file in folder_files(entry) if file.name == "problem.yaml")
        roots = outermost(map(posixpath.dirname, inside))
        if len(roots) > 1:
            yield from (entry / root for root in roots if not root.startswith((".", "_")))
        elif roots or any((entry / name).is_dir() for name in _PACKAGE_FOLDERS):
            yield entry
        else:
            yield from _packages_below(entry)


def problem(ref: str, packed: Mapping[str, bytes], archived: bool = False) -> ScrapedProblem:
    """One package. Raises BadPackage, YAMLError or one of BAD_RECORD when it cannot be read.

    `nwerc2023__datepicker.tar.xz` and the folder `nwerc2023/datepicker` are problem `nwerc2023-datepicker` of contest
    `nwerc2023`. The platform is `kattis` unless microcoder.yaml of an unpacked package names another: a source must
    know its platforms without unpacking.
    """
    stem = _stem(ref)
    contest, _, _ = stem.rpartition("__")
    meta = _mapping(packed, "problem.yaml")
    ours = _mapping(packed, EXTENSION) if EXTENSION in packed else {}
    files = with_constants(packed, meta.get("constants"))
    platform = _named_platform(ours)
    if platform != "kattis" and archived:
        raise BadPackage(f"{EXTENSION} of an archive cannot name platform {platform!r}; unpack the archive")
    language, statement_file = _statement_file(files)
    io_mode = _text(ours, "io_mode") or "stdin"
    if io_mode not in ("stdin", "function"):
        raise BadPackage(f"{EXTENSION}: io_mode must be stdin or function, not {io_mode!r}")
    function = io_mode == "function"
    kinds = _kinds(meta)
    checker, flags = _checker(meta, files, function, kinds)
    published = _date(ours.get("published"))
    limits = meta.get("limits") or {}
    statement = files[statement_file].decode()
    return ScrapedProblem(
        platform=platform,
        native_id=stem.replace("__", "-"),
        title=_title(meta, language, statement) or stem.rpartition("__")[2],
        statement=statement,
        statement_format=_FORMATS[statement_file.rpartition(".")[2]],
        statement_language=language,
        source_ref=ref,
        record_sha=_sha_of(packed),
        contest=_text(ours, "contest") or contest or None,
        published=published,
        published_basis="contest" if published else None,
        io_mode=io_mode,
        entry_point=ours["entry_point"] if function else None,
        starter_code=_text(ours, "starter_code") or None,
        tests=tuple(_tests(files, function)),
        checker=checker,
        time_limit_s=_number(limits.get("time_limit") or files.get(".timelimit")),
        memory_limit_mb=int(limits["memory"]) if limits.get("memory") else None,
        references=tuple(_references(files)),
        tags=tuple(ours.get("tags") or _keywords(meta)),
        difficulty_label=_tier(ours["tier"]) if "tier" in ours else None,
        ratings=(("community", float(ours["rating"])),) if "rating" in ours else (),
        license=_text(meta, "license") or None,
        flags=tuple(sorted(flags)),
    )


def _stem(ref: str) -> str:
    """`contest__problem` by a ref: a file without its suffix, or the folders below the source or inside an archive."""
    archive = next((parent for parent in Path(ref).parents if suffix_of(parent)), None)
    inner = Path(ref).relative_to(archive).as_posix() if archive else ref.removesuffix(suffix_of(Path(ref)) or "")
    return inner.replace("/", "__")


def _keywords(meta: Mapping[str, Any]) -> list[str]:
    """A list (2023-07) or one text with spaces (legacy)."""
    declared = meta.get("keywords") or []
    return declared.split() if isinstance(declared, str) else declared


def _named_platform(ours: Mapping[str, Any]) -> str:
    """The platform that microcoder.yaml names, `kattis` where it names none. Raises BadPackage for an unknown one."""
    platform = _text(ours, "platform") or "kattis"
    if platform not in PLATFORMS:
        raise BadPackage(f"{EXTENSION} names the unknown platform {platform!r}; one of {', '.join(PLATFORMS)}")
    return platform


def _platform_of(package: Path) -> str:
    """The platform to file a package under: as `problem` will find it, but `kattis` where nothing can be read.

    microcoder.yaml lies beside the outermost problem.yaml, as in `read_package`.
    """
    root = package
    if package.is_dir() and not (package / "problem.yaml").exists():
        roots = [file.parent for file in folder_files(package) if file.name == "problem.yaml"]
        root = min(roots, key=lambda folder: len(str(folder)), default=package)
    try:
        return _named_platform(_mapping({EXTENSION: (root / EXTENSION).read_bytes()}, EXTENSION))
    except (OSError, *BAD_RECORD):
        return "kattis"


def _mapping(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(files[name])
    except yaml.YAMLError as error:
        raise BadPackage(f"{name} is not valid YAML: {one_line(error)}") from error
    if not isinstance(found, dict):
        raise BadPackage(f"{name} must hold a mapping")
    return found


def _text(mapping: Mapping[str, Any], key: str) -> str:
    """A scalar as text, empty where there is none. Raises BadPackage for a list or mapping."""
    value = mapping.get(key)
    if isinstance(value, list | dict):
        raise BadPackage(f"{key} must be text")
    return "" if value is None else str(value).strip()


def _tier(value: object) -> str:
    if value not in (1, 2, 3, 4):
        raise BadPackage(f"{EXTENSION}: tier must be 1, 2, 3 or 4")
    return f"tier-{value}"


def _statement_file(files: Mapping[str, bytes]) -> tuple[str, str]:
    """Language and name of the statement: English where there is one, else the first language; Markdown first."""
    found = [(match[1] or "en", name) for name in files if (match := _STATEMENT.fullmatch(name))]
    if not found:
        raise BadPackage("holds no problem statement in LaTeX or Markdown")
    return min(found, key=lambda candidate: (candidate[0] != "en", candidate))


def _title(meta: Mapping[str, Any], language: str, statement: str) -> str:
    """problem.yaml's name, in the statement's language where it has several; else the statement's `\\problemname`."""
    names = meta.get("name")
    if isinstance(names, dict):
        title = _text(names, language if language in names else next(iter(names), ""))
    else:
        title = _text(meta, "name")
    if not title and (match := _PROBLEM_NAME.search(statement)):
        title = match[1].strip()
    return title


def _kinds(meta: Mapping[str, Any]) -> set[str]:
    """Words of `type` (2023-07) and `validation` (legacy)."""
    declared = meta.get("type") or ()
    words = declared.split() if isinstance(declared, str) else declared
    return {*words, *_text(meta, "validation").split()}


def _checker(
    meta: Mapping[str, Any], files: Mapping[str, bytes], function: bool, kinds: set[str]
) -> tuple[Checker | None, set[str]]:
    flags = {"scoring"} & kinds
    options = _validator_flags(meta, files)
    if kinds & {"interactive", "multi-pass"}:
        return None, {*flags, "interactive"}
    validators = {name: match[1] for name in files if (match := _VALIDATOR.fullmatch(name))}
    programs = {name: extension for name, extension in validators.items() if extension not in _HEADERS}
    if function and "custom" not in kinds:
        return Checker("unordered" if "unordered" in options.split() else "value"), flags
    if "custom" not in kinds and not programs:
        return checker_from_kattis(options, "default"), flags
    languages = {LANGUAGES.get(extension, "") for extension in programs.values()}
    language = languages.pop() if len(languages) == 1 else ""
    if language in ("python", "cpp"):
        program = one_file({name: files[name].decode(errors="replace") for name in validators}, language)
        if program is not None and not _LOCAL_INCLUDE.search(program):
            arguments = tuple(options.split())
            return Checker("custom", program=program, language=language, flags=arguments, protocol="kattis"), flags
    return None, {*flags, "unsupported_checker"}


def _validator_flags(meta: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """The default validator's flags: in problem.yaml (legacy), or with the test data (2023-07, 2025-09)."""
    flags = _text(meta, "validator_flags")
    for config in (_mapping(files, name) for name in _TEST_CONFIGS if name in files):
        arguments = config.get("output_validator_args") or ()
        flags = flags or _text(config, "output_validator_flags") or " ".join(arguments)
    return flags


def _tests(files: Mapping[str, bytes], function: bool) -> Iterator[ScrapedTest]:
    """Samples first, then secret tests by name. A case that groups share is taken once.

    Raises BadPackage for a test of a function problem that is not an array of arguments and a JSON value.
    """
    seen = set()
    for folder in ("data/sample/", "data/secret/"):
        for name in sorted(name for name in files if name.startswith(folder) and name.endswith(".in")):
            stem = name.removesuffix(".in")
            if f"{stem}.ans" not in files:
                continue
            case = (files[name], files[f"{stem}.ans"])
            if function and not _is_call(*case):
                raise BadPackage(f"{stem}: a function test needs a JSON array in .in and a JSON value in .ans")
            if case not in seen:
                seen.add(case)
                yield ScrapedTest(stem.removeprefix("data/"), folder == "data/sample/", *case)


def _is_call(arguments: bytes, expected: bytes) -> bool:
    try:
        json.loads(expected)
        return isinstance(json.loads(arguments), list)
    except (ValueError, RecursionError):
        return False


def _references(files: Mapping[str, bytes]) -> Iterator[Reference]:
    """Submissions of one file in a known language; those of several files cannot be run and are left out, and those
    that may pass as well as fail prove nothing."""
    units: dict[str, list[str]] = {}
    for name in sorted(files):
        parts = name.split("/")
        if parts[0] == "submissions" and len(parts) > 2 and parts[1] in LABELS:
            units.setdefault("/".join(parts[1:3]), []).append(name)
    for unit, names in units.items():
        language = LANGUAGES.get(names[0].rpartition(".")[2])
        if len(names) == 1 and language:
            code = files[names[0]].decode("utf-8", "replace")
            label = _label(posixpath.dirname(unit), expected_results([code]))
            if label is not None:
                yield Reference(unit, language, label, code)


def _label(folder: str, expected: frozenset[Verdict]) -> str | None:
    """The label of a submission that its author expects these verdicts of, if any; None where it may pass or fail. Of
    one that may be too slow nothing else is known."""
    if not expected:
        return LABELS[folder]
    if Verdict.AC in expected:
        return "accepted" if len(expected) == 1 else None
    if Verdict.TLE in expected:
        return "time_limit_exceeded"
    if expected == {Verdict.WA}:
        return "wrong_answer"
    return "run_time_error" if expected <= {Verdict.RE, Verdict.MLE} else "rejected"


def _date(value: Any) -> dt.date | None:
    if value is None or type(value) is dt.date:
        return value
    return dt.date.fromisoformat(str(value))


def _number(value: Any) -> float | None:
    return float(value) if value else None


def _sha_of(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()
