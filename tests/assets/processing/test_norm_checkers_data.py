"""Checker inference on real statements that a person has read."""

from __future__ import annotations

from pathlib import Path

import pytest

from microcoder_assets.collection.records import ScrapedProblem, SourceSpec
from microcoder_assets.collection.sources import open_source
from microcoder_assets.processing.checkers import infer_checker
from microcoder_assets.processing.html import html_to_markdown
from microcoder_judge import Checker

pytestmark = pytest.mark.data

UNORDERED, VALUE, TOKENS, YES_NO = Checker("unordered"), Checker("value"), Checker("tokens"), Checker("yesno")
ANY_CASE = Checker("tokens", case_sensitive=False)
READ: dict[str, dict[str, dict[str, Checker | None]]] = {
    "leetcode": {
        "leetcode-doocs": {
            **dict.fromkeys(("1", "77", "721", "1380", "349", "973"), UNORDERED),
            **dict.fromkeys(("621", "1846", "1625", "752", "91", "2558", "3587"), VALUE),
            **dict.fromkeys(("162", "210", "767", "905", "1044", "3692"), None),
            **dict.fromkeys(("1344", "1377", "812"), Checker("value", abs_tol=1e-5, rel_tol=1e-5)),
        }
    },
    "codeforces": {
        "codeforces-statements": {
            **dict.fromkeys(("1027C", "1185D", "1205D", "501C", "22D", "1615D"), None),
            "1770B": None,
            **dict.fromkeys(("1146D", "549C", "160A", "1738A"), TOKENS),
            **dict.fromkeys(("1472B", "1672D", "1442A"), YES_NO),
            **dict.fromkeys(("1030A", "1008B", "1634F"), ANY_CASE),
        }
    },
    "oi": {
        "oi-archive": {
            **dict.fromkeys(("4116", "4384", "4886", "2245"), TOKENS),
            **dict.fromkeys(("4505", "3848", "4799"), None),
            "4948": Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6, integers="close"),
            "4820": Checker("tokens_float", abs_tol=1e-6, integers="close"),
        }
    },
}


@pytest.mark.parametrize("kind", READ)
def test_statements_that_were_read(data_dir: Path, kind: str) -> None:
    ((folder, wanted),) = READ[kind].items()
    found = {}
    for problem in open_source(SourceSpec(kind, data_dir / folder)).records():
        if isinstance(problem, ScrapedProblem) and problem.native_id in wanted and problem.platform != "loj":
            text = html_to_markdown(problem.statement, keep_newlines=problem.statement_format != "html")
            mode = "function" if kind == "leetcode" else "stdin"
            found.setdefault(problem.native_id, infer_checker(text, mode, problem.starter_code).checker)
    assert found == wanted
