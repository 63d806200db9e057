"""The program in a completion, as LiveCodeBench extracts it.

Source: LiveCodeBench `lcb_runner/utils/extraction_utils.py` at 28fef95. Whatever precedes the last block, such as an
earlier draft or a thinking model's thoughts, is ignored, and a block that never closes is no answer.
"""

from __future__ import annotations

from microcoder_train.evaluation.tasks import Extracted

FENCE, END_OF_THOUGHT = "```", "</think>"
FOUND = {
    "block": "the last closed code block",
    "all": "the whole completion, as a base model is asked for a program alone",
    "in_thoughts": "a code block of thoughts that never ended: what LiveCodeBench judges, and hardly an answer",
    "no_block": "no code block",
    "unclosed_block": "a code block that never closes",
    "empty": "an empty completion",
}
"""How a program was found, or why there is none; with what each means."""


def extract_code(completion: str) -> str | None:
    """The text between the last two lines that hold a fence; None without two fences."""
    lines = completion.split("\n")
    fences = [number for number, line in enumerate(lines) if FENCE in line]
    if len(fences) < 2:
        return None
    return "\n".join(lines[fences[-2] + 1 : fences[-1]])


def extract(completion: str, style: str) -> Extracted:
    """The program by the rule of a prompt style, with how it was found."""
    if style == "GenericBase":
        code = completion.strip()
        return Extracted(code, "all") if code else Extracted(None, "empty")
    block = extract_code(completion)
    if block is None:
        unclosed = "unclosed_block" if FENCE in completion else "no_block"
        return Extracted(None, unclosed if completion.strip() else "empty")
    thinking = "<think>" in completion and END_OF_THOUGHT not in completion
    return Extracted(block, "in_thoughts" if thinking else "block")
