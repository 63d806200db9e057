"""Whether a statement for standard input and output says all that a solver needs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from microcoder_assets.processing.headings import DESCRIPTION, INPUT, OUTPUT

_ASKS = {
    INPUT: re.compile(r"\binputs?\b|输入|读入|给出|给定|给你|已知|\bindata\b|\bread\b|\bgiven\b", re.IGNORECASE),
    OUTPUT: re.compile(r"\b(?:outputs?|print|display)\b|输出|打印|\butdata\b|\bskriv ut\b", re.IGNORECASE),
}
_TERMINATED = re.compile(r"[.!?。！？．…:：;；)）\]】\"”」』'’`$|*\d>~=]$")


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
