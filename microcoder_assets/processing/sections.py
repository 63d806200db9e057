"""A statement in its sections: description, input, output, constraints, notes and the sections of its samples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from microcoder_assets.processing.headings import (
    CONSTRAINTS,
    DESCRIPTION,
    DROPPED,
    EXPLANATION,
    INPUT,
    INTERACTION,
    KIND_BY_TITLE,
    NOTES,
    OUTPUT,
    SAMPLE_INPUT,
    SAMPLE_KINDS,
    SAMPLE_OUTPUT,
)
from microcoder_assets.processing.noise import without_noise

_HEADING = re.compile(
    r"(?P<hashes>#{1,6})(?:[ \t]+(?P<atx>.*?))?[ \t]*#*"
    r"|(?P<bold>\*\*)(?P<strong>[^*\n]{2,40}?)\*\*[:：]?(?P<after>.*)"
    r"|(?:【(?P<bracket>[^】\n]{1,16})】|\[(?P<square>[\u4e00-\u9fff]{2,10})\](?!\()|[«《](?P<angle>[\u4e00-\u9fff]{2,8})(?=[:：]))"
    r"[:：]?(?P<rest>.*)"
    r"|(?P<colon>[A-Za-z][A-Za-z ]{2,30}):[ ]*(?P<value>.{0,80})"
    r"|(?P<plain>[A-Za-z][A-Za-z ]{2,30}|[\u4e00-\u9fff]{2,10}(?: [\u4e00-\u9fff]{2,10})?)[ ]?\d{0,2}[:：]?"
    r"(?:[ ]?[(（][^()（）]{1,30}\.(?:in|out)[)）][:：]?)?"
)
_TITLED = ("atx", "strong", "bracket", "square", "angle", "colon")
_FENCE = re.compile(r"[ ]*(`{3,}|~{3,})([^\n`]*)$")
_HYDRO_FENCE = re.compile(r"(input|output)(\d+)\b")
_EMPTY_HEADING = re.compile(r"#{1,6}")
_MISPLACED = re.compile(r"(?<=[^\s#])(#{1,2} 样例数据)$", re.MULTILINE)
_LIMIT = re.compile(
    r"(?:\**(?:(?:time|memory) limit\w*|[时空]间限制|时限|内存限制)\**\s*[:：]?\s*\**"
    r"[\d.]+\s?(?:seconds?|sec|ms|s|[kmg]?b|秒|毫秒)\**[\s,，;；。.]*)+",
    re.IGNORECASE,
)
"""A line that repeats the limits, which the record holds in columns."""
_BOUND = re.compile(r"\w\s?[<≤]\s?=?\s?\d")
_FILE = re.compile(r"\s*[:：]?\s*(?:[(（][^()（）]*\.(?:in|out|ans|pas|cpp)[^()（）]*[)）]?|\b\w+\.(?:in|out|ans))$")
_WHOLE = re.compile(r"\s*(`{3,})[^\n`]*\n(.*)\n\1\s*", re.DOTALL)
_WITH_TEXT = (NOTES, CONSTRAINTS, DROPPED)


@dataclass(slots=True)
class Part:
    """One stretch of a statement. title: its heading as written, without marks."""

    kind: str
    title: str
    text: str


@dataclass(slots=True)
class Sections:
    """text: Markdown by section name, in `TEXT_SECTIONS`; samples: the parts that hold samples, in order."""

    text: dict[str, str] = field(default_factory=dict)
    samples: list[Part] = field(default_factory=list)


def split_sections(markdown: str) -> Sections:
    """The sections of clean Markdown by their headings (English, Chinese, Swedish, German, Spanish).

    A section that repeats an earlier one is left out; sections of one kind are joined. A statement that was
    preformatted as a whole, headings and all, is read without its fence.
    """
    sections = Sections()
    parts = list(_parts(_MISPLACED.sub(r"\n\n\1", markdown)))
    written = [part for part in parts if part.text.strip()]
    if len(written) == 1 and (whole := _WHOLE.fullmatch(written[0].text)) and "\n```" not in whole[2]:
        inside = list(_parts(without_noise(whole[2])))
        parts = inside if {INPUT, OUTPUT} <= {part.kind for part in inside} else parts
    for part in parts:
        text = part.text.strip("\n")
        if part.kind in SAMPLE_KINDS:
            sections.samples.append(Part(part.kind, part.title, text))
        elif text.strip() and (part.kind != DROPPED or _BOUND.search(text)):
            kind = {INTERACTION: DESCRIPTION, DROPPED: NOTES}.get(part.kind, part.kind)
            text = f"### Interaction\n\n{text}" if part.kind == INTERACTION else text
            before = sections.text.get(kind, "")
            if _squeezed(text) not in _squeezed(before):
                sections.text[kind] = f"{before}\n\n{text}" if before else text
    return sections


def _squeezed(text: str) -> str:
    """Without white space and marks of emphasis."""
    return re.sub(r"[\s*]+", "", text)


def _parts(markdown: str) -> Iterator[Part]:
    part, lines = Part(DESCRIPTION, "", ""), list[str]()
    closing = ""
    for line in markdown.split("\n"):
        if not closing and _LIMIT.fullmatch(line.strip()):
            continue
        found = None if closing else _heading(line, part.kind)
        if not closing and (opened := _FENCE.match(line)):
            closing = opened[1]
            if hydro := _HYDRO_FENCE.match(opened[2]):
                found = (SAMPLE_INPUT if hydro[1] == "input" else SAMPLE_OUTPUT, hydro[2], line)
        elif closing and line.strip().startswith(closing) and not line.strip().strip(closing[0]):
            closing = ""
        if found is None:
            if closing or not _EMPTY_HEADING.fullmatch(line):
                lines.append(line)
            continue
        part.text = "\n".join(lines)
        yield part
        part, lines = Part(found[0], found[1], ""), [found[2]] if found[2] else []
    part.text = "\n".join(lines)
    yield part


def _heading(line: str, current: str) -> tuple[str, str, str] | None:
    """(kind, title, text behind it) when the line is a heading that starts a section, seen from section `current`."""
    match = _HEADING.fullmatch(line.strip()) if len(line) < 200 and not line.startswith(("    ", "\t")) else None
    if match is None:
        return None
    title = next((match[name] for name in _TITLED if match[name]), line if match["plain"] else "")
    title = re.sub(r"^[【\[（(*\s]+|[】\]）)*:：\s.]+$", "", title.strip())
    rest = (match["after"] or match["rest"] or match["value"] or "").strip()
    kind = KIND_BY_TITLE.get(_canonical(title))
    in_samples = current in SAMPLE_KINDS
    if kind is None:
        ends_samples = match["hashes"] and (in_samples or current == DROPPED)
        return (NOTES, title, f"### {title}" if title else "") if ends_samples else None
    if kind in (INPUT, OUTPUT):
        of_a_sample = in_samples and not re.search("format|格式", title.lower())
        if match["bold"] and (of_a_sample or rest):
            return None
        if of_a_sample and match["rest"] is None and (not match["hashes"] or len(match["hashes"]) > 2):
            kind = EXPLANATION if title.endswith("说明") else SAMPLE_INPUT if kind == INPUT else SAMPLE_OUTPUT
    if kind == EXPLANATION and not match["hashes"] and (match["bold"] or not in_samples):
        return None
    if rest and (match["bold"] or match["colon"]) and (kind not in _WITH_TEXT or title.lower() == "note"):
        return None
    if (match["plain"] or match["colon"]) and kind in (DROPPED, INTERACTION):
        return None
    if match["plain"] and kind == DESCRIPTION and current != DESCRIPTION:
        return None
    return kind, title, rest


def _canonical(title: str) -> str:
    """A title without numbers, connectives, file names and case: `样例 1 输入` and `样例输入1` are one."""
    title = _FILE.sub("", title)
    title = re.sub(r"[ ]?[#＃]?\d+|(?<=[\u4e00-\u9fff])[一二三四五六七八九十]+$|以及|[和与及、]", "", title)
    return re.sub(r"\s+(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])\s+", "", " ".join(title.lower().split()))
