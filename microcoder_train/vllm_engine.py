"""Whether vLLM can sample for the trainer, asked before anything slow begins.

Sources: the range of versions is TRL 1.16's (`trl.import_utils.is_vllm_available`, which only warns). Weights reach the
engine over NCCL, on one node (`colocate`) or to a server that `vllm serve` started (`server`), so both need a GPU and
vLLM where the trainer runs. The server must give log-probabilities at the sampling temperature: the ratio's are.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx
import torch
from packaging.version import InvalidVersion, Version

from microcoder_train.config import TrainSettings
from microcoder_train.errors import TrainError
from microcoder_train.processes import is_first
from microcoder_train.stages import length_stages

OLDEST, NEWEST = Version("0.22.0"), Version("0.31.0")
MEND = "install the set of constraints-gpu.txt"
TIMEOUT_S = 10.0
SERVE = (
    'VLLM_SERVER_DEV_MODE=1 vllm serve MODEL --weight-transfer-config \'{"backend": "nccl"}\' '
    "--logprobs-mode processed_logprobs"
)


def require_vllm(settings: TrainSettings) -> None:
    """Raises TrainError, naming the mend, where the engine that the settings ask for cannot be used."""
    try:
        require_version("vLLM here", version("vllm"))
    except PackageNotFoundError as error:
        raise TrainError(f"use_vllm needs vLLM; {MEND}, or set use_vllm=false") from error
    if not torch.cuda.is_available():
        raise TrainError("use_vllm needs a GPU: weights reach vLLM over NCCL; set use_vllm=false")
    if settings.vllm_mode == "server" and is_first():
        require_server(settings)


def require_version(what: str, found: str) -> None:
    try:
        release = Version(Version(found).base_version)
    except InvalidVersion as error:
        raise TrainError(f"{what} says that its version is {found!r}; {MEND}") from error
    if not OLDEST <= release <= NEWEST:
        raise TrainError(f"{what} is version {found}, and TRL 1.16 works with {OLDEST} to {NEWEST}; {MEND}")


def require_server(settings: TrainSettings) -> None:
    """Raises TrainError where the server cannot be reached or was not started as the trainer needs it."""
    url = settings.vllm_server_base_url
    if url is None:
        raise TrainError("vllm_mode server needs vllm_server_base_url, for example http://127.0.0.1:8000")
    require_version(f"the vLLM server at {url}", str(_get(url, "/version").get("version")))
    config: dict[str, Any] = _get(url, "/server_info?config_format=json")["vllm_config"]
    if config.get("weight_transfer_config") is None:
        raise TrainError(f"the vLLM server at {url} takes no weights; start it as {SERVE}")
    model = config["model_config"]
    if model["logprobs_mode"] != "processed_logprobs":
        raise TrainError(
            f"the vLLM server at {url} gives {model['logprobs_mode']}, not those of the sampling temperature; start "
            f"it as {SERVE}"
        )
    longest = settings.max_prompt_tokens + length_stages(settings)[-1][1]
    if model["max_model_len"] < longest:
        raise TrainError(
            f"the vLLM server at {url} takes {model['max_model_len']} tokens, and max_prompt_tokens with the longest "
            f"L_max is {longest}; start it with --max-model-len {longest}"
        )


def _get(url: str, path: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url.rstrip("/") + path, timeout=TIMEOUT_S)
        if answer.status_code == 404:
            raise TrainError(f"the vLLM server at {url} has no {path.partition('?')[0]}; start it as {SERVE}")
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise TrainError(f"the vLLM server at {url} cannot be asked ({error}); start it as {SERVE}") from error
    if not isinstance(found, dict):
        raise TrainError(f"{url} answers as no vLLM server does; start one as {SERVE}")
    return found
