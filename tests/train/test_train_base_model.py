from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from fabricated import TINY, function_row, stdin_row, write_folder
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.base_model import (
    Pair,
    answer,
    build_model,
    build_pairs,
    build_tokenizer,
    pack,
    shared_lines,
    train_base,
    weighted_loss,
)
from microcoder_train.config import BaseSettings
from microcoder_train.data import read_part
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.extraction import extract_code

SMALL = BaseSettings(**TINY["base"])
WHOLE = BaseSettings(**{**TINY["base"], "paragraph_dropout": 0.0, "token_dropout": 0.0})
TOKENIZER = build_tokenizer(["Print a + b.\n\nnumbers\n", "```python\nprint(a)\n```"] * 12, SMALL)


@given(st.text(max_size=60))
def test_any_text_encodes_and_decodes_to_itself(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER(text)["input_ids"]) == text


def test_lines_that_many_texts_share_are_one_token() -> None:
    assert shared_lines(["abc\ndef\n", "abc\n", "abc\nabc\n"], minimum=2) == ["abc\n"]
    assert len(TOKENIZER("```python\n")["input_ids"]) == 1


def test_an_answer_is_what_extraction_finds() -> None:
    assert extract_code(answer("print(1)\n")) == "print(1)"


def test_programs_that_do_not_fit_or_are_in_another_language_are_left_out(split: Path) -> None:
    rows = read_part(split, "train").rows
    assert len(build_pairs(rows, TOKENIZER, 10_000)) == len(rows)
    assert build_pairs(rows, TOKENIZER, 10) == []


def test_packed_answers_cost_what_they_cost_alone() -> None:
    torch.manual_seed(0)
    model = build_model(WHOLE, TOKENIZER).eval()
    pair = Pair([[5, 6, 7], [8, 9]], accepted=([20, 21, 22],), wrong=([30, 31], [40, 41, 42]))
    expected = total = 0.0
    for ids, weight in ((pair.accepted[0], 0.4), (pair.wrong[0], 0.3), (pair.wrong[1], 0.3)):
        logits = model(torch.tensor([[5, 6, 7, 8, 9, *ids]])).logits[0, 4:-1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(ids), reduction="none")
        expected += losses.sum().item() * weight
        total += len(ids) * weight
    packed = pack(pair, WHOLE, random.Random(0))
    longer = pack(Pair([[5] * 20], accepted=([7] * 9,), wrong=()), WHOLE, random.Random(0))
    alone = weighted_loss(model, [packed]).item()
    assert alone == pytest.approx(expected / total, rel=1e-5)
    both = weighted_loss(model, [packed, longer]).item()
    other = weighted_loss(model, [longer]).item()
    assert both == pytest.approx((alone * total + other * 9) / (total + 9), rel=1e-5), "padding changes nothing"


def test_training_is_repeatable_and_lowers_the_loss(split: Path) -> None:
    part = read_part(split, "train")
    short, again, longer = (
        train_base(part.rows, BaseSettings(**{**TINY["base"], "steps": steps}), seed=1) for steps in (3, 3, 150)
    )
    assert short.loss == again.loss
    assert longer.loss < short.loss / 2
    assert (longer.used, longer.skipped) == (4, 0)


def test_long_prompts_are_skipped_and_counted(tmp_path: Path) -> None:
    long: dict[str, Any] = {**function_row("long"), "prompt": "word " * 2000}
    folder = write_folder(tmp_path / "split", {"train": [stdin_row("sum", "sum", "+", "-"), long]})
    base = train_base(read_part(folder, "train").rows, SMALL, seed=0)
    assert (base.used, base.skipped) == (1, 1)


def test_a_split_without_programs_is_refused(tmp_path: Path) -> None:
    reference = {"name": "a.c", "language": "c", "label": "accepted", "code": ""}
    row = {**stdin_row("sum", "sum", "+", "-"), "references": [reference]}
    folder = write_folder(tmp_path / "split", {"train": [row]})
    with pytest.raises(TrainError, match="none of the 1 rows"):
        train_base(read_part(folder, "train").rows, SMALL, seed=0)
