"""Kattis problem packages, read for judging: tests, limits, checker and labelled submissions.

Source: the problem package format (legacy, 2023-07 and 2025-09). Of problem.yaml these keys are read, with the small
reader of `yaml_subset`: problem_format_version, name, type, validation, validator_flags, constants and, of limits,
time_limit, time_multiplier, time_multipliers.ac_to_time_limit, memory and output.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from microcoder_judge.checkers import checker_from_kattis
from microcoder_judge.package_files import PackageError, read_files
from microcoder_judge.records import Checker, Limits, Problem, RecordError, Test, Verdict
from microcoder_judge.yaml_subset import Mapping, YamlError, read_mapping

LEGACY_MULTIPLIER, MULTIPLIER = 5.0, 2.0
"""Time limit over the slowest accepted submission's time: the formats' own defaults, legacy and since 2023-07."""

MEMORY_MB, OUTPUT_MB = 2048, 8
"""What Kattis grants where the package says nothing, in MiB."""

FAILING = frozenset(Verdict) - {Verdict.AC, Verdict.IE}
LABELS = {
    "accepted": frozenset({Verdict.AC}),
    "wrong_answer": frozenset({Verdict.WA}),
    "run_time_error": frozenset({Verdict.RE, Verdict.MLE}),
    "time_limit_exceeded": frozenset({Verdict.TLE}),
    "partially_accepted": FAILING,
    "rejected": FAILING,
    "mixed": FAILING,
}
"""The verdicts that a submission's folder promises; for scoring problems, full score is what counts."""

_LANGUAGES = {
    **dict.fromkeys((".py", ".py3"), "python"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".c++", ".C"), "cpp"),
}
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".h++")
_EXPECTED = re.compile(r"@EXPECTED_RESULTS@:([^\n]*)")
_EXPECTED_NAMES = {
    "AC": ("CORRECT", "ACCEPTED", "AC"),
    "WA": ("WRONG_ANSWER", "NO_OUTPUT", "WA"),
    "TLE": ("TIMELIMIT", "TIME_LIMIT", "TIME_LIMIT_EXCEEDED", "TLE"),
    "RE": ("RUN_ERROR", "RUN_TIME_ERROR", "RUNTIME_ERROR", "RTE"),
    "CE": ("COMPILER_ERROR", "COMPILE_ERROR", "CE"),
    "MLE": ("MEMORY_LIMIT", "MEMORY_LIMIT_EXCEEDED", "MLE"),
    "OLE": ("OUTPUT_LIMIT", "OUTPUT_LIMIT_EXCEEDED", "OLE"),
}
_VERDICTS = {name: Verdict(verdict) for verdict, names in _EXPECTED_NAMES.items() for name in names}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)".*$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A submission of a package.

    path: its name below submissions/. label: its folder. permitted: the verdicts that it is labelled with.
    not_run: why it is not judged, such as its language; "" for one that is.
    """

    path: str
    label: str
    permitted: frozenset[Verdict] = frozenset()
    language: str = ""
    code: str = ""
    not_run: str = ""

    def fits(self, verdict: Verdict) -> bool:
        """Whether `verdict` is as labelled: AC where AC is promised, any failing one where a failing one is."""
        return verdict in self.permitted or (verdict in FAILING and bool(self.permitted & FAILING))


@dataclass(frozen=True, slots=True)
class Package:
    """A problem package.

    title: the problem's name, in the first language that has one. tests: sample before secret, by name; a case that
        several groups link to is there once.
    time_limit_s: CPU seconds, None where it follows from the accepted submissions: the slowest times time_multiplier.
    unsupported: why this judge cannot judge it (interactive, multi-pass, ...); "" for one that it can.
    """

    name: str
    title: str
    tests: tuple[Test, ...]
    checker: Checker
    time_limit_s: float | None
    time_multiplier: float
    memory_mb: int
    output_mb: int
    submissions: tuple[Labelled, ...]
    unsupported: str = ""

    def problem(self, time_s: float) -> Problem:
        """The problem, under a time limit of `time_s` CPU seconds. Raises RecordError for limits beyond ours."""
        limits = Limits(time_s, self.memory_mb, self.output_mb)
        return Problem(self.name, self.tests, limits, self.checker)


class _Unsupported(Exception):
    """What the package asks for is beyond this judge; the text says what."""


def read_package(path: str | Path) -> Package:
    """Read the package in a folder or a .tar, .tar.gz, .tar.bz2 or .tar.xz archive, without unpacking it.

    Raises PackageError in one line: no package, a broken archive, a link out of it, no tests, a test without its
    answer, a problem.yaml that cannot be read.
    """
    path = Path(path)
    files = read_files(path)
    try:
        config = read_mapping(_text(files["problem.yaml"]))
        return _package(re.sub(r"\.tar(\.\w+)?$", "", path.resolve().name), files, config)
    except YamlError as error:
        raise PackageError(f"{path}: problem.yaml: {error}") from error
    except RecordError as error:
        raise PackageError(f"{path}: {error}") from error


def _package(name: str, files: dict[str, bytes], config: Mapping) -> Package:
    legacy = (config.text("problem_format_version") or "legacy").startswith("legacy")
    limits = config.mapping("limits") or Mapping({})
    factors = limits.mapping("time_multipliers") or Mapping({})
    unsupported, checker = "", Checker()
    tests = _tests(files)
    try:
        checker = _checker(files, config, legacy, tuple(test.name for test in tests))
    except _Unsupported as error:
        unsupported = str(error)
    multiplier = limits.number("time_multiplier") or factors.number("ac_to_time_limit")
    return Package(
        name,
        _title(config),
        _distinct(tests),
        checker,
        limits.number("time_limit"),
        multiplier or (LEGACY_MULTIPLIER if legacy else MULTIPLIER),
        int(limits.number("memory") or MEMORY_MB),
        int(limits.number("output") or OUTPUT_MB),
        _submissions(files),
        unsupported,
    )


def _title(config: Mapping) -> str:
    if not config.is_mapping("name"):
        return config.text("name") or ""
    names = config.mapping("name") or Mapping({})
    return next(filter(None, map(names.text, names)), "")


# --- tests


def _tests(files: dict[str, bytes]) -> list[Test]:
    """sample before secret, each by name. The name of a test is its path below data/ without `.in`."""
    tests = []
    for kind in ("sample", "secret"):
        for name in sorted(files):
            if name.startswith(f"data/{kind}/") and name.endswith(".in"):
                stem = name.removesuffix(".in")
                if stem + ".ans" not in files:
                    raise RecordError(f"the test {name} has no answer file {stem}.ans")
                tests.append(Test(files[name], files[stem + ".ans"], stem.removeprefix("data/")))
    if not tests:
        raise RecordError("no tests: no data/sample/*.in and no data/secret/*.in")
    return tests


def _distinct(tests: Iterable[Test]) -> tuple[Test, ...]:
    found: dict[tuple[bytes, bytes], Test] = {}
    for test in tests:
        found.setdefault((test.input, test.expected), test)
    return tuple(found.values())


def _validator_flags(files: dict[str, bytes], config: Mapping, tests: Iterable[str]) -> tuple[str, ...]:
    """The validator flags of all tests: those of problem.yaml, then those of the innermost test group that has some.

    One problem has one checker: flags that differ from test to test are unsupported.
    """
    common = tuple(word for text in config.texts("validator_flags") or () for word in text.split())
    read: dict[str, tuple[str, ...] | None] = {}

    def group(name: str) -> tuple[str, ...] | None:
        if name not in read:
            read[name] = _group_flags(files, name)
            if read[name] is None and name != "data":
                read[name] = group(posixpath.dirname(name))
        return read[name]

    found = {group(f"data/{test}") or () for test in tests}
    if len(found) > 1:
        raise _Unsupported("validator flags that differ between test groups")
    return common + found.pop()


def _group_flags(files: dict[str, bytes], name: str) -> tuple[str, ...] | None:
    for file in (f"{name}.yaml", f"{name}/testdata.yaml", f"{name}/test_group.yaml"):
        if file not in files:
            continue
        try:
            group = read_mapping(_text(files[file]))
            if "output_validator_args" in group:
                return group.texts("output_validator_args")
            if "output_validator_flags" in group:
                return tuple((group.text("output_validator_flags") or "").split())
        except YamlError as error:
            raise RecordError(f"{file}: {error}") from error
    return None


# --- checkers


def _checker(files: dict[str, bytes], config: Mapping, legacy: bool, tests: tuple[str, ...]) -> Checker:
    validation = (config.text("validation") or "default").split()
    kinds = {word for text in config.texts("type") or () for word in text.split()} | set(validation)
    for word in ("interactive", "multi-pass", "submit-answer"):
        if word in kinds:
            raise _Unsupported(word)
    if "score" in kinds:
        raise _Unsupported("scores given by the validator")
    if any(name.startswith("data/") and name.endswith(".args") for name in files):
        raise _Unsupported("tests with command line arguments")
    flags = _validator_flags(files, config, tests)
    programs = _below(files, "output_validators") or _below(files, "output_validator")
    if not ("custom" in validation or (programs and not legacy)):
        return checker_from_kattis(" ".join(flags))
    if not programs:
        raise _Unsupported("a custom validator that the package lacks")
    while len({name.partition("/")[0] for name in programs}) == 1 and "/" in next(iter(programs)):
        programs = _below(programs, next(iter(programs)).partition("/")[0])
    language = _only_language(programs)
    if not language:
        raise _Unsupported("a validator that is not one program in Python or C++")
    code = one_file({name: _with_constants(_text(data), config) for name, data in programs.items()}, language)
    if code is None:
        raise _Unsupported("a validator of several Python files")
    return Checker("custom", program=code, language=language, flags=flags, protocol="kattis")


def _with_constants(text: str, config: Mapping) -> str:
    """`{{name}}` and `{{name.tag}}` replaced by the `constants` of problem.yaml (format 2025-09)."""
    constants = config.mapping("constants") or Mapping({})
    values: dict[str, str] = {}
    for name in constants:
        if constants.is_mapping(name) and (tags := constants.mapping(name)) is not None:
            values |= {f"{name}.{tag}": tags.text(tag) or "" for tag in tags}
            values[name] = values.get(f"{name}.value", "")
        else:
            values[name] = constants.text(name) or ""
    return re.sub(r"\{\{([A-Za-z_]\w*(?:\.\w+)?)\}\}", lambda match: values.get(match[1], match[0]), text)


def one_file(texts: dict[str, str], language: str) -> str | None:
    """One source text of a program of several files, or None where that cannot be made.

    C++: the sources one after the other, with each `#include "..."` of a file at hand put in its place the first time
    it is named and dropped after that, as under `#pragma once` (ours). Python: one file only.
    """
    sources = sorted(name for name in texts if not name.endswith(_HEADERS))
    if language == "python":
        return texts[sources[0]] if len(sources) == 1 else None
    seen: set[str] = set()

    def inlined(name: str) -> str:
        seen.add(name)

        def replace(match: re.Match[str]) -> str:
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[1]))
            found = next((file for file in (beside, match[1]) if file in texts), None)
            if found is None:
                return match[0]
            return "" if found in seen else inlined(found)

        return _INCLUDE.sub(replace, re.sub(r"^[ \t]*#[ \t]*pragma[ \t]+once.*$", "", texts[name], flags=re.MULTILINE))

    return "\n".join(inlined(name) for name in sources if name not in seen)


# --- submissions


def _submissions(files: dict[str, bytes]) -> tuple[Labelled, ...]:
    """One a file or folder below submissions/LABEL/, by name."""
    rules = _rules(files.get("submissions/submissions.yaml"))
    found: dict[str, dict[str, bytes]] = {}
    for name, data in sorted(_below(files, "submissions").items()):
        parts = name.split("/")
        if len(parts) > 1 and not any(part.startswith(".") for part in parts):
            inside = "/".join(parts[2:]) or parts[1]
            found.setdefault("/".join(parts[:2]), {})[inside] = data
    return tuple(_labelled(path, program, rules) for path, program in found.items())


def _labelled(path: str, program: dict[str, bytes], rules: dict[str, frozenset[Verdict]]) -> Labelled:
    label = path.partition("/")[0]
    language = _only_language(program)
    if not language:
        return Labelled(path, label, not_run="language")
    texts = {name: _text(data) for name, data in program.items()}
    folder_rule = {label: LABELS[label]} if label in LABELS else {}
    permitted = expected_results(texts.values()) or _ruled(path, {**folder_rule, **rules})
    code = one_file(texts, language)
    if code is None:
        return Labelled(path, label, permitted, language, not_run="several Python files")
    return Labelled(path, label, permitted, language, code, "" if permitted else "no label")


def expected_results(texts: Iterable[str]) -> frozenset[Verdict]:
    """The verdicts of `@EXPECTED_RESULTS@: ...` in a program; none for names that are not known."""
    names = (word for text in texts for line in _EXPECTED.findall(text) for word in line.split(","))
    words = (re.match(r"\s*([A-Za-z_ -]*[A-Za-z])", name) for name in names)
    known = (_VERDICTS.get(re.sub("[ -]", "_", word[1].upper())) for word in words if word)
    return frozenset(verdict for verdict in known if verdict)


def _rules(data: bytes | None) -> dict[str, frozenset[Verdict]]:
    """The verdicts that submissions.yaml (format 2025-09) permits by path pattern.

    A `required` list without AC takes AC away. Rules for single test groups are not read.
    """
    rules: dict[str, frozenset[Verdict]] = {}
    try:
        mapping = read_mapping(_text(data or b""))
        for pattern in mapping:
            entry = mapping.mapping(pattern) or Mapping({})
            permitted = _verdicts(entry.texts("permitted")) or frozenset(Verdict)
            required = _verdicts(entry.texts("required"))
            if "permitted" in entry or "required" in entry:
                rules[pattern] = permitted & FAILING if required and Verdict.AC not in required else permitted
    except YamlError as error:
        raise RecordError(f"submissions/submissions.yaml: {error}") from error
    return rules


def _verdicts(names: tuple[str, ...] | None) -> frozenset[Verdict]:
    return frozenset(_VERDICTS[name] for name in names or () if name in _VERDICTS)


def _ruled(path: str, rules: dict[str, frozenset[Verdict]]) -> frozenset[Verdict]:
    """What all rules that match the path or a folder above it permit; nothing where no rule does."""
    permitted = [verdicts for pattern, verdicts in rules.items() if any(_matches(path, p) for p in _braces(pattern))]
    return frozenset.intersection(*permitted) if permitted else frozenset()


def _matches(path: str, pattern: str) -> bool:
    parts, patterns = path.split("/"), pattern.split("/")
    return len(patterns) <= len(parts) and all(map(fnmatchcase, parts, patterns))


def _braces(pattern: str) -> list[str]:
    match = re.search(r"\{([^{}]*)\}", pattern)
    if match is None:
        return [pattern]
    ends = _braces(pattern[match.end() :])
    return [pattern[: match.start()] + choice.strip() + end for choice in match[1].split(",") for end in ends]


# --- files


def _below(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{folder}/"): data for name, data in files.items() if name.startswith(f"{folder}/")}


def _language(name: str, data: bytes) -> str:
    """The language by the file's ending, as Kattis has it; a first line that names python2 is another language."""
    language = _LANGUAGES.get(posixpath.splitext(name)[1], "")
    return "" if language == "python" and re.match(rb"#!.*python2", data) else language


def _only_language(program: dict[str, bytes]) -> str:
    """The one language of a program's files, headers aside; "" for another or for several."""
    languages = {_language(name, data) for name, data in program.items() if not name.endswith(_HEADERS)}
    return languages.pop() if len(languages) == 1 else ""


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
