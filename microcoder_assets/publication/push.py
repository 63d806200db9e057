"""A version of the train split as a data set on the Hugging Face Hub."""

from __future__ import annotations

import os
from collections.abc import Mapping

from microcoder_assets.errors import UserError
from microcoder_assets.publication.versions import Version

TOKEN = "HF_TOKEN"
"""The environment variable that holds a token that may write. It is handed to the Hub and to nothing else."""


def push(version: Version, repository: str, *, private: bool, environment: Mapping[str, str] = os.environ) -> str:
    """Make `repository` (OWNER/NAME) hold exactly this version, in one commit; the commit's address.

    What the Hub has already is not sent again, and an equal version makes no commit. Raises UserError, never naming the
    token, where the Hub refuses or is not reached.
    """
    if not environment.get(TOKEN):
        raise UserError(f"{TOKEN} is not set; set it to a token of the Hugging Face Hub that may write")
    try:
        import httpx
        from huggingface_hub import HfApi
    except ImportError as error:
        raise UserError("pushing needs `huggingface_hub`: pip install 'microcoder[sets]'") from error
    hub = HfApi(token=environment[TOKEN])
    try:
        hub.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        commit = hub.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=version.folder,
            commit_message=f"train_split {version.name}, data {version.data_version}",
            delete_patterns=["data/*", "benchmark_overlap.*"],
        )
    except (OSError, ValueError, httpx.HTTPError) as error:
        words = " ".join(str(error).split()).replace(environment[TOKEN], "***")
        raise UserError(f"cannot push to {repository}: {words}") from error
    return str(commit.commit_url)
