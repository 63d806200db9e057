"""Names that problem setters know, mapped to checkers."""

from __future__ import annotations

import pytest

from microcoder_judge import Checker, RecordError, checker_from_kattis, checker_from_testlib


@pytest.mark.parametrize(
    ("flags", "checker"),
    [
        ("", Checker("tokens", case_sensitive=False)),
        ("case_sensitive", Checker("tokens")),
        ("space_change_sensitive case_sensitive", Checker("lines")),
        ("float_tolerance 1e-6", Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6, case_sensitive=False)),
        ("float_absolute_tolerance 0.01", Checker("tokens_float", abs_tol=0.01, case_sensitive=False)),
        ("case_sensitive float_relative_tolerance 1e-9", Checker("tokens_float", rel_tol=1e-9)),
    ],
)
def test_kattis_flags(flags: str, checker: Checker) -> None:
    assert checker_from_kattis(flags, "default") == checker


@pytest.mark.parametrize(
    ("flags", "validation"),
    [
        ("fuzzy", "default"),
        ("float_tolerance", "default"),
        ("float_tolerance many", "default"),
        ("float_tolerance nan", "default"),
        ("float_tolerance -1", "default"),
        ("space_change_sensitive float_tolerance 1e-6", "default"),
        ("", "custom"),
        ("", "custom interactive"),
    ],
)
def test_kattis_flags_that_cannot_be(flags: str, validation: str) -> None:
    with pytest.raises(RecordError):
        checker_from_kattis(flags, validation)


@pytest.mark.parametrize(
    ("name", "checker"),
    [
        ("wcmp", Checker("tokens")),
        ("std::ncmp.cpp", Checker("tokens")),
        ("fcmp", Checker("lines")),
        ("nyesno", Checker("yesno")),
        ("uncmp", Checker("unordered_tokens")),
        ("rcmp6", Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6)),
    ],
)
def test_testlib_names(name: str, checker: Checker) -> None:
    assert checker_from_testlib(name) == checker


def test_an_unknown_testlib_name_is_refused() -> None:
    with pytest.raises(RecordError, match="acmp"):
        checker_from_testlib("acmp")
