"""Samples: from the sections of a statement, from sample tests, and back into Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from microcoder_assets.processing.headings import EXPLANATION, SAMPLE, SAMPLE_INPUT, SAMPLE_OUTPUT
from microcoder_assets.processing.markdown import escape_tags, fence, lines_apart
from microcoder_assets.processing.sections import Part

_FENCED = re.compile(
    r"^[ ]*(?P<ticks>`{3,}|~{3,})[^\n`]*\n(?P<body>.*?\n)??[ ]*(?P=ticks)[ \t]*$", re.MULTILINE | re.DOTALL
)
_FIELD = re.compile(
    r"^[ \t>]*(?:-[ ])?(?:\*\*(?P<bold>Inputs?|Outputs?|Expl\w*)\s*:?\s*\*\*\s*:?"
    r"|(?P<plain>Inputs?|Outputs?|Expl\w*)\s*:)[ ]*",
    re.MULTILINE | re.IGNORECASE,
)
_FILES = re.compile(
    r"\W*(?:输入文件名?\W*)?[\w-]+\.in\b\W*?\n(?P<input>.*?)\n\W*(?:输出文件名?\W*)?[\w-]+\.(?:out|ans)\b\W*?\n(?P<output>.*)",
    re.DOTALL,
)
_FILE_NAME = {
    SAMPLE_INPUT: re.compile(r"\A\W*(?:file )?[\w-]+\.in\W*\n"),
    SAMPLE_OUTPUT: re.compile(r"\A\W*(?:file )?[\w-]+\.(?:out|ans)\W*\n"),
}
_SEVERAL = re.compile(
    r"!\[[^\]\n]*\]\(|略|^\s*or:?\s*$|样例|输入|输出|【|\bsample\b|\b(?:input|output)\s*#?\d|^\s*(?:test\s*)?case\s*#?\d+\s*:?\s*$|[\u4e00-\u9fff]{2}",
    re.IGNORECASE | re.MULTILINE,
)
"""Marks of a picture, of several samples, or of prose, in what should be the text of one sample."""
_REMARK = re.compile(
    r"\n(?:\s*(?=[^\n]{0,8}[\u4e00-\u9fff]{2}|!\[|//|(?:IN|OUT)PUT DETAILS\b)"
    r"|(?<=\d\n)[ \t]*\n\s*(?=[A-Z][a-z]*(?: [\w#-]+){4}))"
)
"""Where a remark about a sample begins behind it. A text that holds Chinese words from the start is none."""
_COMMENT = re.compile(r"(?<=\S)[ \t]*//[^\n]*[\u4e00-\u9fff]{2}[^\n]*")
"""A comment in Chinese behind the data of a line."""
_LIMITS = re.compile(r"(?<=\d)\s*\n\s*(?=(?:[(（]?[A-Za-z\d][^\n.]{0,40}?(?:<=?|≤)[^\n]*(?:\n\s*|\Z))+\Z)")
"""Where limits begin behind the numbers of an output."""
_LABEL = re.compile(
    r"^[ \t]*(?=[^\n]*[\u4e00-\u9fff\d])[【\[（(]?[ ]?"
    r"(?:(?:输入|输出){0,2}样例(?:输入|输出){0,2}|输入|输出|(?:sample )?(?:input|output)|sample)"
    r"[ ]?#?(?:\d{1,2}|[一二三四五六七八九十l])?[ ]?[】\]）)]?[ ]?[:：.]?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
"""A line that says which of several samples begins, in the text of what the headings take for one."""
_NUMBER = re.compile(r"\d+")
_BLOCK = re.compile(r"(?:[-*+>]|\d+\.)[ ]|[|#]|```")
_ESCAPE = re.compile(r"\\(?=[<&`])")
_COLUMNS = re.compile(r"^.*\S {3,}\S.*\n.*\S {3,}\S", re.MULTILINE)
"""Two lines that are laid out in columns, which only a fence keeps."""
_NOTHING = ("无", "none", "(none)", "（无）")


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as a reader sees it. Function problems: input as `nums = [1,2], k = 3`."""

    input: str
    output: str
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """samples: those that could be read. explanations: by sample number, of samples that are not in the statement.
    leftover: Markdown that belongs to no sample, so that nothing is lost."""

    samples: tuple[Sample, ...]
    explanations: Mapping[int, str] = field(default_factory=dict)
    leftover: tuple[str, ...] = ()


def read_examples(parts: Sequence[Part]) -> Found:
    """Examples that name their fields, `Input: ... Output: ... Explanation: ...`, as LeetCode's do."""
    samples, leftover = [], []
    for part in parts:
        sample = _example(part.text)
        if sample is not None:
            samples.append(sample)
        elif part.kind == EXPLANATION and samples and samples[-1].explanation is None:
            samples[-1] = Sample(samples[-1].input, samples[-1].output, _prose(part.text))
        elif part.text.strip():
            leftover.append(_titled(part))
    return Found(tuple(samples), {}, tuple(leftover))


def _example(text: str) -> Sample | None:
    text = _FENCED.sub(lambda block: escape_tags(block["body"] or ""), text)
    fields = list(_FIELD.finditer(text))
    ends = [*(label.start() for label in fields[1:]), len(text)]
    values: dict[str, str] = {}
    for label, end in zip(fields, ends, strict=False):
        name = (label["bold"] or label["plain"]).lower()[:3]
        value = text[label.end() : end].strip()
        values[name] = f"{values[name]}\n{value}" if name in values else value
    if not values.get("out") or "inp" not in values:
        return None
    output, _, after = values["out"].partition("\n\n")
    before = text[: fields[0].start()].strip()
    explanation = "\n\n".join(piece for piece in (before, after.strip(), values.get("exp", "")) if piece)
    return Sample(_literal(values["inp"]), _literal(output), _prose(explanation) or None)


def _prose(explanation: str) -> str:
    """An explanation, of which every line stands for itself; what is laid out in columns stays as it is."""
    return explanation if _COLUMNS.search(explanation) else lines_apart(explanation)


def _literal(text: str) -> str:
    """Text of a sample in prose, without the marks of code and of escaping."""
    return _ESCAPE.sub("", text).replace("`", "").strip()


def _unspaced(text: str) -> str:
    """Lines that became paragraphs of their own, as lines again."""
    text = _ESCAPE.sub("", text).strip()
    return text if re.search(r"[^\n]\n[^\n]", text) else re.sub(r"\n\s*\n", "\n", text)


def _without_remark(text: str, output: bool = False) -> tuple[str, str]:
    """A sample's text, and the remarks behind it and behind its lines."""
    remark = _REMARK.search(text) or (_LIMITS.search(text) if output else None)
    said = [text[remark.end() :].strip()] if remark else []
    text = text[: remark.start()].strip("\n ") if remark else text.strip("\n")
    comments = [comment[0].strip() for comment in _COMMENT.finditer(text)]
    return _COMMENT.sub("", text), "\n".join(comments + said)


def _labelled(text: str) -> list[str]:
    """A text that begins with a label as one text for each label, else the text itself."""
    before, *texts = _LABEL.split(text)
    return [text] if before.strip() or not texts else [piece.strip("\n") for piece in texts]


def _by_heading(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts, `Sample 1` and `Sample 2` under an empty heading for inputs being inputs, for outputs outputs."""
    kind = ""
    for part, following in zip_longest(parts, parts[1:]):
        if kind and _is_one_text(part):
            yield Part(kind, part.title, part.text)
            continue
        kind = part.kind if part.kind in _FILE_NAME and not part.text.strip() else ""
        if not (kind and following and _is_one_text(following)):
            yield part


def _is_one_text(part: Part) -> bool:
    return part.kind == SAMPLE and bool(part.text.strip()) and len(_FENCED.findall(part.text)) < 2


def read_pairs(parts: Sequence[Part]) -> Found:
    """Samples of standard input and output: fences, or text, under headings for input and output."""
    inputs: list[str] = []
    outputs: list[str] = []
    explanations: dict[int, str] = {}
    remarks: list[tuple[int, str]] = []
    leftover: list[str] = []
    for part in _by_heading(parts):
        blocks = [(block["body"] or "").rstrip("\n") for block in _FENCED.finditer(part.text)]
        files = None if blocks else _FILES.fullmatch(part.text)
        if files and part.kind in (SAMPLE, SAMPLE_INPUT):
            for found, name in ((inputs, "input"), (outputs, "output")):
                text, remark = _without_remark(_unspaced(files[name]), name == "output")
                found.append(text)
                remarks.append((len(found), remark))
        elif part.kind in (SAMPLE_INPUT, SAMPLE_OUTPUT):
            for block in [text for whole in blocks or [_unspaced(part.text)] for text in _labelled(whole)]:
                text, remark = _without_remark(_FILE_NAME[part.kind].sub("", block), part.kind == SAMPLE_OUTPUT)
                (inputs if part.kind == SAMPLE_INPUT else outputs).append("" if text.lower() in _NOTHING else text)
                remarks.append((max(len(inputs), len(outputs)), remark))
            if blocks and (around := _FENCED.sub("", part.text).strip()):
                leftover.append(around)
        elif part.kind == SAMPLE and blocks and len(blocks) % 2 == 0:
            inputs += blocks[::2]
            outputs += blocks[1::2]
        elif part.text.strip():
            number = _NUMBER.search(part.title)
            at = int(number[0]) if number else len(inputs)
            if part.kind == EXPLANATION and at:
                explanations[at] = "\n\n".join(filter(None, [explanations.get(at), part.text.strip()]))
            else:
                leftover.append(_titled(part))
    unsure = any(_SEVERAL.search(text) for text in (*inputs, *outputs)) or (leftover and "" in inputs)
    if unsure or len(inputs) != len(outputs):
        return Found((), {}, tuple(_titled(part) for part in parts if part.text.strip()))
    for at, remark in reversed(remarks):
        if remark:
            explanations[at] = "\n\n".join(filter(None, [remark, explanations.get(at)]))
    samples: dict[tuple[str, str], Sample] = {}
    for at, pair in enumerate(zip(inputs, outputs, strict=True), 1):
        if pair in samples and _squeezed(explanations.get(at)) == _squeezed(samples[pair].explanation):
            explanations.pop(at, None)
        elif pair[1].strip() and pair not in samples:
            samples[pair] = Sample(*pair, explanations.pop(at, None))
    return Found(tuple(samples.values()), explanations, tuple(leftover))


def _squeezed(text: str | None) -> str:
    return "".join((text or "").split())


def with_listed(found: Found, listed: Sequence[Sample]) -> Found:
    """The samples that the source lists apart in place of the statement's, each with the statement's explanation."""
    own = {number: sample.explanation for number, sample in enumerate(found.samples, 1) if sample.explanation}
    explanations = {**own, **found.explanations}
    samples = [
        Sample(s.input, s.output, s.explanation or explanations.pop(n, None)) for n, s in enumerate(listed, 1)
    ]
    leftover = [text for text in found.leftover if not _FENCED.search(text)]
    return Found(tuple(samples), explanations, tuple(leftover))


def notes_of(found: Found) -> list[str]:
    """What the statement says of samples beside the samples themselves."""
    return [*found.leftover, *(f"### Explanation {n}\n\n{text}" for n, text in sorted(found.explanations.items()))]


def render_samples(samples: Sequence[Sample], function: bool) -> str:
    """The samples as a statement shows them; function problems as examples with named fields."""
    blocks: list[str] = []
    for number, sample in enumerate(samples, 1):
        if function:
            blocks += [f"### Example {number}", fence(f"Input: {sample.input}\nOutput: {sample.output}")]
            if sample.explanation:
                text = sample.explanation
                if _COLUMNS.search(text) and "![" not in text:
                    text = fence(text.replace("**", "").replace(r"\*", "*"))
                blocks.append(f"**Explanation:**{_gap(text)}{text}")
        else:
            blocks += [f"### Sample Input {number}", fence(sample.input)]
            blocks += [f"### Sample Output {number}", fence(sample.output)]
            if sample.explanation:
                blocks += [f"### Explanation {number}", sample.explanation]
    return "\n\n".join(blocks)


def _gap(explanation: str) -> str:
    """A list, a table or a fence starts on a line of its own."""
    return "\n\n" if _BLOCK.match(explanation) else " "


def _titled(part: Part) -> str:
    return f"### {part.title}\n\n{part.text.strip()}" if part.title else part.text.strip()
