"""Names that problem setters know, mapped to checkers."""

from __future__ import annotations

import pytest

from microcoder_judge import Checker, RecordError, checker_from_kattis, checker_from_testlib, compare


def kattis_floats(abs_tol: float | None, rel_tol: float | None, case_sensitive: bool = False) -> Checker:
    return Checker("tokens_float", abs_tol, rel_tol, case_sensitive, integers="close")


@pytest.mark.parametrize(
    ("flags", "checker"),
    [
        ("", Checker("tokens", case_sensitive=False)),
        ("case_sensitive", Checker("tokens")),
        ("space_change_sensitive case_sensitive", Checker("lines")),
        ("float_tolerance 1e-6", kattis_floats(1e-6, 1e-6)),
        ("float_absolute_tolerance 0.01", kattis_floats(0.01, None)),
        ("case_sensitive float_relative_tolerance 1e-9", kattis_floats(None, 1e-9, True)),
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
        ("rcmp", Checker("tokens_float", abs_tol=1.5e-6, integers="close")),
        ("rcmp6", Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6, integers="close")),
        ("casewcmp", Checker("tokens")),
    ],
)
def test_testlib_names(name: str, checker: Checker) -> None:
    assert checker_from_testlib(name) == checker


def test_an_unknown_testlib_name_is_refused() -> None:
    with pytest.raises(RecordError, match="pointscmp"):
        checker_from_testlib("pointscmp")


@pytest.mark.parametrize(
    ("output", "expected", "right"),
    [
        ("10.0", "10", True),
        ("1e1", "10", True),
        ("9.9999999", "10", True),
        ("010", "10", True),
        ("10.1", "10", False),
        ("ten", "10", False),
        ("0x0A", "10", False),
        ("inf", "10", False),
        ("nan", "10", False),
        ("INF", "inf", True),
        ("1e999", "inf", False),
        ("YES 10.0", "yes 10", True),
        ("10.0", "0x0A", False),
        ("10 ", "10\n10", False),
    ],
)
def test_kattis_compares_every_number_under_a_tolerance(output: str, expected: str, right: bool) -> None:
    checker = checker_from_kattis("float_tolerance 1e-6")
    assert (compare(output.encode(), expected.encode(), checker) is None) == right


def test_the_kattis_rule_for_integers_survives_its_text_form_and_stays_with_floats() -> None:
    checker = checker_from_kattis("float_tolerance 1e-6")
    assert Checker.from_json(checker.to_json()) == checker
    assert "integers" not in Checker("tokens_float", abs_tol=1e-6).to_json()
    with pytest.raises(RecordError, match="tokens_float only"):
        Checker("tokens", integers="close")
