from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from microcoder_assets.collection.records import SourceSpec
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.collection.sources import open_source
from microcoder_assets.config import CollectionSettings
from microcoder_assets.errors import UserError
from microcoder_assets.filtering.embedded import EmbeddedScorer, load_embedded
from microcoder_assets.filtering.evidence import elo_rating
from microcoder_assets.filtering.features import features
from microcoder_assets.filtering.fit_embedded import ablations, fit, main, newest, rated_rows
from microcoder_assets.filtering.rubric import Rubric
from microcoder_assets.filtering.score import score_problems
from microcoder_assets.processing.normalize import normalize
from microcoder_assets.store import Blobs

TAGS = ("implementation", "greedy", "math", "dp", "flows")


@pytest.fixture(scope="module")
def rated(unique_rows: Any) -> pl.DataFrame:
    """Problems whose rating grows with the topic, the length and the bound, with noise."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(700):
        topic, length, power = (int(v) for v in generator.integers(0, (len(TAGS), 200, 10)))
        rating = 900 + 300 * topic + 3 * length + 60 * power + generator.normal(0, 100)
        rows.append(
            {
                "statement": "word " * (20 + length) + f"1 <= n <= 10^{power} in p{number}",
                "tags": [TAGS[topic]],
                "ratings": [{"source": "codeforces", "value": rating}],
            }
        )
    rows[0]["ratings"] = []
    return unique_rows(*rows)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def fitted(rated: pl.DataFrame, tmp_path_factory: Any) -> EmbeddedScorer:
    folder = tmp_path_factory.mktemp("fit")
    rated.write_parquet(folder / "unique.parquet")
    assert main(["--problems", str(folder / "unique.parquet"), "--out", str(folder / "embedded.json")]) == 0
    return load_embedded(folder / "embedded.json")


def test_a_fit_predicts_rows_that_it_never_saw(fitted: EmbeddedScorer) -> None:
    card = fitted.table.ratings["site"]
    assert (card.trained_on, card.held_out) == (524, 175)
    assert card.spearman > 0.85 > card.spearman_of_length


def test_ablations_tell_what_each_family_of_inputs_is_worth(fitted: EmbeddedScorer, rated: pl.DataFrame) -> None:
    whole = fitted.table.ratings["site"].spearman
    table = ablations(rated, fitted.models)
    hidden, relearnt = (dict(table.select("without", name).iter_rows()) for name in ("hidden", "relearnt"))
    assert table["platform"].unique().to_list() == ["site"]
    assert hidden["code"] == relearnt["code"] == whole, "no problem has any"
    assert hidden["tags"] < whole - 0.3 and relearnt["tags"] < whole - 0.3
    assert whole - 0.3 < relearnt["bounds"] < whole


def test_equal_rows_give_an_equal_fit(fitted: EmbeddedScorer, rated: pl.DataFrame, rubric: Rubric) -> None:
    table, models = fit(rated.reverse(), rubric)
    assert table == fitted.table
    arrays = fitted.models["site"].arrays()
    assert all(np.array_equal(array, arrays[name]) for name, array in models["site"].arrays().items())


def test_held_out_are_the_newest(rated: pl.DataFrame) -> None:
    held = rated.filter(newest(rated))["native_id"].cast(pl.Int64)
    assert sorted(held) == list(range(525, 700))


def test_of_rows_with_one_statement_one_is_learnt_from(rated: pl.DataFrame) -> None:
    twins = rated.with_columns(problem_id="twin:" + pl.col("problem_id"), contest=pl.lit("another"))
    assert rated_rows(pl.concat([twins, rated]))["problem_id"].to_list() == rated_rows(rated)["problem_id"].to_list()


def test_too_few_ratings_are_the_users_to_mend(
    rated: pl.DataFrame, rubric: Rubric, tmp_path: Path, capsys: Any
) -> None:
    with pytest.raises(UserError, match="500"):
        fit(rated.head(400), rubric)
    assert main(["--problems", str(tmp_path / "nowhere.parquet"), "--out", str(tmp_path / "out.json")]) == 2
    assert "nowhere.parquet" in capsys.readouterr().err


def test_the_shipped_models_measured_well_on_problems_they_never_saw() -> None:
    cards = load_embedded().table.ratings
    assert cards["codeforces"].spearman > 0.81
    assert cards["leetcode"].spearman > 0.89


@pytest.mark.data
@pytest.mark.parametrize(
    ("platform", "folder", "rows", "least"),
    [("leetcode", "leetcode-doocs", 300, 0.89), ("codeforces", "codeforces-statements", 2000, 0.81)],
)
def test_scores_follow_real_ratings_of_unseen_problems(
    data_dir: Path, tmp_path: Path, rubric: Rubric, platform: str, folder: str, rows: int, least: float
) -> None:
    blobs = Blobs(tmp_path)
    source = open_source(SourceSpec(platform, data_dir / folder))
    scraped = scrape(source.records(), blobs, CollectionSettings(), platform).frame
    rated = scraped.filter(scraped.select(elo_rating().is_not_null()).to_series())
    problems = normalize(rated.filter(newest(rated)), blobs).frame
    result = score_problems(problems, load_embedded(), rubric)
    elo = problems.select("problem_id", elo=elo_rating(), words=features(problems)["log_words"])
    compared = result.frame.join(elo, on="problem_id")
    assert compared.height > rows
    spearman, by_length = (
        compared.select(pl.corr(name, "elo", method="spearman")).item() for name in ("score", "words")
    )
    print(f"{platform}: Spearman {spearman:.3f} over {compared.height} problems, by length alone {by_length:.3f}")
    assert spearman > least
    assert spearman > by_length + 0.2
