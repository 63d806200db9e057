"""Checkers by the names that problem setters use: Kattis validator flags and testlib's standard checkers."""

from __future__ import annotations

from microcoder_judge.records import Checker, RecordError

_FLOAT_FLAGS = ("float_tolerance", "float_absolute_tolerance", "float_relative_tolerance")


def checker_from_kattis(flags: str, validation: str = "default") -> Checker:
    """The checker of a Kattis problem.yaml (`validator_flags`, `validation`) under the default output validator.

    Default: tokens in any letter case. `case_sensitive`: letter case counts. `space_change_sensitive`: white space
    counts (our `lines`, which still forgives trailing spaces). `float_tolerance E`: absolute or relative error E;
    `float_absolute_tolerance E` and `float_relative_tolerance E`: the one kind. Of two flags of a kind the last counts.
    Under a tolerance every expected number is compared as one, so that 10.0 may stand for 10 (`integers="close"`).
    Unlike Kattis's validator, which reads numbers with scanf, hexadecimal is no number here.

    Raises RecordError for a flag it does not know, a flag without a number, spaces and floats together, and for
    `validation: custom`, whose checker is a program (`Checker("custom", program=...)`).
    """
    if validation.split() not in ([], ["default"]):
        raise RecordError(f"validation {validation!r} needs its own validator: use Checker('custom', program=...)")
    case_sensitive = lines = False
    abs_tol: float | None = None
    rel_tol: float | None = None
    words = iter(flags.split())
    for word in words:
        if word == "case_sensitive":
            case_sensitive = True
        elif word == "space_change_sensitive":
            lines = True
        elif word in _FLOAT_FLAGS:
            tolerance = _positive(word, next(words, ""))
            if word != "float_relative_tolerance":
                abs_tol = tolerance
            if word != "float_absolute_tolerance":
                rel_tol = tolerance
        else:
            raise RecordError(f"unknown validator flag {word!r} in {flags!r}")
    if abs_tol is not None or rel_tol is not None:
        if lines:
            raise RecordError(f"validator flags {flags!r}: white space and float tolerance together are not supported")
        return Checker(
            "tokens_float", abs_tol=abs_tol, rel_tol=rel_tol, case_sensitive=case_sensitive, integers="close"
        )
    return Checker("lines" if lines else "tokens", case_sensitive=case_sensitive)


def _positive(flag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise RecordError(f"validator flag {flag} needs a number, got {text!r}")
    return number


def _within(abs_tol: float, rel_tol: float | None = None) -> Checker:
    return Checker("tokens_float", abs_tol=abs_tol, rel_tol=rel_tol, integers="close")


_TESTLIB = {
    "wcmp": Checker("tokens"),
    "hcmp": Checker("tokens"),
    "icmp": Checker("tokens"),
    "ncmp": Checker("tokens"),
    "lcmp": Checker("tokens"),
    "fcmp": Checker("lines"),
    "yesno": Checker("yesno"),
    "nyesno": Checker("yesno"),
    "uncmp": Checker("unordered_tokens"),
    "caseicmp": Checker("tokens"),
    "casencmp": Checker("tokens"),
    "casewcmp": Checker("tokens"),
    "acmp": _within(1.5e-6),
    "rcmp": _within(1.5e-6),
    "rcmp4": _within(1e-4, 1e-4),
    "rcmp6": _within(1e-6, 1e-6),
    "rcmp9": _within(1e-9, 1e-9),
    "dcmp": _within(1e-6, 1e-6),
}


def checker_from_testlib(name: str) -> Checker:
    """The checker that does what testlib's standard checker `name` does (a `std::` prefix and `.cpp` are dropped).

    wcmp: sequences of tokens. ncmp, icmp, hcmp: integers, here bytes equal (testlib, too, refuses leading zeros, `+`).
    lcmp: lines compared by their tokens, here `tokens`, which does not count line ends. fcmp: lines as they are, here
    `lines`. yesno, nyesno: YES or NO in any case. uncmp: integers in any order. caseicmp, casencmp, casewcmp: integers
    or words after `Case N:`, here `tokens`. acmp, rcmp: absolute error 1.5e-6; rcmp4, rcmp6, rcmp9: absolute or
    relative error; dcmp: 1e-6. These compare every expected number as a double, integers too.

    Raises RecordError for a name that is none of these; such a checker is a program.
    """
    short = name.strip().removeprefix("std::").removesuffix(".cpp")
    if short not in _TESTLIB:
        raise RecordError(f"unknown testlib checker {name!r}; one of {', '.join(_TESTLIB)}")
    return _TESTLIB[short]
