"""Texts to vectors with a local embedding model: the files of a sentence-transformers folder, read by transformers.

A vector is the pooled last hidden state, the mean over the tokens unless the folder says otherwise, at length one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from microcoder_train.errors import TrainError
from microcoder_train.progress import progress
from microcoder_train.reports import Report

Pooling = Literal["mean", "cls"]
MODULES = {"Transformer", "Pooling", "Normalize"}
"""Parts of a sentence-transformers model that are known here; a model with another part is refused."""

MAX_TOKENS = 512
"""The rest of a longer text is not read. Ours, as long as most embedding models are trained for."""

BATCH = 32
"""Texts in one forward pass. Ours."""


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model in evaluation mode with its tokenizer, on the machine's accelerator if it has one."""

    model: Any
    tokenizer: Any
    pooling: Pooling

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts, dimensions), each of length one; a text without tokens is all zeros."""
        vectors = np.zeros((len(texts), self.model.config.hidden_size), np.float32)
        for batch in progress(_batches(texts), "embedding"):
            vectors[batch] = self._embed([texts[n] for n in batch])
        return vectors

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Of one batch. Padding stands on the right and counts for nothing."""
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        ).to(self.model.device)
        mask = tokens["attention_mask"][..., None]
        if not mask.shape[1]:
            return np.zeros((len(texts), self.model.config.hidden_size), np.float32)
        with torch.inference_mode():
            hidden = self.model(**tokens).last_hidden_state.float() * mask
        pooled = hidden[:, 0] if self.pooling == "cls" else hidden.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
        return vectors

    @property
    def max_tokens(self) -> int:
        positions = getattr(self.model.config, "max_position_embeddings", MAX_TOKENS)
        return min(MAX_TOKENS, int(self.tokenizer.model_max_length), int(positions))


def load_embedding_model(folder: Path) -> EmbeddingModel:
    """Raises TrainError for a folder that is not there, holds no model, or one that would be read wrongly."""
    if not folder.is_dir():
        raise TrainError(f"embedding model {folder} is not a folder; give a Hugging Face model folder")
    pooling = _pooling(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="right")
        model, loaded = AutoModel.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except Exception as error:  # each format of weights and tokenizers has errors of its own
        reason = (str(error).strip().splitlines() or ["unreadable"])[0]
        raise TrainError(f"embedding model {folder} cannot be loaded: {reason}") from error
    if model.config.is_encoder_decoder:
        raise TrainError(f"embedding model {folder} is an encoder with a decoder; give an encoder alone")
    if missing := [name for name in sorted(loaded["missing_keys"]) if not name.startswith("pooler.")]:
        raise TrainError(f"embedding model {folder} has no weights for {missing[0]}; give the whole model")
    if 2 * len(tokenizer) < model.config.vocab_size:  # transformers makes an empty one where the files are missing
        known = f"{len(tokenizer)} of {model.config.vocab_size} tokens"
        raise TrainError(f"the tokenizer of embedding model {folder} knows {known}; add the files of the tokenizer")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return EmbeddingModel(model.to(device).eval(), tokenizer, pooling)


def embed_file(folder: Path, texts: Path, out: Path) -> Report:
    """Write the vectors of a file of JSON lines, `{"text": ...}` each, as a NumPy array; whole, or not at all."""
    lines = _read_texts(texts)
    vectors = load_embedding_model(folder).embed(lines)
    if not np.isfinite(vectors).all():
        raise TrainError(f"embedding model {folder} gives vectors that are no numbers; its weights are damaged")
    scratch = out.with_name(f"{out.name}.tmp")
    try:
        with scratch.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        scratch.replace(out)
    except OSError as error:
        raise TrainError(f"cannot write {out}: {error.strerror}; choose another --output") from error
    finally:
        scratch.unlink(missing_ok=True)
    return Report(f"{len(lines)} texts in {vectors.shape[1]} dimensions: {out}", "")


def _pooling(folder: Path) -> Pooling:
    """What the folder says of it; the mean where it is silent."""
    modules = [module["type"].rpartition(".")[2] for module in _read_json(folder / "modules.json", [])]
    if unknown := set(modules) - MODULES:
        raise TrainError(f"embedding model {folder} has a part {min(unknown)} that is not supported; give another one")
    config = _read_json(folder / "1_Pooling" / "config.json", {"pooling_mode": "mean"})
    flags = {
        name.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token"): on
        for name, on in config.items()
        if name.startswith("pooling_mode_")
    }
    modes = [config["pooling_mode"]] if "pooling_mode" in config else [name for name, on in flags.items() if on]
    if modes in (["mean"], ["cls"]):
        return "cls" if modes == ["cls"] else "mean"
    raise TrainError(f"embedding model {folder} pools by {' and '.join(modes)}; only mean and cls are supported")


def _read_json(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default
    except ValueError as error:
        raise TrainError(f"{path} is no JSON: {error}") from error


def _read_texts(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            return [_text(line, f"{path} line {number}") for number, line in enumerate(lines, 1)]
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(f"{path} cannot be read: {error}; give a file of JSON lines") from error


def _text(line: str, where: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise TrainError(f'{where} is not of the form {{"text": ...}}') from error
    if not isinstance(text, str):
        raise TrainError(f"{where}: text is not a string")
    return text


def _batches(texts: Sequence[str]) -> list[list[int]]:
    """Positions of texts of like length, so that little is spent on padding."""
    order = sorted(range(len(texts)), key=lambda n: (len(texts[n]), n))
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
