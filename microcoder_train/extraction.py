"""The program in a completion."""

from __future__ import annotations


def extract_code(completion: str) -> str | None:
    """The text between the last two lines that hold a fence, as LiveCodeBench extracts it; None without two fences.

    Source: LiveCodeBench `lcb_runner/utils/extraction_utils.py`: whatever precedes the last block, such as an earlier
    draft, is ignored, and a block that never closes is no answer.
    """
    lines = completion.split("\n")
    fences = [number for number, line in enumerate(lines) if "```" in line]
    if len(fences) < 2:
        return None
    return "\n".join(lines[fences[-2] + 1 : fences[-1]])
