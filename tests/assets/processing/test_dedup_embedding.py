"""Duplicates in two languages by an embedding model: the model, random and tiny, runs in its real process."""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from embedding_folder import story, write_model
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.errors import UserError
from microcoder_assets.processing import embeddings
from microcoder_assets.processing.embedding_model import check_model, fingerprint
from microcoder_assets.processing.embeddings import Embedder, make_embedder, near_pairs
from microcoder_assets.processing.minhash import BUCKET_LINKS
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.schema import BENCHMARK, NORMALIZED
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store.packs import Packs

NO_BENCHMARK = pl.DataFrame(schema=BENCHMARK)
STORIES = 4
SHORT = {"samples": [{"input": "1 2", "output": "3", "explanation": None}]}
OTHER = {"samples": [{"input": "5 6 7", "output": "8 9", "explanation": None}]}
LIMITS = {"constraints": "1 <= n <= 10^5, 1 <= a_i <= 10^9"}
FUNCTION = {"io_mode": "function", "entry_point": "sumUp"}


class Cache(dict[str, bytes]):
    """parts: how many values came at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[int] = []

    def get(self, keys: list[str]) -> dict[str, bytes]:  # type: ignore[override]
        return {key: self[key] for key in keys if key in self}

    def put(self, values: dict[str, bytes]) -> None:
        self.update(values)
        self.parts.append(len(values))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def embedder(model: Path) -> Embedder:
    """Knows the stories of these tests from one run of the model."""
    found = make_embedder(DedupSettings(embedding_model=model, embedding_similarity=0.99), Cache())
    assert found is not None
    found.vectors([story(n, letter) for n in range(STORIES) for letter in "wж"])
    return found


def row(problem_id: str, statement: str, language: str = "en", **fields: Any) -> dict[str, Any]:
    platform, _, native_id = problem_id.partition(":")
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "tags", "ratings", "flags")}
    own = {"problem_id": problem_id, "platform": platform, "native_id": native_id, "title": f"Title of {native_id}"}
    text = {"statement": statement, "statement_language": language, "content_sha": f"sha-{problem_id}", "samples": []}
    return blank | own | text | {"io_mode": "stdin"} | fields


def english(**fields: Any) -> dict[str, Any]:
    return row("codeforces:1A", story(1), **fields)


def russian(of: int = 1, problem_id: str = "acm:7", **fields: Any) -> dict[str, Any]:
    return row(problem_id, story(of, "ж"), "ru", **fields)


def unique(embedder: Embedder | None, *rows: dict[str, Any]) -> StageResult:
    problems = pl.DataFrame(rows, schema=NORMALIZED)
    result, _ = find_unique(problems, NO_BENCHMARK, DedupSettings(), DecontaminationSettings(), None, embedder)
    assert result.accounted() is None
    assert sorted(d.problem_id for d in result.decisions) == sorted(problems["problem_id"])
    return result


def decision(result: StageResult, problem_id: str) -> Decision:
    return next(d for d in result.decisions if d.problem_id == problem_id)


def test_the_tiny_model_finds_translations_alike_and_nothing_else(embedder: Embedder) -> None:
    vectors = embedder.vectors([story(n, letter) for n in range(STORIES) for letter in "wж"]).astype(np.float32)
    cosines = vectors @ vectors.T
    alike = {(i, j) for i, j in np.argwhere(cosines >= embedder.similarity).tolist() if i < j}
    assert alike == {(2 * n, 2 * n + 1) for n in range(STORIES)}


@pytest.mark.parametrize(
    ("witness", "left", "right"),
    [
        ("samples", SHORT, SHORT),
        ("title", {"title": "Watermelon"}, {"title": "[Round 4] Watermelon"}),
        ("title", {"title": "Watermelon", **SHORT}, {"title": "Watermelon", **OTHER}),
        ("entry_point", FUNCTION, FUNCTION),
        ("bounds", LIMITS, LIMITS | SHORT),
    ],
)
def test_a_translation_is_found_where_something_else_speaks_for_it(
    embedder: Embedder, witness: str, left: dict[str, Any], right: dict[str, Any]
) -> None:
    assert unique(None, english(**left), russian(**right)).frame.height == 2
    assert unique(embedder, english(**left), russian(of=2, **right)).frame.height == 2, "the texts are not alike"
    merged = decision(unique(embedder, english(**left), russian(**right)), "acm:7")
    assert (merged.kind, merged.reason, merged.rule) == (
        Kind.MERGED,
        "duplicate_embedding",
        f"{witness}_and_embedding",
    )
    assert merged.parents == ["codeforces:1A"] and merged.score == pytest.approx(1.0, abs=1e-3)
    assert merged.detail == {"of": "codeforces:1A", "jaccard": 0.0}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {}),
        (LIMITS | SHORT, LIMITS | OTHER),
        (LIMITS, {"constraints": "n <= 100"}),
        ({"constraints": "n <= 100"}, {"constraints": "n <= 100"}),
        (FUNCTION, FUNCTION | {"entry_point": "addUp"}),
        ({"title": "Toy (easy version)", **SHORT}, {"title": "Toy (hard version)", **SHORT}),
        ({"title": "Toy II", **LIMITS}, {"title": "Toy I", **LIMITS}),
    ],
)
def test_texts_alike_in_two_languages_are_no_evidence_alone_nor_between_versions(
    embedder: Embedder, left: dict[str, Any], right: dict[str, Any]
) -> None:
    assert unique(embedder, english(**left), russian(**right)).frame.height == 2


def test_texts_in_one_language_or_in_none_known_are_not_compared(embedder: Embedder) -> None:
    for language in ("en", None):
        other = russian(title="Watermelon") | {"statement_language": language}
        assert unique(embedder, english(title="Watermelon"), other).frame.height == 2


def test_short_statements_are_not_compared(embedder: Embedder) -> None:
    short = english(title="Watermelon") | {"statement": "w1 w2"}
    assert unique(embedder, short, russian(title="Watermelon") | {"statement": "ж1 ж2"}).frame.height == 2


def test_a_copy_in_another_language_does_not_join_two_versions(embedder: Embedder) -> None:
    easy, hard = (row(f"codeforces:1A{n}", story(1), title=f"Toy {mark}") for n, mark in ((1, "I"), (2, "II")))
    result = unique(embedder, easy, hard, russian(title="Toy I"))
    assert {"codeforces:1A1", "codeforces:1A2"} <= set(result.frame["problem_id"])
    assert decision(result, "acm:7").parents == ["codeforces:1A1"]


@given(st.lists(st.tuples(st.integers(0, STORIES - 1), st.sampled_from(["", " II", " III"])), max_size=12))
@settings(max_examples=20, deadline=None)
def test_a_model_changes_nothing_in_one_language(embedder: Embedder, rows: list[tuple[int, str]]) -> None:
    problems = [row(f"judge{n % 3}:{n}", story(of), title=f"Toy{mark}", **SHORT) for n, (of, mark) in enumerate(rows)]
    with_model, without = unique(embedder, *problems), unique(None, *problems)
    assert with_model.frame.equals(without.frame) and with_model.decisions == without.decisions


def test_without_the_setting_there_is_no_model() -> None:
    assert make_embedder(DedupSettings(), Cache()) is None


def test_a_night_embeds_only_new_texts_wherever_the_model_lies(embedder: Embedder, tmp_path: Path) -> None:
    assert embedder.cache.parts == [2 * STORIES], "nothing was embedded after the first run"
    copy = Embedder(Path(shutil.copytree(embedder.model, tmp_path / "copy")), 0.85, embedder.cache)
    again = copy.vectors([story(2, "ж"), story(1), story(1)])
    assert np.array_equal(again, embedder.vectors([story(2, "ж"), story(1), story(1)]))
    assert embedder.cache.parts == [2 * STORIES]
    assert fingerprint(copy.model) == fingerprint(embedder.model) != fingerprint(write_model(tmp_path / "other", 1))


def test_a_run_that_breaks_off_keeps_what_it_embedded(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "TEXTS_A_PROCESS", 2)
    copy, stored = Path(shutil.copytree(model, tmp_path / "copy")), Packs(tmp_path / "packs")

    class Breaking(Cache):
        def put(self, values: dict[str, bytes]) -> None:
            stored.put(values)
            (copy / "config.json").unlink()

    with pytest.raises(UserError, match=r"copy cannot be loaded"):
        Embedder(copy, 0.85, Breaking()).vectors([story(n) for n in range(10, 13)])
    kept = Embedder(model, 0.85, stored).vectors([story(10), story(11)])
    assert kept.shape == (2, 32) and len(stored.known()) == 2


@given(st.integers(0, 10**6), st.integers(0, 40), st.sampled_from([1, 7, 1 << 24]))
@settings(max_examples=60, deadline=None)
def test_near_pairs_are_those_of_every_pair_compared(seed: int, rows: int, at_once: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(rows, 4)).astype(np.float32)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    languages = generator.choice(["en", "ru", "zh"], rows, p=[0.4, 0.3, 0.3]).tolist()
    exact = vectors.astype(np.float64)
    expected = {
        (i, j): exact[i] @ exact[j]
        for i, j in combinations(range(rows), 2)
        if languages[i] != languages[j] and exact[i] @ exact[j] >= 0.9
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embeddings, "_PRODUCTS_AT_ONCE", at_once)
        found = near_pairs(vectors, languages, 0.9)
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_model_that_finds_everything_alike_stays_linear() -> None:
    vectors, languages = np.ones((400, 1), np.float16), ["en", "en", "en", "ru"] * 100
    assert len(near_pairs(vectors, languages, 0.9)) == 100 * BUCKET_LINKS


def test_a_folder_that_holds_no_model_is_refused_before_any_work(model: Path, tmp_path: Path) -> None:
    check_model(model)
    with pytest.raises(UserError, match=r"dedup\.embedding_model .*none is not a folder"):
        check_model(tmp_path / "none")
    with pytest.raises(UserError, match=r"has no config\.json"):
        check_model(tmp_path)


def test_without_the_extra_the_mend_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs torch: pip install 'microcoder\[train\]', or leave that setting out"):
        check_model(model)
