"""Sampling completions from a causal language model with transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from microcoder_train.errors import TrainError
from microcoder_train.processes import local_place
from microcoder_train.progress import progress


@dataclass(frozen=True, slots=True)
class Completion:
    """ids: without the end token. truncated: the model had not ended when it was cut off."""

    text: str
    ids: tuple[int, ...]
    truncated: bool

    @property
    def tokens(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Policy:
    """A model in evaluation mode with its tokenizer, on the machine's accelerator if it has one."""

    model: Any
    tokenizer: Any

    def prompt(self, text: str) -> Any:
        """What the trainer is given: messages if the model has a chat template, else the text itself."""
        return [{"role": "user", "content": text}] if self.tokenizer.chat_template else text

    def encode(self, text: str) -> list[int]:
        """The token ids that the model continues."""
        if not self.tokenizer.chat_template:
            return list(self.tokenizer(text)["input_ids"])
        messages = self.prompt(text)
        return list(self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))

    @property
    def context(self) -> int:
        """Tokens that the model can attend to."""
        return int(getattr(self.model.config, "max_position_embeddings", 2**31))


def load_policy(path: str, dtype: str) -> Policy:
    """A Hugging Face folder or Hub name. dtype: float32 or bfloat16. Raises TrainError if it cannot be loaded."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype))
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or ["unreadable"])[0]
        raise TrainError(f"model {path} cannot be loaded: {reason}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    device = torch.device("cuda", local_place()) if torch.cuda.is_available() else torch.device("cpu")
    return Policy(model.to(device).eval(), tokenizer)


def sample(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    samples: int,
    *,
    temperature: float,
    max_tokens: int,
    batch: int,
    seed: int,
    label: str = "sampling",
) -> list[list[Completion]]:
    """`samples` completions of each encoded prompt, in order. The global random state is left as it was.

    Prompts of like length share a batch of about `batch` completions, so that little is spent on padding.
    """
    results: list[list[Completion]] = [[] for _ in prompts]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for chosen in progress(like_lengths([len(prompt) for prompt in prompts], max(1, batch // samples)), label):
            found = generate(policy, [prompts[index] for index in chosen], samples, temperature, max_tokens)
            for index, completions in zip(chosen, found, strict=True):
                results[index] = completions
    return results


def like_lengths(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Positions in groups of `size`, the shortest first."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    return [order[start : start + size] for start in range(0, len(order), size)]


def generate(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    samples: int,
    temperature: float,
    max_tokens: int,
    top_p: float = 1.0,
) -> list[list[Completion]]:
    """`samples` completions of each encoded prompt in one batch, from the global random state."""
    longest = max(len(prompt) for prompt in prompts)
    pad = policy.tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    with torch.inference_mode():
        output = policy.model.generate(
            input_ids=ids.to(policy.model.device),
            attention_mask=mask.to(policy.model.device),
            do_sample=True,
            temperature=temperature,
            top_k=0,
            top_p=top_p,
            max_new_tokens=max_tokens,
            num_return_sequences=samples,
            pad_token_id=pad,
        )
    completions = [_completion(policy, row) for row in output[:, longest:].tolist()]
    return [completions[start : start + samples] for start in range(0, len(completions), samples)]


def _completion(policy: Policy, row: list[int]) -> Completion:
    ends = policy.model.generation_config.eos_token_id
    stop_ids = set(ends) if isinstance(ends, list) else {ends}
    end = next((position for position, token in enumerate(row) if token in stop_ids), None)
    own = row if end is None else row[:end]
    return Completion(policy.tokenizer.decode(own, skip_special_tokens=True), tuple(own), end is None)
