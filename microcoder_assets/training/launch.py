"""Start `microcoder_train` somewhere else than in this process, and listen to it through Dagster Pipes.

It reads and writes the home by its path, so what it made lies there when it ends, wherever it ran.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from microcoder_assets.config import LaunchSettings, TrainingSettings
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.train_process import COMMAND, environment, require_torch

ELSEWHERE = ("python", "-m", "microcoder_train")
"""The command in an image or on a node, whose Python is not this one."""


def options(settings: TrainingSettings) -> list[str]:
    """What every command of `microcoder_train` that trains or evaluates takes."""
    config = ["--config", str(settings.config)] if settings.config else []
    return ["--preset", settings.preset, "--seed", str(settings.seed), *config]


def launch(
    context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient, arguments: Sequence[str], project: Project
) -> dg.MaterializeResult[Any]:
    """Run `python -m microcoder_train ARGUMENTS` where `[launch]` says; what it reported.

    client: for a process of this machine. Raises UserError when what the launcher needs is not installed.
    """
    settings = project.settings.launch
    if settings.launcher == "k8s":
        return _pod(context, settings, project.home, arguments)
    if settings.launcher == "ray":
        return _ray_job(context, settings, arguments)
    require_torch("training and evaluation need", "stop at train_split")
    invocation = client.run(command=[*COMMAND, *arguments], context=context, env=environment(threads=1))
    return invocation.get_materialize_result()


def pod_spec(settings: LaunchSettings, home: Path) -> dict[str, Any]:
    """The PodSpec, in Kubernetes' own words: `[launch] pod`, and on top of it GPUs, shared memory and the home.

    Raises UserError where that file is no PodSpec with at most one container.
    """
    spec = _given_spec(settings.pod)
    given = spec.get("containers") or [{}]
    container: dict[str, Any] = given[0]
    resources = container.get("resources") or {}
    if settings.gpus:
        resources = {**resources, "limits": {**(resources.get("limits") or {}), "nvidia.com/gpu": str(settings.gpus)}}
    mounts = [{"name": "home", "mountPath": str(home)}, {"name": "shared-memory", "mountPath": "/dev/shm"}]
    volumes = [
        {"name": "home", "persistentVolumeClaim": {"claimName": settings.volume_claim}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": f"{settings.shared_memory_gib}Gi"}},
    ]
    container = {
        **container,
        "resources": resources,
        "volumeMounts": [*(container.get("volumeMounts") or []), *mounts],
    }
    return {"restartPolicy": "Never", **spec, "containers": [container],
            "volumes": [*(spec.get("volumes") or []), *volumes]}  # fmt: skip


def _given_spec(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        spec = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(f"[launch] pod: {path} cannot be read as YAML ({first})") from error
    if not isinstance(spec, dict) or "kind" in spec or len(spec.get("containers") or []) > 1:
        raise UserError(f"[launch] pod: {path} must be what stands below `spec:` of a pod, with one container at most")
    return spec


def _pod(
    context: dg.AssetExecutionContext, settings: LaunchSettings, home: Path, arguments: Sequence[str]
) -> dg.MaterializeResult[Any]:
    try:
        from dagster_k8s import PipesK8sClient
    except ImportError as error:
        raise UserError("[launch] launcher = 'k8s' needs dagster-k8s: pip install 'microcoder[kubernetes]'") from error
    kubeconfig = str(settings.kubeconfig) if settings.kubeconfig else None
    invocation = PipesK8sClient(kubeconfig_file=kubeconfig).run(
        context=context,
        image=settings.image,
        command=[*ELSEWHERE, *arguments],
        namespace=settings.namespace,
        base_pod_meta={"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
        base_pod_spec=pod_spec(settings, home),
        pod_wait_timeout=0,  # the client's own is a day, and a training may take longer
    )
    reported: dg.MaterializeResult[Any] = invocation.get_materialize_result()
    return reported


def _ray_job(
    context: dg.AssetExecutionContext, settings: LaunchSettings, arguments: Sequence[str]
) -> dg.MaterializeResult[Any]:
    try:
        from dagster_ray import PipesRayJobClient
    except ImportError as error:
        raise UserError("[launch] launcher = \"ray\" needs dagster-ray: pip install 'microcoder[ray]'") from error
    invocation = PipesRayJobClient(address=settings.address).run(
        context=context,
        submit_job_params={
            "entrypoint": shlex.join([*ELSEWHERE, *arguments]),
            "entrypoint_num_gpus": settings.gpus,
        },
    )
    reported: dg.MaterializeResult[Any] = invocation.get_materialize_result()
    return reported
