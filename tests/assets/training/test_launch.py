"""Training elsewhere: the pod that Kubernetes is asked for, and what the platform hears of it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from pod_server import pod_server

from microcoder_assets.config import LaunchSettings, load_settings
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.training.launch import ELSEWHERE, launch, pod_spec

PATIENCE_S = 180
TRAINER = """
import sys
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as context:
    if "fail" in sys.argv:
        sys.exit(3)
    print("a line of its own")
    context.report_asset_materialization(metadata={"arguments": " ".join(sys.argv[1:])}, data_version="v7")
"""


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(f"[launch]\n{text}")
    return path


def pod_settings(folder: Path, more: str = "") -> Path:
    return settings_file(
        folder,
        f'launcher = "k8s"\nimage = "registry/train:1"\nnamespace = "rl"\nvolume_claim = "home"\ngpus = 2\n'
        f'kubeconfig = "{folder / "kubeconfig"}"\n{more}',
    )


def materialized(project: Project, *arguments: str) -> dg.ExecuteInProcessResult:
    @dg.asset
    def policy(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        return launch(context, dg.PipesSubprocessClient(), arguments, project)

    return dg.materialize([policy], raise_on_error=False)


def test_a_pod_trains_and_is_heard(tmp_path: Path) -> None:
    pytest.importorskip("dagster_k8s", reason="dagster-k8s is not installed (extra `k8s`)")
    (tmp_path / "pod.yaml").write_text(
        "nodeSelector: {gpu: h200}\ncontainers:\n- resources: {limits: {memory: 200Gi}}\n"
    )
    project = Project(tmp_path, settings_file=pod_settings(tmp_path, 'pod = "pod.yaml"\n'))
    with pod_server([sys.executable, "-c", TRAINER], tmp_path / "kubeconfig") as server:
        result = materialized(project, "grpo", "--out", str(tmp_path / "models"))
    assert result.success
    (event,) = result.asset_materializations_for_node("policy")
    assert event.metadata["arguments"].value == " ".join([*ELSEWHERE, "grpo", "--out", str(tmp_path / "models")])
    (pod,) = server.pods
    spec, (container,) = pod["spec"], pod["spec"]["containers"]
    assert (spec["restartPolicy"], spec["nodeSelector"]) == ("Never", {"gpu": "h200"})
    assert container["image"] == "registry/train:1"
    assert container["resources"]["limits"] == {"memory": "200Gi", "nvidia.com/gpu": "2"}
    assert {m["name"]: m["mountPath"] for m in container["volumeMounts"]} == {
        "home": str(tmp_path),
        "shared-memory": "/dev/shm",
    }
    assert {v["name"] for v in spec["volumes"]} == {"home", "shared-memory"}
    assert pod["metadata"]["annotations"] == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    assert server.deleted == [pod["metadata"]["name"]]


def test_a_pod_that_fails_fails_the_asset_and_is_deleted(tmp_path: Path) -> None:
    pytest.importorskip("dagster_k8s", reason="dagster-k8s is not installed (extra `k8s`)")
    project = Project(tmp_path, settings_file=pod_settings(tmp_path))
    with pod_server([sys.executable, "-c", TRAINER], tmp_path / "kubeconfig") as server:
        assert not materialized(project, "fail").success
    assert len(server.deleted) == 1


@pytest.fixture
def job_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Ray node on loopback that takes jobs, on which `python` is the trainer; the address of its job server."""
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    (tmp_path / "trainer.py").write_text(TRAINER)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path / "trainer.py"}" "$@"\n')
    python.chmod(0o755)
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # its sockets' paths must be short
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "RAY_USAGE_STATS_ENABLED": "0"}
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    port = free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus", "1"]
    command += ["--node-ip-address", "127.0.0.1", "--port", str(free_port()), "--temp-dir", str(folder)]
    command += ["--dashboard-host", "127.0.0.1", "--dashboard-port", str(port)]
    with (tmp_path / "ray.log").open("wb") as log:
        node = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + PATIENCE_S
        while not answers(f"http://127.0.0.1:{port}/api/version"):
            assert node.poll() is None and time.monotonic() < end, (tmp_path / "ray.log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        children = psutil.Process(node.pid).children(recursive=True)
        node.terminate()
        node.wait(timeout=60)
        for left in psutil.wait_procs(children, timeout=20)[1]:
            left.kill()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except OSError:
        return False


@pytest.mark.long
def test_a_ray_job_trains_and_is_heard(tmp_path: Path, job_server: str) -> None:
    settings = settings_file(tmp_path, f'launcher = "ray"\naddress = "{job_server}"\ngpus = 0\n')
    project = Project(tmp_path, settings_file=settings)
    result = materialized(project, "grpo", "--out", str(tmp_path / "two words"))
    assert result.success
    (event,) = result.asset_materializations_for_node("policy")
    assert event.metadata["arguments"].value == " ".join([*ELSEWHERE[1:], "grpo", "--out", str(tmp_path / "two words")])
    assert not materialized(project, "fail").success


@pytest.mark.parametrize("text", ["kind: Pod\nspec: {}", "containers: [{name: a}, {name: b}]", "- a list", "a: [1"])
def test_what_is_no_pod_spec_is_one_clear_line(tmp_path: Path, text: str) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text(text)
    with pytest.raises(UserError, match=r"\[launch\] pod: .*pod\.yaml"):
        pod_spec(LaunchSettings(pod=pod), tmp_path)  # type: ignore[call-arg]


def test_a_pod_needs_an_image_and_the_home(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs image and volume_claim"):
        load_settings(settings_file(tmp_path, 'launcher = "k8s"\nimage = "i"\n'))
