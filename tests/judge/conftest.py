"""One judge for the whole folder; problems made from a few words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from microcoder_judge import Judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with Judge(workers=2) as judge:
        yield judge
