"""What can be measured of a problem without asking anyone: statement, bounds, samples, tests, tags, reference code.

A platform's own difficulty label and the place in its contest are never features: they are answers, not evidence.
"""

from __future__ import annotations

import math

import polars as pl

from microcoder_assets.filtering.code_metrics import measure
from microcoder_assets.schema import REFERENCE

TOPICS: dict[str, str] = {
    "arrays": r"^arrays?$|^strings?$|matrix|simulation|counting",
    "implementation": r"implementation|simulation|design|iterator|data stream|expression parsing",
    "brute_force": r"brute force|enumeration|backtracking|meet-in-the-middle",
    "sorting": r"sort|schedules",
    "greedy": r"greedy|constructive|brainteaser",
    "constructive": r"constructive",
    "hashing": r"hash table|hash function|^hashing$",
    "two_pointers": r"two pointers|sliding window|prefix sum",
    "binary_search": r"binary search$|ternary search",
    "dynamic_programming": r"^dp$|dynamic programming|memoization",
    "bit_manipulation": r"bit manipulation|bitmask",
    "divide_and_conquer": r"divide and conquer|merge sort|recursion",
    "linear_structures": r"stack|queue|linked list|heap",
    "range_structures": r"data structures|segment tree|indexed tree|ordered set|line sweep|sweep line",
    "union_find": r"dsu|union find",
    "graphs": r"graph|dfs and similar|depth-first|breadth-first|topological|2-sat|strongly|eulerian",
    "shortest_paths": r"shortest path|spanning tree",
    "flows": r"flow|graph matchings",
    "trees": r"^trees?$|binary tree|search tree|trie",
    "string_structures": r"suffix|rolling hash|string matching|trie",
    "mathematics": r"math|chinese remainder",
    "number_theory": r"number theory|chinese remainder",
    "combinatorics": r"combinatorics",
    "probability": r"probab|randomized|sampling",
    "geometry": r"geometry",
    "games": r"game",
    "transforms": r"fft|matrices",
    "interactive": r"interactive",
}
"""Topic -> pattern over one lower-case tag. Ours, over the vocabularies of Codeforces and LeetCode."""

CUES: dict[str, str] = {
    "modulo": r"998\s*244\s*353|10\s*\^\s*\{?9\}?\s*\+\s*7|1000000007|modulo",
    "queries": r"quer(?:y|ies)",
    "expected": r"expected (?:value|number)|probabilit",
    "counting": r"number of (?:ways|different|distinct|such)|how many",
    "subsequence": r"subsequence|subset",
    "permutation": r"permutation",
    "tree": r"\btrees?\b",
    "graph": r"\bgraph|vertices|edges",
    "xor": r"\bxor\b|bitwise|\\oplus",
    "optimum": r"minimum|maximum|minimi[sz]e|maximi[sz]e|smallest|largest",
    "any_answer": r"(?:print|output|return) any",
    "test_cases": r"test cases",
    "segments": r"segment|interval|subarray",
    "lexicographic": r"lexicographical",
    "pairs": r"\bpairs?\b|triple",
    "precision": r"relative error|absolute error|floating",
    "polygon": r"polygon|circle|convex|plane|coordinates",
    "guaranteed": r"guaranteed that",
    "special_cases": r"\b(?:if there is no|otherwise|does not exist|impossible|-1)\b",
}
"""Cue -> pattern over the lower-case statement. Ours; English words, so other languages show few of them."""

CODE_METRICS = ("log_cyclomatic", "log_volume", "log_difficulty", "log_effort", "loop_depth", "log_code_lines")
SIZES = (
    "log_words",
    "maths_share",
    "bounds",
    "log_largest_bound",
    "log_smallest_bound",
    "samples",
    "log_sample_bytes",
    "tests",
    "log_test_bytes",
    "time_limit_s",
    "tags",
    "function",
    *CODE_METRICS,
)
FEATURES = (*SIZES, *(f"topic_{name}" for name in TOPICS), *(f"cue_{name}" for name in CUES))

MEASURED = (
    "problem_id", "statement", "samples", "tests", "time_limit_s", "tags", "io_mode", "references",
)  # fmt: skip
"""Columns that features are measured of."""

MOST_SECONDS = 8.0  # ours: judges with higher limits mean all tests together, which says nothing of the problem

_OPERATOR = r"(?:<=?|≤|⩽|\\leqslant|\\leq?\b)\s*"
_NUMBER = r"\d+(?:(?:,|\{,\}|\\,)\d{3})*(?:\.\d+)?"
_TIMES = r"\s*(?:\*|\\cdot|\\times|·|×)\s*"
_POWER = r"\s*(?:\^|\*\*)\s*\{?\s*(\d{1,3})"
_BOUND = rf"{_OPERATOR}({_NUMBER})(?:[eE](\d{{1,3}})\b|(?:{_TIMES}(10|2))?{_POWER})?"
_POWER_OF_TEN = rf"(?:({_NUMBER}){_TIMES})?\b10{_POWER}"
_NOT_BOUNDS = r"10\s*\^\s*\{?\s*(?:-\s*\d+|9\s*\}?\s*\+\s*7)\}?"


def features(problems: pl.DataFrame) -> pl.DataFrame:
    """`problem_id` and FEATURES as Float64, one row a problem in the order given; null where unknown.

    problems: rows with the columns MEASURED. Bounds are log10 of the numbers that statements put after a
    less-than sign (10^5, 10^{9}, 1e5, 2*10^5, 100,000), else of the powers of ten that they mention.
    Code features are of the shortest accepted Python reference.
    """
    text = pl.col("statement").str.replace_all(r"(?s)```.*?```", " ")
    lower = pl.col("prose").str.to_lowercase()
    maths = pl.col("prose").str.count_matches(r"\$[^$]*\$|\\le|<=|≤|\^|[=<>+*]").cast(pl.Float64)
    tags = pl.col("tags").list.drop_nulls()
    numbered = problems.with_row_index("row").with_columns(prose=text)
    measured = numbered.select(
        "row",
        "problem_id",
        log_words=pl.col("prose").str.count_matches(r"\S+").cast(pl.Float64).log1p(),
        maths_share=maths / (pl.col("prose").str.count_matches(r"\S+") + 1),
        samples=_null_if_empty("samples"),
        log_sample_bytes=_log_sum("samples", pl.element().struct.field("input").str.len_bytes()),
        tests=_null_if_empty("tests"),
        log_test_bytes=_log_sum("tests", pl.element().struct.field("bytes")),
        time_limit_s=pl.when(pl.col("time_limit_s") <= MOST_SECONDS).then("time_limit_s"),
        tags=_null_if_empty("tags"),
        function=pl.col("io_mode") == "function",
        **{f"cue_{name}": lower.str.contains(pattern) for name, pattern in CUES.items()},
        **{
            f"topic_{name}": pl.when(tags.list.len() > 0).then(
                tags.list.eval(pl.element().str.to_lowercase().str.contains(pattern)).list.any()
            )
            for name, pattern in TOPICS.items()
        },
    )
    return (
        measured.join(_bounds(numbered), on="row", how="left", maintain_order="left")
        .join(_code(numbered), on="row", how="left", maintain_order="left")
        .select("problem_id", *(pl.col(name).cast(pl.Float64) for name in FEATURES))
    )


def _null_if_empty(column: str) -> pl.Expr:
    length = pl.col(column).list.len()
    return pl.when(length > 0).then(length)


def _log_sum(column: str, element: pl.Expr) -> pl.Expr:
    total = pl.col(column).list.eval(element).list.sum().cast(pl.Float64).log1p()
    return pl.when(pl.col(column).list.len() > 0).then(total)


def _bounds(numbered: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("prose").str.replace_all(_NOT_BOUNDS, " ")
    found = (
        numbered.lazy()
        .select("row", bound=text.str.extract_all(_BOUND), power=text.str.extract_all(_POWER_OF_TEN))
        .select("row", text=pl.when(pl.col("bound").list.len() > 0).then("bound").otherwise("power"))
        .explode("text")
        .filter(pl.col("text").is_not_null())
        .with_columns(size=_log10())
        .filter(pl.col("size").is_not_null())
        .group_by("row")
        .agg(
            bounds=pl.len(),
            log_largest_bound=pl.col("size").max(),
            log_smallest_bound=pl.col("size").min(),
        )
    )
    return found.collect()


def _log10() -> pl.Expr:
    """log10 of one match: 10^5, 2^31, 2*10^5, 1e5 or a plain number. Zero counts as one."""
    number = rf"({_NUMBER})(?:[eE](\d{{1,3}})\b|(?:{_TIMES}(10|2))?{_POWER})?"
    part = pl.col("text").str.extract_groups(number).struct
    mantissa = part.field("1").str.replace_all(r"[^\d.]", "").cast(pl.Float64, strict=False).clip(1.0).log10()
    scientific, base, power = (part.field(n).cast(pl.Float64) for n in "234")
    return (
        pl.when(scientific.is_not_null())
        .then(mantissa + scientific)
        .when(base.is_not_null())
        .then(mantissa + power * base.log10())
        .when(power.is_not_null())
        .then(mantissa * power)
        .otherwise(mantissa)
        .clip(0.0, 30.0)
    )


def accepted_python(reference: pl.Expr) -> pl.Expr:
    """Whether a REFERENCE is an accepted program in Python."""
    language, code = reference.struct.field("language"), reference.struct.field("code")
    accepted = reference.struct.field("label") == "accepted"
    return accepted & language.str.to_lowercase().str.starts_with("py") & (code.str.strip_chars() != "")


def shortest_reference(problems: pl.DataFrame) -> pl.DataFrame:
    """`row` (position in `problems`) and `code` of the shortest accepted Python reference; rows without one are absent.
    Equal lengths: the first by text."""
    empty = pl.Series([[]], dtype=pl.List(REFERENCE))
    return (
        problems.select(row=pl.int_range(pl.len(), dtype=pl.UInt32), reference=pl.col("references").fill_null(empty))
        .explode("reference")
        .filter(accepted_python(pl.col("reference")))
        .unnest("reference")
        .sort("row", pl.col("code").str.len_chars(), "code")
        .group_by("row", maintain_order=True)
        .agg(pl.col("code").first())
    )


def _code(numbered: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for row, code in shortest_reference(numbered.drop("row")).iter_rows():
        if metrics := measure(code):
            rows.append(
                (
                    row,
                    math.log1p(metrics.cyclomatic),
                    math.log1p(metrics.volume),
                    math.log1p(metrics.difficulty),
                    math.log1p(metrics.effort),
                    float(metrics.loop_depth),
                    math.log1p(metrics.lines),
                )
            )
    return pl.DataFrame(rows, schema={"row": pl.UInt32, **dict.fromkeys(CODE_METRICS, pl.Float64)}, orient="row")
