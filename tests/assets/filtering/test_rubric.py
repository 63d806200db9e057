from pathlib import Path

import pytest

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.rubric import DEFAULT, Rubric, load_rubric
from microcoder_assets.schema import DIMENSIONS


def test_the_shipped_rubric_spans_the_scale(rubric: Rubric) -> None:
    assert rubric.score(dict.fromkeys(DIMENSIONS, 1.0)) == pytest.approx(1)
    assert rubric.score(dict.fromkeys(DIMENSIONS, 5.0)) == pytest.approx(5)
    assert rubric.version.startswith("1-")


def test_any_edit_is_a_new_version(tmp_path: Path, rubric: Rubric) -> None:
    edited = tmp_path / "rubric.toml"
    edited.write_text(DEFAULT.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    assert load_rubric(edited).version != rubric.version


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("weight = 0.35", "weight = 0.45", "sum to 1"),
        ("[dimensions.mathematics]", "[dimensions.maths]", "exactly"),
        ("weight = 0.35", "wait = 0.35", "algorithmic_thinking"),
        ("    \"Counting and comparing.\",\n", "", "5 texts"),
        ("highest = 5", "highest = 10", "1 and 5"),
        ("highest = 5", "highest = ", "not valid TOML"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    damaged = tmp_path / "rubric.toml"
    text = DEFAULT.read_text(encoding="utf-8")
    assert old in text
    damaged.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError, match=says):
        load_rubric(damaged)


def test_a_missing_rubric_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        load_rubric(tmp_path / "nowhere.toml")
