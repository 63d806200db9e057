"""Printed answers: spacing, numbers, letter case, order."""

from __future__ import annotations

from cases.case import Case
from microcoder_judge import Checker, Problem, Test

TOKENS, LINES, YESNO = Checker("tokens"), Checker("lines"), Checker("yesno")
ANY_CASE = Checker("tokens", case_sensitive=False)
FLOATS = Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6)
ABSOLUTE, RELATIVE = Checker("tokens_float", abs_tol=1e-3), Checker("tokens_float", rel_tol=1e-3)
KATTIS = Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6, case_sensitive=False, integers="close")
ANY_LINES, ANY_TOKENS = Checker("unordered_lines"), Checker("unordered_tokens")


def accepted(name: str, checker: Checker | None, expected: str, output: str, reason: str) -> Case:
    return _case(name, checker, expected, output, True, reason)


def rejected(name: str, checker: Checker | None, expected: str, output: str, reason: str) -> Case:
    return _case(name, checker, expected, output, False, reason)


def _case(name: str, checker: Checker | None, expected: str, output: str, right: bool, reason: str) -> Case:
    problem = Problem(name, (Test(b"", expected.encode()),), checker=checker)
    code = f"import sys\nsys.stdout.write({output!r})\n"
    return Case(name, "stdout", problem, code, right, reason, output.encode())


SPACES = "Kattis, Codeforces and AtCoder compare tokens: white space and line layout do not count"
WHITE = "white space of an output is ASCII: scanf and testlib know no other"
TOKEN_COUNT = "every expected token and no other must be printed"
INTEGER = "testlib ncmp and hcmp: an integer has one spelling"
IDENTIFIER = "a token that is no number is compared as text, digit for digit"
CASE = "testlib wcmp compares tokens with their letter case"
CLOSE = "Kattis float_tolerance, testlib rcmp: within the absolute or the relative error"
SPELLING = "Kattis: any valid formatting of a floating-point number is accepted under a tolerance"
NOT_FINITE = "Kattis: infinities and nan are no floating-point tokens"
GRAMMAR = "a number is a decimal in ASCII digits (ours; C++ and Java print no other)"
FAR = "outside both tolerances"
LAYOUT = "testlib fcmp: lines are compared as they are"
BOTH_WORDS = "testlib yesno: YES or NO in any letter case, and no other word"
MULTISET = "testlib uncmp: the same tokens in any order, each as often"
DECLARED_ORDER = "order counts unless the problem says otherwise"
ASSUMED = "no checker declared and every expected output holds a decimal: 1e-6 (ours)"
NOT_ASSUMED = "no checker declared and an expected output without decimals: tokens (ours)"

STDOUT = (
    accepted("equal", TOKENS, "1 2 3\n", "1 2 3\n", SPACES),
    accepted("no newline at the end", TOKENS, "5\n", "5", SPACES),
    accepted("blank lines at the end", TOKENS, "5\n", "5\n\n\n", SPACES),
    accepted("blank lines at the start", TOKENS, "5\n", "\n\n5\n", SPACES),
    accepted("a space at the end of a line", TOKENS, "1 2\n3\n", "1 2 \n3 \n", SPACES),
    accepted("carriage returns", TOKENS, "1\n2\n", "1\r\n2\r\n", SPACES),
    accepted("numbers on one line", TOKENS, "1\n2\n3\n", "1 2 3\n", SPACES),
    accepted("numbers on lines of their own", TOKENS, "1 2 3\n", "1\n2\n3\n", SPACES),
    accepted("words on lines of their own", TOKENS, "yes no\n", "yes\nno\n", SPACES),
    accepted("two spaces between words", TOKENS, "hello world\n", "hello  world\n", SPACES),
    accepted("a tab between words", TOKENS, "hello world\n", "hello\tworld\n", SPACES),
    accepted("a blank line between cases", TOKENS, "a\nb\n", "a\n\nb\n", SPACES),
    accepted("a vertical tab and a form feed", TOKENS, "a b c\n", "a\vb\fc\n", SPACES),
    accepted("nothing for nothing", TOKENS, "\n", "", SPACES),
    accepted("white space for nothing", TOKENS, "", " \n\n", SPACES),
    rejected("a no-break space", TOKENS, "1 2\n", "1\u00a02\n", WHITE),
    rejected("a no-break space at the end", TOKENS, "7\n", "7\u00a0\n", WHITE),
    rejected("a unit separator at the end", TOKENS, "ok\n", "ok\x1f\n", WHITE),
    rejected("an ideographic space at the start", TOKENS, "ok\n", "\u3000ok\n", WHITE),
    rejected("a byte order mark", TOKENS, "1\n", "\ufeff1\n", WHITE),
    rejected("a prefix", TOKENS, "1 2 3\n", "1 2\n", TOKEN_COUNT),
    rejected("something after the answer", TOKENS, "3\n", "3\n4\n", TOKEN_COUNT),
    rejected("a label before the answer", TOKENS, "3\n", "Answer: 3\n", TOKEN_COUNT),
    rejected("both answers", TOKENS, "YES\n", "YES\nNO\n", TOKEN_COUNT),
    rejected("nothing", TOKENS, "0\n", "", TOKEN_COUNT),
    rejected("words joined", TOKENS, "ab cd\n", "abcd\n", TOKEN_COUNT),
    rejected("a list as Python prints it", TOKENS, "1 2 3\n", "[1, 2, 3]\n", TOKEN_COUNT),
    rejected("another integer", TOKENS, "41\n", "42\n", INTEGER),
    rejected("leading zeros", TOKENS, "7\n", "007\n", INTEGER),
    rejected("a fraction of zero", TOKENS, "10\n", "10.0\n", INTEGER),
    rejected("a point at the end", TOKENS, "10\n", "10.\n", INTEGER),
    rejected("an exponent", TOKENS, "1000\n", "1e3\n", INTEGER),
    rejected("a plus sign", TOKENS, "5\n", "+5\n", INTEGER),
    rejected("minus zero", TOKENS, "0\n", "-0\n", INTEGER),
    rejected("an underscore", TOKENS, "1000\n", "1_000\n", INTEGER),
    rejected("full-width digits", TOKENS, "12\n", "１２\n", INTEGER),
    rejected("Arabic digits", TOKENS, "12\n", "١٢\n", INTEGER),
    rejected("a large integer off by one", TOKENS, "9007199254740993\n", "9007199254740992\n", INTEGER),
    rejected("a large integer through a double", TOKENS, "100000000000000000\n", "1e+17\n", INTEGER),
    rejected("a bit string without its zeros", TOKENS, "00101\n", "101\n", IDENTIFIER),
    rejected("a bit string with more zeros", TOKENS, "101\n", "0101\n", IDENTIFIER),
    rejected("a code with an e in it", TOKENS, "1e2\n", "100\n", IDENTIFIER),
    rejected("a time of the day", TOKENS, "08:05\n", "8:5\n", IDENTIFIER),
    rejected("lower case for upper case", TOKENS, "YES\n", "yes\n", CASE),
    rejected("the other word", TOKENS, "YES\n", "NO\n", "the answer is another"),
    rejected("true for 1", TOKENS, "1\n", "True\n", "the answer is another token"),
    accepted("any letter case, declared", ANY_CASE, "Possible\n", "POSSIBLE\n", "Kattis ignores case by default"),
    rejected("another word in any letter case", ANY_CASE, "Possible\n", "IMPOSSIBLE\n", "the answer is another"),
    accepted("yes in lower case", YESNO, "YES\n", "yes\n", BOTH_WORDS),
    accepted("many in mixed case", YESNO, "Yes\nNo\nYes\n", "YES no yes\n", BOTH_WORDS),
    rejected("yes for no", YESNO, "NO\n", "yes\n", BOTH_WORDS),
    rejected("y for yes", YESNO, "YES\n", "Y\n", BOTH_WORDS),
    rejected("true for yes", YESNO, "YES\n", "TRUE\n", BOTH_WORDS),
    accepted("more digits", FLOATS, "0.333333\n", "0.3333333333\n", CLOSE),
    accepted("the last digit", FLOATS, "3.1415926\n", "3.1415927\n", CLOSE),
    accepted("a large number, relative", FLOATS, "123456789.5\n", "123456790.0\n", CLOSE),
    accepted("a small number, absolute", FLOATS, "0.0000001\n", "0.0000002\n", CLOSE),
    accepted("an integer for a decimal", FLOATS, "2.000000\n", "2\n", SPELLING),
    accepted("an exponent for a decimal", FLOATS, "0.0314\n", "3.14e-2\n", SPELLING),
    accepted("minus zero for zero", FLOATS, "0.000\n", "-0.0\n", CLOSE),
    accepted("words beside decimals", FLOATS, "Case #1: 0.5\n", "Case #1: 0.50000001\n", CLOSE),
    accepted("absolute only, inside", ABSOLUTE, "100.0\n", "100.0009\n", CLOSE),
    accepted("relative only, inside", RELATIVE, "1000.0\n", "1000.9\n", CLOSE),
    rejected("absolute only, relatively close", ABSOLUTE, "1000.0\n", "1000.9\n", FAR),
    rejected("relative only, absolutely close", RELATIVE, "0.0001\n", "0.0009\n", FAR),
    rejected("two digits", FLOATS, "0.333333\n", "0.33\n", FAR),
    rejected("the other sign", FLOATS, "0.5\n", "-0.5\n", FAR),
    rejected("nan", FLOATS, "0.5\n", "nan\n", NOT_FINITE),
    rejected("infinity for a large number", FLOATS, "1.0e308\n", "inf\n", NOT_FINITE),
    rejected("an overflow for a large number", FLOATS, "1.0e308\n", "1e400\n", NOT_FINITE),
    rejected("a hexadecimal number", FLOATS, "1.0\n", "0x1p0\n", GRAMMAR),
    rejected("an underscore in a decimal", FLOATS, "10.5\n", "1_0.5\n", GRAMMAR),
    rejected("a decimal comma", FLOATS, "0.5\n", "0,5\n", GRAMMAR),
    rejected("a unit after a number", FLOATS, "0.5\n", "0.5m\n", GRAMMAR),
    rejected("a decimal for a count", FLOATS, "3\n0.5\n", "3.0\n0.5\n", "an expected integer is met as it is (ours)"),
    rejected("a close count", FLOATS, "9007199254740993\n", "9007199254740992\n", "no tolerance for integers (ours)"),
    accepted("a decimal for an integer, Kattis", KATTIS, "10\n", "10.0000001\n", SPELLING),
    accepted("letter case and numbers, Kattis", KATTIS, "YES 10\n", "yes 1e1\n", SPELLING),
    rejected("a distant integer, Kattis", KATTIS, "10\n", "10.1\n", FAR),
    rejected("a word for an integer, Kattis", KATTIS, "10\n", "ten\n", SPELLING),
    accepted("a tolerance nobody declared", None, "0.1428571\n", "0.14285714285714285\n", ASSUMED),
    rejected("beyond the tolerance nobody declared", None, "0.1428571\n", "0.143\n", ASSUMED),
    rejected("no tolerance for undeclared integers", None, "2\n", "2.0\n", NOT_ASSUMED),
    accepted("a drawing", LINES, "  *\n ***\n*****\n", "  *\n ***\n*****\n", LAYOUT),
    accepted("spaces at the ends of a drawing's lines", LINES, " *\n***\n", " * \n***\n\n", "invisible (ours)"),
    rejected("a drawing moved to the left", LINES, "  *\n ***\n", "*\n***\n", LAYOUT),
    rejected("a drawing moved to the right", LINES, "*\n", " *\n", LAYOUT),
    rejected("spaces inside a line", LINES, "*  *\n", "* *\n", LAYOUT),
    rejected("a blank line in a drawing", LINES, "*\n*\n", "*\n\n*\n", LAYOUT),
    accepted("lines in another order, declared", ANY_LINES, "1 2\n3 4\n", "3 4\n1 2\n", MULTISET),
    rejected("a line twice", ANY_LINES, "1 2\n3 4\n", "1 2\n1 2\n", MULTISET),
    rejected("tokens moved between lines", ANY_LINES, "1 2\n3 4\n", "1 3\n2 4\n", "each line is kept as it is"),
    accepted("tokens in another order, declared", ANY_TOKENS, "1 2 3\n", "3 1 2\n", MULTISET),
    rejected("a token more often", ANY_TOKENS, "1 1 2\n", "1 2 2\n", MULTISET),
    rejected("order that nobody gave up", TOKENS, "1 2 3\n", "3 2 1\n", DECLARED_ORDER),
)
