"""Two records of one problem id: the first gives the row, a later one gives what the row lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

_JUDGING = ("io_mode", "entry_point", "starter_code", "tests", "checker")
_STATEMENT_FLAGS = frozenset({"interactive", "needs_image", "output_only", "premium"})
"""Flags about the statement or the problem itself, which stay when the judging comes from another record."""

_FACTS = ("url", "contest", "time_limit_s", "memory_limit_mb", "difficulty_label")


def combine(row: Row, later: Row, max_references: int) -> list[str]:
    """Gives `row` (of schema.SCRAPED) what `later` has more of; the names of what it was given.

    Tests come with their checker and io mode, all from the one record that can be judged better: a checker that is a
    program before an inferred one, that before none, then more tests. References, tags and ratings are united;
    addresses, limits, dates and the like are taken where the row has none. Statement and licence stay.
    """
    return [*_given_judging(row, later), *_given_more(row, later, max_references), *_given_facts(row, later)]


def _given_judging(row: Row, later: Row) -> Iterator[str]:
    if _judged(later) > _judged(row):
        row.update({name: later[name] for name in _JUDGING})
        row["flags"] = tuple(sorted({*later["flags"], *_STATEMENT_FLAGS.intersection(row["flags"])}))
        yield "tests"


def _judged(row: Row) -> tuple[bool, bool, bool, int]:
    custom = row["checker"] is not None and '"custom"' in row["checker"]
    return row["io_mode"] is not None, custom, row["checker"] is not None, len(row["tests"])


def _given_more(row: Row, later: Row, max_references: int) -> Iterator[str]:
    same_call = (row["io_mode"], row["entry_point"]) == (later["io_mode"], later["entry_point"])
    if same_call and (fresh := list(_new_references(row, later, max_references))):
        row["references"] = [*row["references"], *fresh]
        yield "references"
    if tags := [tag for tag in later["tags"] if tag not in row["tags"]]:
        row["tags"] = [*row["tags"], *tags]
        yield "tags"
    sources = {rating["source"] for rating in row["ratings"]}
    if ratings := [rating for rating in later["ratings"] if rating["source"] not in sources]:
        row["ratings"] = [*row["ratings"], *ratings]
        yield "ratings"


def _new_references(row: Row, later: Row, limit: int) -> Iterator[dict[str, str]]:
    """Those of `later` that are new, of labels and languages with room; a name that is taken gains the source kind."""
    known = {reference["code"] for reference in row["references"]}
    names = {reference["name"] for reference in row["references"]}
    kept = [(reference["label"], reference["language"]) for reference in row["references"]]
    for reference in later["references"]:
        group = (reference["label"], reference["language"])
        name = f"{later['source_kind']}:{reference['name']}" if reference["name"] in names else reference["name"]
        if reference["code"] not in known and name not in names and kept.count(group) < limit:
            known.add(reference["code"])
            names.add(name)
            kept.append(group)
            yield {**reference, "name": name}


def _given_facts(row: Row, later: Row) -> Iterator[str]:
    for name in _FACTS:
        if row[name] is None and later[name] is not None:
            row[name] = later[name]
            yield name
    known = ("contest", "archive", "inferred", None)
    if later["published"] and known.index(later["published_basis"]) < known.index(row["published_basis"]):
        row.update({name: later[name] for name in ("published", "published_basis")})
        yield "published"
