"""A tiny embedding model for tests: random weights, and a tokenizer to which two languages are one."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = 400


def write_model(folder: Path, seed: int = 0) -> Path:
    """The words are w0, w1, ... and, in a language of its own, ж0, ж1, ...; a translation has the same tokens."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *(f"w{n}" for n in range(WORDS))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Replace("ж", "w")
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
        pad_token_id=0,
    )
    torch.manual_seed(seed)
    BertModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


def story(seed: int, letter: str = "w", length: int = 60) -> str:
    """Words from a few of a story's own, so that two seeds are not alike; letter `ж`: its translation."""
    generator = random.Random(seed)
    few = generator.sample(range(WORDS), 12)
    return " ".join(f"{letter}{generator.choice(few)}" for _ in range(length))
