"""Whether a statement for standard input and output says all that a solver needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from microcoder_assets.processing.bounds import Bound
from microcoder_assets.processing.headings import DESCRIPTION, INPUT, OUTPUT

_ASKS = {
    INPUT: re.compile(r"\binputs?\b|输入|读入|给出|给定|给你|已知|\bindata\b|\bread\b|\bgiven\b", re.IGNORECASE),
    OUTPUT: re.compile(r"\b(?:outputs?|print|display)\b|输出|打印|\butdata\b|\bskriv ut\b", re.IGNORECASE),
}
_TERMINATED = re.compile(r"[.!?:;)\]\"”’'`$|*\d>~=]$|[^\x00-\u02ff]$")
"""How a text ends that does not stop in mid-sentence. Chinese is often written without the last full stop."""
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"@?\[[^\]]*\]\([^)]*\)|https?://\S+|\S*\b(?:JudgeOnline/)?upload/\S+|\S+\.(?:pdf|docx?|zip|rar)\b")
_DOCUMENT = re.compile(r"\.(?:pdf|docx?)\b", re.IGNORECASE)
_UPLOAD = re.compile(r"\bupload/|\.(?:zip|rar)\b", re.IGNORECASE)
_STANDS_IN = re.compile(r"!\[|\]\(|://|upload/|\.(?:pdf|docx?|zip|rar)\b")
_LETTER = re.compile(r"[^\W\d_]")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_STUB = 40
"""Letters of prose (a Chinese character is two) up to which a link or an image stands in for the statement. Ours:
the shortest real statements of the archives are longer, the notes beside links are shorter."""
_SAID = 200
"""Letters of prose from which a statement can stand without a picture that it never speaks of. Ours."""
_SPEAKS_OF_PICTURE = re.compile(
    r"\b(?:picture|figure|image|diagram|drawing|drawn|illustrat|depict|shown|sketch|map|see|look|below|above|following"
    r"|bild|figur)|图|如下|下面|以下|所示",
    re.IGNORECASE,
)
_POINTS_AT_PICTURE = re.compile(
    r"\b(?:shown|seen?|given|depicted|illustrated) (?:in|on) the (?:below |following |above )?"
    r"(?:image|picture|figure|diagram)s?\b"
    r"|\b(?:image|picture|figure|diagram)s? (?:below|above)\b|\bbelow (?:image|picture|figure)s?\b",
    re.IGNORECASE,
)
"""What a text says of a picture that has its place in it."""
_POINTS_IN_CHINESE = re.compile(r"如[下上左右]?图|见[下上左右]?图|[下右左]图(?=所示|中|是|为|给|表)")
_INTRODUCES = re.compile(r"\b(?:defin|formula|equation|function|expression)|定义|公式|函数", re.IGNORECASE)
"""What the paragraph before a picture of a formula speaks of."""
_FIRST_LINE = re.compile(
    r"(?:first|only|single) line[^.\n]{0,60}?\b(?:contains?|has|consists of|gives?)[^.\n]{0,40}?"
    r"\b(?P<count>one|two|three|four|five|six|an|a(?: single)?)\b[^.\n$]{0,60}?\b(?:integers?|numbers?)\b"
    r"(?P<names>(?:[\s,]|and|\$|[A-Za-z]\w{0,2}\b)*)",
    re.IGNORECASE,
)
_LINE = re.compile(r"(?:first|only|single) line\b", re.IGNORECASE)
_SEVERAL_CASES = re.compile(r"\beach\b|\bmultiple\b|\bseveral\b|\bindependent\b|\btest cases follow", re.IGNORECASE)
_COUNTS = {"one": 1, "a": 1, "an": 1, "a single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_WHOLE = re.compile(rb"[-+]?\d{1,30}")


def stub(text: Mapping[str, str]) -> str | None:
    """What stands in for the statement: `document` (PDF, Word), `upload`, `link`, `image`, `template`; None for a
    statement. text: Markdown by section."""
    whole = "\n".join(text.get(name, "") for name in (DESCRIPTION, INPUT, OUTPUT)).strip()
    if not whole:
        return "template"
    if not _STANDS_IN.search(whole) or _letters(_LINK.sub(" ", _IMAGE.sub(" ", whole))) > _STUB:
        return None
    links = " ".join(_LINK.findall(_IMAGE.sub(" ", whole)))
    if links:
        return "document" if _DOCUMENT.search(links) else "upload" if _UPLOAD.search(links) else "link"
    return "image" if _IMAGE.search(whole) else None


def missing_parts(text: Mapping[str, str], reads_input: bool) -> list[str]:
    """The sections that a statement lacks, by name; empty when it can be solved from what is there.

    text: Markdown by section. reads_input: whether any known test has an input. A section is not missed where the
    description itself speaks of it. `end`: without an output section, the description stops in mid-sentence.
    """
    description = text.get(DESCRIPTION, "").strip()
    missing = [] if description or INPUT in text else [DESCRIPTION]
    if INPUT not in text and reads_input and not _ASKS[INPUT].search(description + text.get(OUTPUT, "")):
        missing.append(INPUT)
    if OUTPUT not in text:
        if not _ASKS[OUTPUT].search(description + text.get(INPUT, "")):
            missing.append(OUTPUT)
        elif not _TERMINATED.search(text.get(INPUT, description).strip()):
            missing.append("end")
    return missing


def needs_image(text: Mapping[str, str]) -> bool:
    """Whether a picture in the description, the input or the output section is part of the task.

    Pictures of samples and notes are not: they show what is said. Nor is decoration: a picture alone in its paragraph,
    after a finished sentence, in a text that is long enough and never speaks of a picture. Under doubt it is. A text
    that points at a picture and has none, in no section, has lost it.
    """
    parts = [text.get(name, "") for name in (DESCRIPTION, INPUT, OUTPUT)]
    whole = "\n\n".join(part for part in parts if part)
    if not any("![" in part for part in parts):
        return not any("![" in part for part in text.values()) and _points_at_picture(whole)
    if _letters(_IMAGE.sub(" ", whole)) < _SAID or _SPEAKS_OF_PICTURE.search(whole):
        return True
    before = "."
    for paragraph in re.split(r"\n\s*\n", whole):
        leans = before[-1:] not in ".!?。！？”\"'*" or _INTRODUCES.search(before)
        if "![" in paragraph and (leans or _IMAGE.sub("", paragraph).strip()):
            return True
        before = paragraph.strip() if "![" not in paragraph else before
    return False


def _points_at_picture(text: str) -> bool:
    """Whether a text speaks of a picture at its place. In Chinese also of one that the next lines draw in letters."""
    if _POINTS_AT_PICTURE.search(text):
        return True
    pointer = _POINTS_IN_CHINESE.search(text)
    following = [line for line in text[pointer.end() :].split("\n") if line.strip()][1:4] if pointer else []
    return pointer is not None and all(_CHINESE.search(line) for line in following)


def first_line_names(input_spec: str) -> tuple[str, ...]:
    """The variables on the first line of the input, in order, where the statement counts and names them all:
    `The first line contains two integers n and k`. Else empty."""
    line = _LINE.search(input_spec)
    match = _FIRST_LINE.match(input_spec, line.start()) if line else None
    if match is None or _SEVERAL_CASES.search(input_spec[: match.end()]):
        return ()
    names = re.findall(r"\b(?!and\b)[A-Za-z]\w{0,2}\b", match["names"].split("\n\n")[0])
    return tuple(names) if len(names) == _COUNTS[" ".join(match["count"].lower().split())] else ()


def faults_of_inputs(input_spec: str, bounds: Sequence[Bound], inputs: Sequence[bytes]) -> set[str]:
    """What the first lines of inputs say against the statement: `sample_shape` where they hold another number of
    values than it names, `tests_out_of_bounds` where a value is out of its bounds. Only lines of whole numbers are
    judged, and no count of one: `an integer n ($n < 5$) and k` is common."""
    names = first_line_names(input_spec)
    limits = {bound.variable: bound for bound in bounds}
    faults = set()
    for given in inputs if names else ():
        values = given.lstrip().partition(b"\n")[0].split()
        if not values or not all(map(_WHOLE.fullmatch, values)):
            continue
        if len(values) != len(names):
            faults |= {"sample_shape"} if len(names) > 1 else set()
        elif not all(limits[n].allows(int(v)) for n, v in zip(names, values, strict=True) if n in limits):
            faults.add("tests_out_of_bounds")
    return faults


def _letters(text: str) -> int:
    return len(_LETTER.findall(text)) + len(_CHINESE.findall(text))
