"""Reading pages: the few things that every site's parser does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import lxml.html
from lxml.etree import ParserError, tostring
from lxml.html import HtmlElement

from microcoder_assets.collection.records import Sample, ScrapedTest
from microcoder_assets.collection.web.errors import SourceChanged
from microcoder_assets.collection.web.exchange import Answer


def parse_page(answer: Answer) -> HtmlElement:
    """Raises SourceChanged for what is no HTML."""
    try:
        return lxml.html.document_fromstring(answer.text)
    except (ParserError, ValueError) as error:
        raise SourceChanged(f"{answer.url} serves no HTML any more: {error}") from error


def by_class(element: HtmlElement, name: str) -> HtmlElement | None:
    """The first element below of that class."""
    found = element.xpath(f".//*[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]")
    return found[0] if found else None


def drop(element: HtmlElement, name: str) -> HtmlElement:
    """Take the first element of that class out, and give it. Raises ValueError when there is none."""
    found = by_class(element, name)
    if found is None:
        raise ValueError(f"there is no {name}")
    found.drop_tree()
    return found


def text_of(element: HtmlElement) -> str:
    """Its words on one line."""
    return " ".join("".join(element.itertext()).split())


def inner_html(element: HtmlElement) -> str:
    """What stands between its tags, as HTML."""
    start = (element.text or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return start + "".join(tostring(child, encoding="unicode", method="html") for child in element)


def preformatted(pre: HtmlElement) -> str:
    """The lines of a sample, each ended; a block of its own and a `br` both make one. Those at the end that are empty
    are not part of it, those at its beginning are."""
    lines = pre.xpath("./div")
    if lines:
        return "".join(_line("".join(line.itertext())) for line in lines)
    for line_break in pre.xpath(".//br"):
        line_break.tail = "\n" + (line_break.tail or "").removeprefix("\n")
    text = "".join(pre.itertext()).replace("\r\n", "\n").removeprefix("\n")
    return "".join(map(_line, text.rstrip().split("\n"))) if text.strip() else ""


def _line(text: str) -> str:
    """Codeforces shows an empty line as a space that does not break."""
    return text.replace("\u00a0", " ").rstrip("\n") + "\n" if text.strip() else "\n"


def amount(text: str, unit: str) -> float:
    """`1.5 seconds` with unit `second` is 1.5. Raises ValueError for anything else."""
    match = re.search(rf"(\d+(?:\.\d+)?)\s*{unit}", text, re.IGNORECASE)
    if not match:
        raise ValueError(f"{text[:60]!r} is no number of {unit}s")
    return float(match[1])


def stdin_tests(samples: Sequence[Sample]) -> tuple[ScrapedTest, ...]:
    return tuple(
        ScrapedTest(f"sample-{n}", True, sample.input.encode(), sample.output.encode())
        for n, sample in enumerate(samples, 1)
    )


def sha_of(*parts: object) -> str:
    """sha256 over what was read: the pages themselves hold counters and tokens that change with every visit."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
