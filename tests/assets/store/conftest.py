"""Places for a store: a folder, and a bucket of a server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from places import new_bucket_place
from s3_server import s3_server


@pytest.fixture(scope="session")
def bucket() -> Iterator[None]:
    """The environment of this process, and of those that it starts, reaches the server."""
    with s3_server() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", params=["folder", "bucket"])
def new_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes names of empty places."""
    if request.param == "folder":
        return lambda: str(tmp_path_factory.mktemp("store"))
    request.getfixturevalue("bucket")
    return new_bucket_place


@pytest.fixture
def place(new_place: Callable[[], str]) -> str:
    return new_place()
