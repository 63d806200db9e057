"""The embedded base model: a tokenizer and a small Qwen3 model trained from scratch on the split's own programs.

Prompts are followed by accepted programs and, more often, by known-wrong ones, as in a raw corpus: the model solves
some problems sometimes, which is where GRPO starts. Both parts of the split are in that corpus, because a few
stories a task are too few for so small a model to understand another; the benchmark is not. GRPO then sees the train
part only. So a gain on the validation part says that the shift from wrong to right programs carries over to problems
without a reward, and no more than that. The model shows the machinery; it is no coding model.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from microcoder_train.config import BaseSettings
from microcoder_train.data import Row
from microcoder_train.errors import TrainError
from microcoder_train.progress import progress

END, PAD = "<|endoftext|>", "<|pad|>"
PARAGRAPH = re.compile(r".+?(?:\n{2,}|\Z)", re.DOTALL)
LINE = re.compile(r"[^\n]{3,}\n+")


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt, as the token ids of its paragraphs, with its tokenized answers."""

    prompt: list[list[int]]
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


def build_tokenizer(texts: Sequence[str], settings: BaseSettings) -> Any:
    """A byte-level BPE tokenizer: any text encodes, and decodes to itself.

    Lines that many texts share, such as headings or the reading of input, are tokens of their own: that makes
    prompts and programs several times shorter, which is what two CPU cores can afford.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocab_size,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(line, normalized=False) for line in shared_lines(texts, settings.line_texts)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def shared_lines(texts: Sequence[str], minimum: int) -> list[str]:
    """Lines, each with its newlines, that at least `minimum` texts hold; the commonest first."""
    counts = Counter(line for text in texts for line in set(LINE.findall(text)))
    return [line for line, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= minimum]


def build_pairs(rows: Sequence[Row], tokenizer: Any, limit: int) -> list[Pair]:
    """Rows with a Python program that fits `limit` tokens beside its prompt; programs that do not fit are left out."""
    pairs = []
    for row in rows:
        prompt = [tokenizer(paragraph)["input_ids"] for paragraph in PARAGRAPH.findall(row.prompt)]
        length = sum(map(len, prompt))
        accepted: list[list[int]] = []
        wrong: list[list[int]] = []
        for reference in row.references:
            ids = [*tokenizer(answer(reference.code))["input_ids"], tokenizer.eos_token_id]
            if reference.language == "python" and length + len(ids) <= limit:
                (accepted if reference.label == "accepted" else wrong).append(ids)
        if accepted or wrong:
            pairs.append(Pair(prompt, tuple(accepted), tuple(wrong)))
    return pairs


def train_base(rows: Sequence[Row], settings: BaseSettings, seed: int) -> BaseModel:
    """A base model from the rows' programs. Deterministic for a seed on one machine. Raises TrainError without any."""
    texts = [text for row in rows for text in (row.prompt, *(answer(r.code) for r in row.references))]
    tokenizer = build_tokenizer(texts, settings)
    pairs = build_pairs(rows, tokenizer, settings.pair_tokens)
    if not pairs:
        raise TrainError(
            f"none of the {len(rows)} rows has a Python reference that fits {settings.pair_tokens} tokens; "
            "raise base.pair_tokens or give a model path"
        )
    torch.manual_seed(seed)
    model = build_model(settings, tokenizer)
    losses = _fit(model, pairs, settings, random.Random(seed))
    tail = losses[-max(1, len(losses) // 10) :]
    return BaseModel(model.eval(), tokenizer, sum(tail) / len(tail), len(pairs), len(rows) - len(pairs))


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
    batches = _batches(pairs, settings.batch_size, generator)
    for _ in progress(range(settings.steps), "training the base model"):
        packed = [pack(pair, settings, generator) for pair in next(batches)]
        loss = weighted_loss(model, packed)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append(loss.item())
    return losses


def _batches(pairs: Sequence[Pair], size: int, generator: random.Random) -> Iterator[list[Pair]]:
    """Endless batches: every pair once before any comes again."""
    queue: list[Pair] = []
    while True:
        batch: list[Pair] = []
        while len(batch) < size:
            queue = queue or generator.sample(pairs, len(pairs))
            batch.append(queue.pop())
        yield batch


@dataclass(frozen=True, slots=True)
class Packed:
    """One prompt with all its answers side by side, as lists of one entry a token.

    Each answer begins with a copy of the prompt's last token, continues the prompt's positions and sees the prompt
    and itself only (segment 0 is the prompt). weights: of each token's loss; 0 where nothing is predicted.
    """

    ids: list[int]
    targets: list[int]
    positions: list[int]
    segments: list[int]
    weights: list[float]


def pack(pair: Pair, settings: BaseSettings, generator: random.Random) -> Packed:
    """All answers of a prompt in one sequence: the prompt is computed once, and the mixture of accepted and wrong
    programs is exact in every step instead of drawn."""
    share = settings.accepted_share if pair.accepted and pair.wrong else 1.0 if pair.accepted else 0.0
    answers = [(ids, share / len(pair.accepted)) for ids in pair.accepted]
    answers += [(ids, (1 - share) / len(pair.wrong)) for ids in pair.wrong]
    *paragraphs, final = pair.prompt
    kept = [paragraph for paragraph in paragraphs if generator.random() >= settings.paragraph_dropout]
    *head, last = [*itertools.chain.from_iterable(kept), *final]
    prompt = [token for token in head if generator.random() >= settings.token_dropout]
    packed = Packed(
        [*prompt], [0] * len(prompt), list(range(len(prompt))), [0] * len(prompt), [0.0] * len(prompt)
    )
    for segment, (ids, weight) in enumerate(answers, start=1):
        packed.ids.extend([last, *ids[:-1]])
        packed.targets.extend(ids)
        packed.positions.extend(range(len(prompt), len(prompt) + len(ids)))
        packed.segments.extend([segment] * len(ids))
        packed.weights.extend([weight] * len(ids))
    return packed


def weighted_loss(model: Any, batch: Sequence[Packed]) -> Any:
    """Weighted mean of the nats a predicted token costs."""
    longest = max(len(item.ids) for item in batch)

    def padded(name: str, filler: float) -> Any:
        rows = [getattr(item, name) for item in batch]
        return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])

    segments, weights = padded("segments", -1), padded("weights", 0.0)
    visible = (segments[:, None, :] == 0) | (segments[:, None, :] == segments[:, :, None])
    mask = (visible & torch.ones(longest, longest, dtype=torch.bool).tril())[:, None]
    hidden = model.model(
        input_ids=padded("ids", 0), position_ids=padded("positions", 0), attention_mask=mask
    ).last_hidden_state
    predicted = weights > 0
    logits = model.lm_head(hidden[predicted])
    losses = torch.nn.functional.cross_entropy(logits, padded("targets", 0)[predicted], reduction="none")
    return (losses * weights[predicted]).sum() / weights.sum()
