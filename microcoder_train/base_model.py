"""The embedded base model: a tokenizer and a small Qwen3 model trained from scratch on the split's own programs.

Only the train part is read, never validation or benchmark rows. Prompts are followed by accepted programs and, more
often, by known-wrong ones, as in a raw corpus: the model solves some problems sometimes, which is where GRPO starts.
It shows the machinery; it is no coding model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from microcoder_train.config import BaseSettings
from microcoder_train.data import Part, Row
from microcoder_train.errors import TrainError
from microcoder_train.progress import progress

END, PAD = "<|endoftext|>", "<|pad|>"
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt with its tokenized answers."""

    prompt: list[int]
    accepted: tuple[list[int], ...]
    wrong: tuple[list[int], ...]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """loss: mean over the last tenth of the steps, nats a token. skipped: rows that did not fit or had no program."""

    model: Any
    tokenizer: Any
    loss: float
    used: int
    skipped: int

    def save(self, folder: Path) -> None:
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def answer(code: str) -> str:
    """How a program is written as a completion."""
    return f"```python\n{code.strip()}\n```"


def build_tokenizer(texts: Sequence[str], vocab_size: int) -> Any:
    """A byte-level BPE tokenizer: any text encodes, and decodes to itself."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def build_pairs(rows: Sequence[Row], tokenizer: Any, context: int) -> list[Pair]:
    """Rows with a Python program that fits `context` beside its prompt; programs that do not fit are left out."""
    pairs = []
    for row in rows:
        prompt = tokenizer(row.prompt)["input_ids"]
        accepted: list[list[int]] = []
        wrong: list[list[int]] = []
        for reference in row.references:
            ids = [*tokenizer(answer(reference.code))["input_ids"], tokenizer.eos_token_id]
            if reference.language == "python" and len(prompt) + len(ids) <= context:
                (accepted if reference.label == "accepted" else wrong).append(ids)
        if accepted or wrong:
            pairs.append(Pair(prompt, tuple(accepted), tuple(wrong)))
    return pairs


def train_base(part: Part, settings: BaseSettings, seed: int) -> BaseModel:
    """A base model from the train part. Deterministic for a seed on one machine. Raises TrainError without programs."""
    texts = [text for row in part.rows for text in (row.prompt, *(answer(r.code) for r in row.references))]
    tokenizer = build_tokenizer(texts, settings.vocab_size)
    pairs = build_pairs(part.rows, tokenizer, settings.context)
    if not pairs:
        raise TrainError(
            f"none of the {len(part)} train rows has a Python reference that fits {settings.context} tokens; "
            "raise base.context or give a model path"
        )
    torch.manual_seed(seed)
    model = build_model(settings, tokenizer)
    losses = _fit(model, pairs, settings, random.Random(seed))
    tail = losses[-max(1, len(losses) // 10) :]
    return BaseModel(model.eval(), tokenizer, sum(tail) / len(tail), len(pairs), len(part) - len(pairs))


def build_model(settings: BaseSettings, tokenizer: Any) -> Any:
    """A Qwen3 model with random weights."""
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=settings.hidden_size,
            intermediate_size=settings.intermediate_size,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.kv_heads,
            head_dim=settings.hidden_size // settings.heads,
            max_position_embeddings=settings.context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _fit(model: Any, pairs: Sequence[Pair], settings: BaseSettings, generator: random.Random) -> list[float]:
    warmup = max(1, settings.steps // 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / settings.steps)),
    )
    model.train()
    losses = []
    batches = _batches(pairs, settings, generator)
    for _ in progress(range(settings.steps), "training the base model"):
        ids, labels = _collate(next(batches), model.config.pad_token_id)
        loss = model(input_ids=ids, attention_mask=(ids != model.config.pad_token_id).long(), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append(float(loss))
    return losses


def _batches(
    pairs: Sequence[Pair], settings: BaseSettings, generator: random.Random
) -> Iterator[list[tuple[list[int], list[int]]]]:
    """Endless batches of (prompt, answer): every pair once before any comes again."""
    queue: list[Pair] = []
    while True:
        batch: list[tuple[list[int], list[int]]] = []
        while len(batch) < settings.batch_size:
            if not queue:
                queue = generator.sample(pairs, len(pairs))
            pair = queue.pop()
            wants_accepted = generator.random() < settings.accepted_share
            answers = (pair.accepted if wants_accepted else pair.wrong) or pair.accepted or pair.wrong
            prompt = [token for token in pair.prompt if generator.random() >= settings.token_dropout]
            batch.append((prompt, generator.choice(answers)))
        yield batch


def _collate(batch: Sequence[tuple[list[int], list[int]]], pad: int) -> tuple[Any, Any]:
    """Ids and labels, each (batch, longest), padded on the right; only answers are learnt."""
    longest = max(len(prompt) + len(answer_ids) for prompt, answer_ids in batch)
    ids, labels = [], []
    for prompt, answer_ids in batch:
        padding = longest - len(prompt) - len(answer_ids)
        ids.append([*prompt, *answer_ids, *[pad] * padding])
        labels.append([*[IGNORED] * len(prompt), *answer_ids, *[IGNORED] * padding])
    return torch.tensor(ids), torch.tensor(labels)
