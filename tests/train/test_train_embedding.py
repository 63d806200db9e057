"""Vectors of texts by a local model: how they are pooled, what counts for nothing, and which models are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from embedding_folder import story, write_model
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModel, AutoTokenizer, T5Config, T5Model

from microcoder_train.cli import run
from microcoder_train.embedding import MAX_TOKENS, EmbeddingModel, load_embedding_model
from microcoder_train.errors import TrainError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> EmbeddingModel:
    return load_embedding_model(folder)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def hidden(folder: Path, text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The last hidden states of one text, as transformers alone gives them."""
    tokens = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        states: np.ndarray[Any, np.dtype[np.float32]] = AutoModel.from_pretrained(folder)(**tokens)[0][0].numpy()
    return states


def embed(folder: Path, texts: Path, out: Path) -> None:
    run(["embed", "--model", str(folder), "--input", str(texts), "--output", str(out)], lambda line: None)


def texts_file(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def test_a_vector_is_the_mean_of_the_hidden_states_at_length_one(folder: Path, model: EmbeddingModel) -> None:
    mean = hidden(folder, story(1)).mean(axis=0)
    assert model.embed([story(1)])[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False, "word_embedding_dimension": 32},
        {"pooling_mode": "cls"},
    ],
)
def test_a_folder_that_pools_by_its_first_token_is_obeyed(copy: Path, config: dict[str, Any]) -> None:
    (copy / "1_Pooling").mkdir()
    (copy / "1_Pooling" / "config.json").write_text(json.dumps(config))
    first = hidden(copy, story(1))[0]
    assert load_embedding_model(copy).embed([story(1)])[0] == pytest.approx(first / np.linalg.norm(first), abs=1e-5)


@given(st.lists(st.builds(story, st.integers(0, 99), st.just("w"), st.integers(0, 40)), min_size=1, max_size=40))
@settings(max_examples=15, deadline=None)
def test_a_vector_does_not_depend_on_the_texts_beside_it(model: EmbeddingModel, texts: list[str]) -> None:
    together = model.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        assert vector == pytest.approx(model.embed([text])[0], abs=1e-5)
        assert np.linalg.norm(vector) == pytest.approx(1.0 if text else 0.0, abs=1e-5)


def test_what_follows_the_longest_text_is_not_read(model: EmbeddingModel) -> None:
    long = story(1, length=2 * MAX_TOKENS)
    start = " ".join(long.split()[:MAX_TOKENS])
    first, second, third = model.embed([long, start, start.removesuffix(start.split()[-1]) + "w0 w0"])
    assert first == pytest.approx(second, abs=1e-6)
    assert not np.allclose(first, third, atol=1e-6)


def test_the_command_writes_a_row_a_line(folder: Path, model: EmbeddingModel, tmp_path: Path) -> None:
    texts = [story(1), "", story(2, length=5), story(1, "ж")]
    out = tmp_path / "vectors.npy"
    embed(folder, texts_file(tmp_path / "texts.jsonl", *texts), out)
    vectors = np.load(out, allow_pickle=False)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, model.embed(texts), atol=1e-6)
    assert vectors[0] @ vectors[3] == pytest.approx(1.0, abs=1e-5)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["texts.jsonl", "vectors.npy"]
    embed(folder, texts_file(tmp_path / "texts.jsonl"), out)
    assert np.load(out, allow_pickle=False).shape == (0, 32)


def damage(copy: Path, how: str) -> None:
    if how == "no config":
        (copy / "config.json").unlink()
    elif how == "no tokenizer":
        (copy / "tokenizer.json").unlink()
        (copy / "tokenizer_config.json").unlink()
    elif how == "weights cut off":
        weights = copy / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "weights of another model":
        torch.save({"unknown.weight": torch.zeros(3)}, copy / "pytorch_model.bin")
        (copy / "model.safetensors").unlink()
    elif how == "a part unknown here":
        parts = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Dense")]
        (copy / "modules.json").write_text(json.dumps(parts))
    elif how == "another pooling":
        (copy / "1_Pooling").mkdir()
        (copy / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    elif how == "modules not JSON":
        (copy / "modules.json").write_text("[")
    elif how == "a decoder too":
        small = T5Config(vocab_size=402, d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2)
        T5Model(small).save_pretrained(copy)
    elif how == "weights no numbers":
        broken = AutoModel.from_pretrained(copy)
        torch.nn.init.constant_(broken.embeddings.word_embeddings.weight, float("nan"))
        broken.save_pretrained(copy)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no config", "cannot be loaded"),
        ("no tokenizer", "the tokenizer .* knows 5 of 402 tokens"),
        ("weights cut off", "cannot be loaded"),
        ("weights of another model", "no weights for embeddings"),
        ("a part unknown here", "a part Dense"),
        ("another pooling", "pools by max"),
        ("modules not JSON", r"modules\.json is no JSON"),
        ("a decoder too", "encoder with a decoder"),
        ("weights no numbers", "weights are damaged"),
    ],
)
def test_a_model_that_would_be_read_wrongly_is_refused(copy: Path, tmp_path: Path, how: str, words: str) -> None:
    damage(copy, how)
    texts = texts_file(tmp_path / "texts.jsonl", story(1))
    with pytest.raises(TrainError, match=words):
        embed(copy, texts, tmp_path / "vectors.npy")
    assert not (tmp_path / "vectors.npy").exists()


@pytest.mark.parametrize("line", ["{", '"text"', '{"texts": "a"}', '{"text": 3}'])
def test_a_line_that_is_no_text_is_named(folder: Path, tmp_path: Path, line: str) -> None:
    texts = texts_file(tmp_path / "texts.jsonl", story(1))
    texts.write_text(texts.read_text() + line + "\n")
    with pytest.raises(TrainError, match=r"texts\.jsonl line 2"):
        embed(folder, texts, tmp_path / "vectors.npy")


def test_places_that_cannot_be_read_or_written_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"none\.jsonl cannot be read"):
        embed(folder, tmp_path / "none.jsonl", tmp_path / "vectors.npy")
    texts = texts_file(tmp_path / "texts.jsonl", story(1))
    with pytest.raises(TrainError, match="choose another --output"):
        embed(folder, texts, tmp_path / "none" / "vectors.npy")


def test_a_model_that_is_not_there_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    texts = texts_file(tmp_path / "texts.jsonl", story(1))
    line = [sys.executable, "-m", "microcoder_train", "embed", "--model", str(tmp_path / "none")]
    line += ["--input", str(texts), "--output", str(tmp_path / "vectors.npy")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: embedding model") and done.stderr.count("\n") == 1
    assert "none is not a folder" in done.stderr
