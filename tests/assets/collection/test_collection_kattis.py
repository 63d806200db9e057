"""Packages in every form the adapter takes, and what it says of those it cannot."""

from __future__ import annotations

import datetime as dt
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from collection_files import PACKAGE, write_folder, write_tar, write_zip
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.collection import package_files
from microcoder_assets.collection.kattis import open_kattis
from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.config import CollectionSettings
from microcoder_assets.errors import UserError
from microcoder_assets.stage import Kind
from microcoder_assets.store import Blobs
from microcoder_judge import Checker

OURS = b"platform: harbor\ncontest: harbor-cup-1\npublished: 2025-10-25\ntier: 2\ntags: [sums]\nrating: 1100\n"


def read(path: Path) -> ScrapedProblem:
    (record,) = open_kattis(path).records()
    assert isinstance(record, ScrapedProblem), record
    return record


def read_error(path: Path) -> str:
    (record,) = open_kattis(path).records()
    assert isinstance(record, UnreadableRecord), record
    assert record.reason == "malformed_record" and record.source_ref == path.name and "\n" not in record.detail
    return record.detail


def changed(**files: bytes | str) -> dict[str, bytes]:
    renamed = {name.replace("__", "/").replace("_yaml", ".yaml"): content for name, content in files.items()}
    return {**PACKAGE, **{k: v if isinstance(v, bytes) else v.encode() for k, v in renamed.items()}}


def test_a_package_becomes_a_problem(tmp_path: Path) -> None:
    problem = read(write_folder(tmp_path / "twonumbers", PACKAGE))
    assert (problem.problem_id, problem.title, problem.contest) == ("kattis:twonumbers", "Two Numbers", None)
    assert (problem.statement, problem.statement_format, problem.statement_language) == (
        "Add two numbers.\n",
        "markdown",
        "en",
    )
    assert [(t.name, t.sample, t.input, t.expected) for t in problem.tests] == [
        ("sample/1", True, b"1 2\n", b"3\n"),
        ("secret/group1/1", False, b"5 6\n", b"11\n"),
    ]
    assert [(r.name, r.language, r.label) for r in problem.references] == [
        ("accepted/good.py", "python", "accepted"),
        ("partially_accepted/half.py", "python", "rejected"),
        ("wrong_answer/bad.cc", "cpp", "wrong_answer"),
    ]
    assert problem.checker == Checker("tokens", case_sensitive=False)
    assert (problem.time_limit_s, problem.memory_limit_mb, problem.license) == (1.5, 64, "cc by-sa")
    assert (problem.published, problem.published_basis, problem.flags) == (None, None, ())


@pytest.mark.parametrize("suffix", package_files.SUFFIXES)
def test_an_archive_reads_as_its_folder_does(tmp_path: Path, suffix: str) -> None:
    folder = read(write_folder(tmp_path / "twonumbers", PACKAGE))
    nested = {f"twonumbers/{name}": content for name, content in PACKAGE.items()}
    path = tmp_path / f"cup2024__twonumbers{suffix}"
    packed = read(write_zip(path, nested) if suffix == ".zip" else write_tar(path, nested))
    assert (packed.native_id, packed.contest) == ("cup2024-twonumbers", "cup2024")
    assert (packed.record_sha, packed.tests, packed.references) == (folder.record_sha, folder.tests, folder.references)


REPOSITORY = {
    **{f"cup/one/{name}": content for name, content in PACKAGE.items()},
    **{f"cup/two/{name}": content for name, content in PACKAGE.items()},
    **{f"cup/two/inner/{name}": content for name, content in PACKAGE.items()},
    "cup/README.md": b"The cup.",
    "docs/rules.md": b"No package.",
    ".ci/one/problem.yaml": b"name: Hidden\n",
}


def test_a_checkout_of_a_repository_holds_packages_in_its_folders(tmp_path: Path) -> None:
    write_folder(tmp_path, REPOSITORY)
    write_folder(tmp_path / "single", PACKAGE)
    write_folder(tmp_path / "wrapped" / "inside", PACKAGE)
    (tmp_path / "packed").mkdir()
    write_zip(tmp_path / "packed" / "cup2024__three.zip", PACKAGE)
    write_folder(tmp_path / "broken", {"data/sample/1.in": b"1"})
    records = list(open_kattis(tmp_path).records())
    assert [(r.source_ref, getattr(r, "native_id", None), getattr(r, "contest", None)) for r in records] == [
        ("broken", None, None),
        ("cup/one", "cup-one", "cup"),
        ("cup/two", "cup-two", "cup"),
        ("packed/cup2024__three.zip", "packed-cup2024-three", "packed__cup2024"),
        ("single", "single", None),
        ("wrapped", "wrapped", None),
    ]


@pytest.mark.parametrize("around", ["", "repository-main/", "a/b/"])
@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_an_archive_of_a_repository_holds_packages(
    tmp_path: Path, write: Callable[[Path, Mapping[str, bytes]], Path], around: str
) -> None:
    files = {f"{around}{name}": content for name, content in REPOSITORY.items() if not name.startswith(".ci")}
    files[f"{around}other/broken/problem.yaml"] = b"name: [broken"
    archive = write(tmp_path / "cups.zip", files) if write is write_zip else write(tmp_path / "cups.tar.gz", files)
    records = list(open_kattis(tmp_path).records())
    assert [(r.source_ref, getattr(r, "native_id", None)) for r in records] == [
        (f"{archive.name}/cup/one", "cup-one"),
        (f"{archive.name}/cup/two", "cup-two"),
        (f"{archive.name}/other/broken", None),
    ]
    (one,) = (r for r in records if r.source_ref.endswith("one"))
    assert isinstance(one, ScrapedProblem) and len(one.tests) == 2 and len(one.references) == 3


def test_constants_are_put_where_the_package_uses_them(tmp_path: Path) -> None:
    files = {name: content for name, content in PACKAGE.items() if not name.startswith("problem_statement")}
    files |= {
        "problem.yaml": b"name: Many\nkeywords: [sums, 'two words']\nconstants: {N: 5, word: {value: 7, roman: VII}}\n",
        "statement/problem.en.tex": rb"Print \constant{N}, {{word}} or \constant{word.roman}, not \constant{none}.",
        "data/secret/3.in": b"{{N}}\n",
        "data/secret/3.ans": b"{{N}}\n",
        "submissions/accepted/n.py": b"print({{N}}, {{ N }})\n",
    }
    problem = read(write_folder(tmp_path / "many", files))
    assert problem.statement == r"Print 5, 7 or VII, not \constant{none}."
    assert [t.input for t in problem.tests if t.name == "secret/3"] == [b"{{N}}\n"]
    assert [r.code for r in problem.references if r.name == "accepted/n.py"] == ["print(5, {{ N }})\n"]
    assert problem.tags == ("sums", "two words")


def test_keywords_of_the_legacy_format_are_one_text(tmp_path: Path) -> None:
    assert read(write_folder(tmp_path / "a", changed(problem_yaml="name: A\nkeywords: sums graphs"))).tags == (
        "sums",
        "graphs",
    )


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3).map("/".join)))
def test_outermost_folders_lie_in_no_other(folders: list[str]) -> None:
    found = package_files.outermost(folders)
    inside = [
        folder
        for folder in folders
        if any(folder != top and f"{folder}/".startswith(f"{top}/" if top else "") for top in found)
    ]
    assert sorted({*found, *inside}) == sorted(set(folders)) and not set(found) & set(inside)


def test_our_extension_dates_and_places_a_problem(tmp_path: Path) -> None:
    write_folder(tmp_path / "two", changed(microcoder_yaml=OURS))
    source = open_kattis(tmp_path)
    (problem,) = source.records()
    assert isinstance(problem, ScrapedProblem)
    assert source.platforms == ("harbor", "kattis")
    assert (problem.problem_id, problem.contest) == ("harbor:two", "harbor-cup-1")
    assert (problem.published, problem.published_basis) == (dt.date(2025, 10, 25), "contest")
    assert (problem.difficulty_label, problem.tags, problem.ratings) == ("tier-2", ("sums",), (("community", 1100.0),))


@pytest.mark.parametrize(("flags", "checker"), [("", "value"), ("unordered", "unordered")])
def test_a_function_problem(tmp_path: Path, flags: str, checker: str) -> None:
    files = {name: content for name, content in PACKAGE.items() if not name.startswith("data/")}
    files |= {
        "microcoder.yaml": b"platform: meadow\nio_mode: function\nentry_point: add\nstarter_code: 'def add(a, b):'\n",
        "problem.yaml": f"name: Add\nvalidator_flags: {flags}\n".encode(),
        "data/sample/1.in": b"[1, 2]\n",
        "data/sample/1.ans": b"3\n",
    }
    problem = read(write_folder(tmp_path / "add", files))
    assert (problem.io_mode, problem.entry_point, problem.starter_code) == ("function", "add", "def add(a, b):")
    assert problem.checker == Checker(checker)
    broken = write_folder(tmp_path / "add2", {**files, "data/sample/1.in": b"1 2\n"})
    assert "data/sample/1" in read_error(broken)


@pytest.mark.parametrize(
    ("files", "checker", "flags"),
    [
        ({"problem_yaml": "validator_flags: float_tolerance 1e-6"}, "tokens_float", ()),
        ({"data__test_group_yaml": 'output_validator_args: [float_tolerance, "1e-4"]'}, "tokens_float", ()),
        ({"data__testdata_yaml": "output_validator_flags: case_sensitive"}, "tokens", ()),
        ({"problem_yaml": "validation: custom", "output_validators__v.py": "exit(42)"}, "custom", ()),
        ({"problem_yaml": "type: pass-fail", "output_validator__v.py": "exit(42)"}, "custom", ()),
        ({"problem_yaml": "validation: custom", "output_validators__v.cc": "int main() {}"}, "custom", ()),
        (
            {"problem_yaml": "validation: custom", "output_validators__v.cc": '#include "testlib.h"'},
            None,
            ("unsupported_checker",),
        ),
        ({"problem_yaml": "validation: custom", "output_validators__v.java": ""}, None, ("unsupported_checker",)),
        ({"problem_yaml": "validation: custom"}, None, ("unsupported_checker",)),
        ({"problem_yaml": "validation: custom interactive"}, None, ("interactive",)),
        ({"problem_yaml": "type: [interactive, multi-pass]"}, None, ("interactive",)),
        ({"problem_yaml": "type: scoring"}, "tokens", ("scoring",)),
    ],
)
def test_how_a_package_is_judged(
    tmp_path: Path, files: dict[str, str], checker: str | None, flags: tuple[str, ...]
) -> None:
    problem = read(write_folder(tmp_path / "two", changed(**files)))
    assert (problem.checker.name if problem.checker else None, problem.flags) == (checker, flags)


def test_english_is_preferred_and_a_title_may_stand_in_the_statement(tmp_path: Path) -> None:
    files = {name: content for name, content in PACKAGE.items() if not name.startswith("problem_statement")}
    files |= {"problem.yaml": b"license: unknown\n", "statement/problem.sv.tex": rb"\problemname{Tal} x"}
    assert read(write_folder(tmp_path / "a", files)).statement_language == "sv"
    both = read(write_folder(tmp_path / "b", {**files, "statement/problem.tex": rb"\problemname{Numbers} x"}))
    assert (both.statement_language, both.statement_format, both.title) == ("en", "latex", "Numbers")


def test_submissions_of_several_files_and_unknown_languages_are_left_out(tmp_path: Path) -> None:
    extra = {
        "submissions/accepted/single/only.py": b"1",
        "submissions/accepted/two/a.py": b"1",
        "submissions/accepted/two/b.py": b"1",
        "submissions/accepted/x.cc.disabled": b"1",
        "submissions/slow_accepted/slow.py": b"1",
    }
    problem = read(write_folder(tmp_path / "two", {**PACKAGE, **extra}))
    assert [r.name for r in problem.references if r.label == "accepted"] == ["accepted/good.py", "accepted/single"]


@pytest.mark.parametrize(
    ("folder", "expected", "label"),
    [
        ("mixed", "ACCEPTED, TIME_LIMIT_EXCEEDED", None),
        ("accepted", "ACCEPTED", "accepted"),
        ("mixed", "WRONG_ANSWER, TIMELIMIT", "time_limit_exceeded"),
        ("rejected", "WRONG_ANSWER", "wrong_answer"),
        ("rejected", "RUN_TIME_ERROR", "run_time_error"),
        ("wrong_answer", "RUN_TIME_ERROR, WRONG_ANSWER", "rejected"),
        ("mixed", "a name that nobody knows", "rejected"),
    ],
)
def test_what_its_author_expects_goes_before_a_submissions_folder(
    tmp_path: Path, folder: str, expected: str, label: str | None
) -> None:
    files = {**PACKAGE, f"submissions/{folder}/it.py": f"# @EXPECTED_RESULTS@: {expected}\nprint(1)\n".encode()}
    found = {r.name: r.label for r in read(write_folder(tmp_path / "p", files)).references}
    assert found.get(f"{folder}/it.py") == label


def test_links_inside_a_package_are_followed(tmp_path: Path) -> None:
    links = {"p/data/secret/group2/9.in": "../group1/1.in", "p/data/secret/group2/9.ans": "../../sample/1.ans"}
    files = {f"p/{name}": content for name, content in PACKAGE.items()}
    packed = read(write_tar(tmp_path / "p.tar.xz", files, links))
    assert [(t.name, t.input, t.expected) for t in packed.tests][-1] == ("secret/group2/9", b"5 6\n", b"3\n")
    folder = write_folder(tmp_path / "p", PACKAGE)
    (folder / "data/secret/group2").symlink_to("group1")
    assert len(read(folder).tests) == 2  # group2 repeats group1's case
    assert len(list(package_files.read_package(folder))) == len(PACKAGE) + 2


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "p/../../evil", "..\\evil", "C:\\evil"])
def test_a_member_that_leaves_the_package_is_refused(tmp_path: Path, name: str) -> None:
    files = {**{f"p/{inside}": content for inside, content in PACKAGE.items()}, name: b"x"}
    assert "leaves the package" in read_error(write_tar(tmp_path / "p.tar.gz", files))
    assert "leaves the package" in read_error(write_zip(tmp_path / "p.zip", files))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.tar.gz", "p.zip"]


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/etc/passwd"])
def test_a_link_that_leaves_the_package_is_refused(tmp_path: Path, target: str) -> None:
    files = {f"p/{name}": content for name, content in PACKAGE.items()}
    assert "leaves the package" in read_error(write_tar(tmp_path / "p.tar.xz", files, {"p/data/sample/2.in": target}))
    folder = write_folder(tmp_path / "folder" / "p", PACKAGE)
    (folder / "link").symlink_to(target if target[0] == "/" else "../../outside")
    assert "leaves the package" in read_error(folder)


def test_links_in_a_circle_and_into_nothing_are_refused(tmp_path: Path) -> None:
    files = {f"p/{name}": content for name, content in PACKAGE.items()}
    circle = {"p/a": "b", "p/b": "a"}
    assert "not in the package" in read_error(write_tar(tmp_path / "p.tar.xz", files, circle))
    assert "not in the package" in read_error(write_tar(tmp_path / "q.tar.xz", files, {"p/a": "nothing"}))


def test_a_device_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "p.tar.gz"
    with tarfile.open(folder, "w:gz") as archive:
        member = tarfile.TarInfo("p/null")
        member.type = tarfile.CHRTYPE
        archive.addfile(member)
    assert "device or pipe" in read_error(folder)


@pytest.mark.parametrize("suffix", [".tar.xz", ".tar.gz", ".zip"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.98])
def test_a_truncated_archive_is_one_unreadable_record(tmp_path: Path, suffix: str, keep: float) -> None:
    path = tmp_path / f"p{suffix}"
    files = {**PACKAGE, "data/secret/2.in": os.urandom(50_000), "data/secret/2.ans": b"1"}
    (write_zip if suffix == ".zip" else write_tar)(path, files)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert "cannot be unpacked" in read_error(path)


@pytest.mark.parametrize("suffix", [".tar.xz", ".tar.gz", ".zip"])
def test_an_archive_with_a_flipped_byte_is_one_unreadable_record(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    files = {**PACKAGE, "data/secret/2.in": os.urandom(50_000), "data/secret/2.ans": b"1"}
    (write_zip if suffix == ".zip" else write_tar)(path, files)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "cannot be unpacked" in read_error(path)


def test_a_package_over_the_size_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "MAX_PACKAGE_BYTES", 1 << 20)
    bomb = write_tar(tmp_path / "p.tar.xz", {**PACKAGE, "data/secret/2.in": bytes(2 << 20)})
    assert "unpacks to more than 1 MiB" in read_error(bomb)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"problem_yaml": "name: [broken"}, "problem.yaml is not valid YAML"),
        ({"problem_yaml": "just text"}, "problem.yaml must hold a mapping"),
        ({"problem_yaml": "validator_flags: no_such_flag"}, "no_such_flag"),
        ({"problem_yaml": "name: [a]"}, "name must be text"),
        ({"problem_yaml": "limits: {time_limit: soon}"}, "soon"),
        ({"microcoder_yaml": "platform: nowhere"}, "unknown platform 'nowhere'; one of lantern, harbor"),
        ({"microcoder_yaml": "tier: 7"}, "tier must be 1, 2, 3 or 4"),
        ({"microcoder_yaml": "io_mode: telepathy"}, "io_mode must be stdin or function"),
        ({"microcoder_yaml": "published: yesterday"}, "yesterday"),
        ({"microcoder_yaml": "io_mode: function"}, "entry_point"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, files: dict[str, str], words: str) -> None:
    assert words in read_error(write_folder(tmp_path / "two", changed(**files)))


def test_a_package_without_problem_yaml_or_statement(tmp_path: Path) -> None:
    assert "holds no problem.yaml" in read_error(write_tar(tmp_path / "a.tar.xz", {"a/readme": b""}))
    files = {name: content for name, content in PACKAGE.items() if "statement" not in name}
    assert "no problem statement" in read_error(write_folder(tmp_path / "b", files))


def test_an_archive_cannot_name_another_platform(tmp_path: Path) -> None:
    assert "unpack the archive" in read_error(write_tar(tmp_path / "two.tar.xz", changed(microcoder_yaml=OURS)))


def test_broken_packages_do_not_stop_the_others(tmp_path: Path) -> None:
    write_folder(tmp_path / "c", PACKAGE)
    write_folder(tmp_path / "b", changed(problem_yaml="name: [broken"))
    (tmp_path / "a.tar.xz").write_bytes(b"not an archive")
    (tmp_path / "README.md").write_text("not a package")
    records = list(open_kattis(tmp_path).records())
    assert [(type(r).__name__, r.source_ref) for r in records] == [
        ("UnreadableRecord", "a.tar.xz"),
        ("UnreadableRecord", "b"),
        ("ScrapedProblem", "c"),
    ]


def test_a_folder_without_packages_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no problem package"):
        open_kattis(tmp_path)


def test_the_fingerprint_follows_the_bytes(tmp_path: Path) -> None:
    write_folder(tmp_path / "one" / "archive" / "two", PACKAGE)
    write_folder(tmp_path / "other" / "archive" / "two", PACKAGE)
    first, second = (open_kattis(tmp_path / name / "archive").fingerprint() for name in ("one", "other"))
    assert first == second
    (tmp_path / "one/archive/two/data/sample/1.ans").write_bytes(b"4\n")
    assert open_kattis(tmp_path / "one" / "archive").fingerprint() != first


def test_records_are_the_same_on_every_reading(tmp_path: Path) -> None:
    write_folder(tmp_path / "two", changed(microcoder_yaml=OURS))
    assert list(open_kattis(tmp_path).records()) == list(open_kattis(tmp_path).records())


@pytest.mark.parametrize("platform", ["loj", "' loj '"])
@pytest.mark.parametrize("folder", [".", "inner"])
def test_the_source_knows_the_platform_that_its_record_has(tmp_path: Path, platform: str, folder: str) -> None:
    files = changed(microcoder_yaml=f"platform: {platform}\n")
    write_folder(tmp_path / "two" / folder, files)
    source = open_kattis(tmp_path)
    (problem,) = source.records()
    assert isinstance(problem, ScrapedProblem) and problem.platform == "loj"
    assert "loj" in source.platforms


def test_a_platform_behind_a_link_is_an_error_of_the_platform_that_the_source_names(tmp_path: Path) -> None:
    package = write_folder(tmp_path / "two" / "folder", changed(microcoder_yaml=b"platform: loj\n")).parent
    write_folder(package / "folder" / "other", changed(microcoder_yaml=OURS))
    (package / "in").symlink_to("folder/other")
    source = open_kattis(tmp_path)
    (record,) = source.records()
    assert isinstance(record, UnreadableRecord) and "behind a link names 'harbor'" in record.detail
    assert record.platform == "loj" and "loj" in source.platforms and "harbor" not in source.platforms


def test_a_folder_whose_name_is_not_utf8_is_an_error_row(tmp_path: Path) -> None:
    write_folder(tmp_path / "packages" / os.fsdecode(b"b\xffd"), PACKAGE)
    settings = CollectionSettings()  # type: ignore[call-arg]
    source = open_kattis(tmp_path / "packages")
    (decision,) = scrape(source.records(), Blobs(tmp_path / "blobs"), settings, "kattis").decisions
    assert (decision.kind, decision.problem_id) == (Kind.ERROR, "kattis:?b\\udcffd")
    assert source.fingerprint()


@pytest.mark.parametrize(
    "limits",
    ["memory: 9999999999999999999999", "time_limit: .inf", "time_limit: .nan", "time_limit: -2", "time_limit: 3000000"],
)
def test_a_limit_that_no_judge_can_grant_is_an_error_row(tmp_path: Path, limits: str) -> None:
    write_folder(tmp_path / "packages" / "two", changed(problem_yaml=f"name: Two\nlimits: {{{limits}}}\n"))
    settings = CollectionSettings()  # type: ignore[call-arg]
    records = open_kattis(tmp_path / "packages").records()
    (decision,) = scrape(records, Blobs(tmp_path / "blobs"), settings, "kattis").decisions
    assert (decision.kind, decision.reason) == (Kind.ERROR, "malformed_record")
    assert limits.split(":")[0].replace("memory", "memory_limit") in decision.detail["error"]
