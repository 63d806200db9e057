"""The model card of a run, written into the model's folder, from nothing but the run's own record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from microcoder_train.config import TrainSettings, describe
from microcoder_train.reports import number, validation_table

SHOWN = ("step", "reward", "completion_length", "truncated", "masked", "entropy", "diversity", "temperature")
ROWS = 10
"""Points of the curve in the card's table."""

LIMITS = """\
- The gain is measured on the validation part of the split alone. Score the model on a benchmark that the data was kept
  apart from before comparing it with another.
- The reward is that a program passes the tests of its problem. A program that passes weak tests is rewarded too, and
  nothing is known of how readable, safe or licensed the programs are that it writes.
- Run what it writes in a sandbox only.
"""
EMBEDDED_LIMITS = """\
- The base is the embedded model of about a million parameters, trained from scratch on the programs of both parts of
  the split. It shows that the machinery works. It is no coding model.
"""


def write_card(folder: Path, summary: Mapping[str, Any], settings: TrainSettings, embedded: bool) -> None:
    """folder/README.md. summary: the run's record; times are left out, so that equal runs give equal files."""
    (folder / "README.md").write_text(card(summary, settings, embedded), encoding="utf-8")


def card(summary: Mapping[str, Any], settings: TrainSettings, embedded: bool) -> str:
    base = str(summary["base"])
    head: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["grpo", "code"]}
    if base.startswith(".."):
        base = Path(base).name
    else:
        head["base_model"] = base
    adapter = (
        "\nOnly LoRA adapters were trained. The weights here are merged and load without peft; the adapter alone is in "
        "`adapter/`\nbeside this folder.\n"
        if settings.lora_rank is not None
        else ""
    )
    return f"""\
---
{yaml.safe_dump(head, sort_keys=True).rstrip()}
---

# A coding policy trained with GRPO

| | |
| --- | --- |
| base | `{base}` |
| data version | `{summary["data_version"]}` |
| train problems | {summary["problems"]}, {summary["skipped"]} more have too long a prompt |
| optimiser updates | {summary["steps"]} |
| seed | {summary["seed"]} |
| run | `{summary["key"]}` |

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model, tokenizer = AutoModelForCausalLM.from_pretrained("."), AutoTokenizer.from_pretrained(".")
```
{adapter}
## Score

{summary["validation"]["base"]["problems"]} held-out problems of the split, {settings.evaluation.samples} samples each \
at temperature {settings.evaluation.temperature}.

{validation_table(summary["validation"])}

## Curve

![mean reward by step](curve.png)

{curve_table(summary["curve"])}

## Limits

{LIMITS}{EMBEDDED_LIMITS if embedded else ""}
## Settings

```
{describe(settings)}
```
"""


def curve_table(points: Sequence[Mapping[str, Any]]) -> str:
    """About `ROWS` points of the curve, the first and the last among them."""
    last = len(points) - 1
    places = sorted({round(last * place / (ROWS - 1)) for place in range(ROWS)}) if points else []
    lines = [" | ".join([str(points[n]["step"]), *(number(points[n][name]) for name in SHOWN[1:])]) for n in places]
    return "\n".join([f"| {' | '.join(SHOWN)} |", "|" + " --- |" * len(SHOWN), *(f"| {line} |" for line in lines)])
