"""What deploy/ says, against the schemas of what reads it, and against this repository: no engine runs here.

Images are not built. Their Dockerfiles are linted, every path that they copy must be there, and every command that any
file of deploy/ names must be one of ours that takes those options.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from deployment import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
IMAGES = sorted((DEPLOY / "images").glob("*.Dockerfile"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = sorted((DEPLOY / "k8s").glob("*.yaml"))
KUBERNETES = ("1.31.0", "1.34.0", "1.37.0")
UID = 10001


def program(name: str) -> str:
    """A program beside this Python or on the path; skipped where it is not installed."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return found or pytest.skip(f"{name} is not installed")


def docker_compose() -> str:
    """Docker Compose itself; what it does with a file alone needs no engine."""
    package = importlib.util.find_spec("compose")
    folders = (package.submodule_search_locations or []) if package else []
    found = shutil.which("docker-compose", path=os.pathsep.join(folders))
    return found or pytest.skip("Docker Compose is not installed: `make tools` does it")


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


# Compose


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The whole file as Docker Compose itself reads it: schema, merges, interpolation and references."""
    command = [docker_compose(), "--file", str(DEPLOY / "compose" / "compose.yaml"), "--profile", "vllm"]
    read = subprocess.run(
        [*command, "config", "--format=json"], capture_output=True, text=True, timeout=60, check=False
    )
    assert read.returncode == 0, read.stderr
    found: dict[str, Any] = json.loads(read.stdout)
    return found


def test_compose_has_the_services_of_a_deployment(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {
        "postgres", "migrate", "code", "webserver", "daemon", "judge", "vllm",
    }  # fmt: skip
    assert compose["services"]["vllm"]["profiles"] == ["vllm"]
    assert compose["services"]["migrate"]["restart"].startswith("on-failure")


def test_every_service_is_confined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= limits.keys(), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
        assert "docker.sock" not in json.dumps(service), name
        if name != "migrate":
            assert service["healthcheck"]["test"][0] == "CMD", name
        if service["image"].startswith("microcoder"):
            assert (service["user"], service["read_only"]) == (f"{UID}:{UID}", True), name
            assert service["cap_drop"] == ["ALL"], name


def test_secrets_come_from_files_and_only_to_those_that_need_them(compose: dict[str, Any]) -> None:
    assert {name: "file" in secret for name, secret in compose["secrets"].items()} == {
        "postgres_password": True,
        "openai_api_key": True,
    }
    holders: dict[str, set[str]] = {}
    for name, service in compose["services"].items():
        holders[name] = {secret["source"] for secret in service.get("secrets", ())}
        for variable, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|KEY|TOKEN", variable)
            assert not secret or (variable.endswith("_FILE") and value.startswith("/run/secrets/")), (name, variable)
    assert [name for name, held in holders.items() if "openai_api_key" in held] == ["code"]
    assert not holders["judge"] and compose["services"]["judge"]["network_mode"] == "none"


def test_only_the_ui_is_published_and_only_to_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if service.get("ports")}
    assert list(ports) == ["webserver"]
    assert [port["host_ip"] for port in ports["webserver"]] == ["127.0.0.1"]
    assert compose["networks"]["inside"]["internal"]
    assert "outside" not in compose["services"]["postgres"]["networks"]


def test_a_mistake_in_the_compose_file_would_be_found(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "compose.yaml").read_text()
    broken = tmp_path / "compose.yaml"
    broken.write_text(text.replace("read_only: true", "read_onyl: true"))
    command = [docker_compose(), "--file", str(broken), "config", "--quiet"]
    read = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert read.returncode and "read_onyl" in read.stderr


# Images


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_dockerfiles_have_no_finding(path: Path) -> None:
    found = subprocess.run([program("hadolint"), str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def instructions(path: Path) -> Iterator[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", "\n".join(line for line in path.read_text().splitlines() if line[:1] != "#"))
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        yield name, rest


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_what_an_image_copies_is_there_and_in_the_build_context(path: Path) -> None:
    ignore = (CHECKOUT / ".dockerignore").read_text().splitlines()
    for name, rest in instructions(path):
        if name != "COPY" or rest.startswith("--from"):
            continue
        for source in rest.split()[:-1]:
            assert (CHECKOUT / source).exists(), source
            assert f"!{source}" in ignore, source


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_images_run_as_a_user_of_their_own(path: Path) -> None:
    found = list(instructions(path))
    assert [rest for name, rest in found if name == "USER"] == [f"{UID}:{UID}"]
    assert [name for name, _ in found].index("USER") > max(n for n, (name, _) in enumerate(found) if name == "RUN")


def test_the_code_image_asks_for_no_torch_and_the_training_image_for_no_dagster() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    code = (DEPLOY / "images" / "code.Dockerfile").read_text()
    (extras,) = re.findall(r'"\.\[([a-z,]+)\]"', code)
    asked = [*project["dependencies"], *(line for extra in extras.split(",") for line in _extra(project, extra))]
    assert not [line for line in asked if re.match("torch|vllm|deepspeed|transformers|trl", line)]
    lines = (DEPLOY / "images" / "train-requirements.txt").read_text().splitlines()
    training = {line for line in lines if line and line[0] != "#"}
    assert [line for line in training if line.startswith("dagster")] == ["dagster-pipes>=1.13.27,<1.14"]
    assert set(_extra(project, "train")) | set(_extra(project, "gpu")) <= training
    assert training <= {*project["dependencies"], *_extra(project, "train"), *_extra(project, "gpu")}


def _extra(project: dict[str, Any], name: str) -> list[str]:
    """What an extra asks for, with what it names of ours resolved."""
    found: list[str] = project["optional-dependencies"][name]
    named = [re.fullmatch(r"microcoder\[([a-z]+)\]", line) for line in found]
    others = [line for line, own in zip(found, named, strict=True) if not own]
    return others + [line for own in named if own for line in _extra(project, own[1])]


def test_the_training_image_has_every_package_that_its_code_imports() -> None:
    lines = (DEPLOY / "images" / "train-requirements.txt").read_text().splitlines()
    given = {re.split("[<>=]", line)[0].replace("-", "_") for line in lines if line and line[0] != "#"}
    brought = {"tokenizers": "transformers", "yaml": "pyyaml"}
    source = "\n".join(path.read_text() for path in sorted((CHECKOUT / "microcoder_train").rglob("*.py")))
    imported = set(re.findall(r"^\s*(?:import|from) ([a-z][a-z0-9_]*)", source, re.MULTILINE))
    ours = {"microcoder_train", "microcoder_judge"}
    missing = {brought.get(name, name) for name in imported - sys.stdlib_module_names - ours} - given
    assert not missing


def test_secrets_from_files_reach_the_command_and_a_missing_one_ends_it(tmp_path: Path) -> None:
    script = DEPLOY / "images" / "with-secrets"
    key = tmp_path / "key"
    key.write_text("it's $(odd) `text`\n")
    read = "import os; print(repr(os.environ['OPENAI_API_KEY']), 'OPENAI_API_KEY_FILE' in os.environ)"
    environment = {"PATH": "/usr/bin:/bin", "OPENAI_API_KEY_FILE": str(key)}
    command = [str(script), sys.executable, "-c", read]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout == '"it\'s $(odd) `text`" False\n'
    key.unlink()
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[-1] == f"error: OPENAI_API_KEY_FILE={key} cannot be read"


# Kubernetes


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Path, version: str) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_mistake_in_a_manifest_would_be_found() -> None:
    job = documents(DEPLOY / "k8s" / "grpo-job.yaml")[0]
    job["spec"]["template"]["spec"]["terminationGracePeriod"] = 5
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize("name", ["grpo", "evaluation"])
def test_jobs_hold_a_gpu_shared_memory_and_their_checkpoints_and_are_not_evicted(name: str) -> None:
    job, budget = documents(DEPLOY / "k8s" / f"{name}-job.yaml")
    template = job["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == container["resources"]["requests"]["nvidia.com/gpu"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    assert mounts["/dev/shm"]["emptyDir"]["medium"] == "Memory"
    claims = {claim["metadata"]["name"] for claim in documents(DEPLOY / "k8s" / "storage.yaml")}
    used = {volume["persistentVolumeClaim"]["claimName"] for volume in volumes.values() if "emptyDir" not in volume}
    assert used == claims and mounts["/checkpoints"]["persistentVolumeClaim"]["claimName"] in claims
    assert pod["securityContext"]["runAsUser"] == UID and pod["securityContext"]["runAsNonRoot"]
    assert template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert budget["spec"]["maxUnavailable"] == 0
    assert budget["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        if "onExitCodes" in rule:
            assert rule["onExitCodes"]["containerName"] == container["name"]


# The chart


@pytest.fixture(scope="module", params=["values.yaml", "values-gpu.yaml"])
def chart(request: pytest.FixtureRequest) -> dict[str, Any]:
    values: dict[str, Any] = documents(DEPLOY / "helm" / "values.yaml")[0]
    if request.param != "values.yaml":
        values = _merged(values, documents(DEPLOY / "helm" / request.param)[0])
    return values


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """As Helm lays one values file over another: mappings are merged, all else is replaced."""
    both = below.keys() & above.keys()
    nested = {key: _merged(below[key], above[key]) for key in both if isinstance(below[key], dict)}
    return {**below, **above, **nested}


def test_what_the_chart_puts_into_pods_is_what_kubernetes_takes(chart: dict[str, Any]) -> None:
    (code,) = chart["dagster-user-deployments"]["deployments"]
    run = chart["runLauncher"]["config"]["k8sRunLauncher"]
    pods = [chart["dagsterWebserver"], chart["dagsterDaemon"], code, {**code, **run}]
    for part in pods:
        container = {
            "name": "dagster",
            "image": f"{part['image']['repository']}:{part['image']['tag']}",
            "imagePullPolicy": part["image"]["pullPolicy"],
            "resources": part["resources"],
            "securityContext": part["securityContext"],
            "env": part.get("env", []),
            "envFrom": [{"secretRef": source} for source in part.get("envSecrets", [])],
            "volumeMounts": part.get("volumeMounts", []),
        }
        spec = {"containers": [container], "securityContext": part["podSecurityContext"],
                "volumes": part.get("volumes", [])}  # fmt: skip
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "dagster"}, "spec": spec}
        kubernetes_validate.validate(pod, KUBERNETES[-1], strict=True)
        assert part["podSecurityContext"]["runAsUser"] == UID


def test_the_run_launcher_takes_what_the_chart_hands_it(chart: dict[str, Any]) -> None:
    job = pytest.importorskip("dagster_k8s.job", reason="needs the extra `kubernetes`")
    config = chart["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    names = {
        "podSpecConfig": "pod_spec_config",
        "podTemplateSpecMetadata": "pod_template_spec_metadata",
        "jobSpecConfig": "job_spec_config",
    }
    read = job.UserDefinedDagsterK8sConfig.from_dict({names[key]: value for key, value in config.items()})
    assert read.pod_spec_config["termination_grace_period_seconds"] >= 600
    assert read.pod_template_spec_metadata["annotations"]


def test_the_chart_holds_no_secret_and_names_the_versions_of_this_repository(chart: dict[str, Any]) -> None:
    assert not re.search("password: ", yaml.safe_dump(chart), re.IGNORECASE)
    text = (DEPLOY / "helm" / "values.yaml").read_text()
    pinned = re.findall(r"^dagster==(.*)$", (CHECKOUT / "constraints.txt").read_text(), re.MULTILINE)
    assert re.findall(r"--version (\S+)", text) == pinned
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    images = re.findall(r"image: \S+/microcoder-[a-z]+:(\S+)", "".join(path.read_text() for path in MANIFESTS))
    assert {chart["dagsterDaemon"]["image"]["tag"], *images} == {version}


# One box


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    """In a root of its own, where the programs that units start are there."""
    programs = [line.split("=", 1)[1].split() for path in UNITS for line in path.read_text().splitlines()
                if line.startswith("ExecStart=")]  # fmt: skip
    for name in {word for words in programs for word in words if word.startswith("/opt/microcoder/")}:
        if not name.endswith(".yaml"):
            (tmp_path / name[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/true", tmp_path / name[1:])
    folder = tmp_path / "etc" / "systemd" / "system"
    folder.mkdir(parents=True)
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr" / "lib" / "systemd" / "system", symlinks=True)
    for path in UNITS:
        shutil.copy(path, folder)
    command = [program("systemd-analyze"), "verify", f"--root={tmp_path}", "--man=no", *(path.name for path in UNITS)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    ours = [line for line in checked.stderr.splitlines() if "microcoder" in line]
    assert (checked.returncode, ours) == (0, [])


# Commands


def _here(word: str) -> str:
    """A path of an installation as the file or program that it is of this repository."""
    if word.startswith("/opt/"):
        return str(DEPLOY / Path(word).name) if word.endswith(".yaml") else Path(word).name
    return re.sub(r"\$\{[A-Z_]+(?::-)?([^}]*)\}", lambda match: match[1] or "4000", word)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of ours in deploy/, without the programs that lead to it."""
    found: list[tuple[str, list[str]]] = []
    for path in IMAGES:
        found += [(path.name, json.loads(rest)) for name, rest in instructions(path) if name == "CMD"]
    compose = documents(DEPLOY / "compose" / "compose.yaml")[0]
    for name, service in compose["services"].items():
        if "microcoder" in service.get("image", ""):
            found.append((name, service.get("command", [])))
            found.append((f"{name} healthcheck", service.get("healthcheck", {}).get("test", [None])[1:]))
    for path in MANIFESTS:
        for document in documents(path):
            if document["kind"] == "Job":
                found += [(path.name, part["args"]) for part in document["spec"]["template"]["spec"]["containers"]]
    for path in UNITS:
        lines = [line for line in path.read_text().splitlines() if line.startswith("ExecStart=")]
        found += [(path.name, line.removeprefix("ExecStart=").split()) for line in lines]
    (code,) = documents(DEPLOY / "helm" / "values.yaml")[0]["dagster-user-deployments"]["deployments"]
    found.append(("values.yaml", ["dagster", "api", "grpc", "--port", str(code["port"]), *code["dagsterApiGrpcArgs"]]))
    for where, words in found:
        plain = [_here(word) for word in words]
        if plain[:1] == ["with-secrets"]:
            plain = plain[1:]
        if plain:
            yield where, plain


@pytest.mark.parametrize(
    ("where", "words"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_exists_and_takes_its_options(where: str, words: list[str]) -> None:
    if words[:3] == ["python", "-m", "microcoder_train"]:
        from microcoder_train.cli import parser

        if words[3:] != ["--help"]:
            parser().parse_args(words[3:])
    elif words[:3] == ["python", "-m", "microcoder_judge"]:
        from microcoder_judge import server

        judge = argparse.ArgumentParser()
        server.add_arguments(judge)
        assert words[3] == "serve"
        judge.parse_args(words[4:])
    elif words[:2] == ["python", "-c"]:
        compile(words[2], where, "exec")
    else:
        _parsed_by_click(words)


def _parsed_by_click(words: list[str]) -> None:
    import click
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli
    from dagster_webserver.cli import create_dagster_webserver_cli

    makers = {
        "dagster": create_dagster_cli,
        "dagster-daemon": create_dagster_daemon_cli,
        "dagster-webserver": create_dagster_webserver_cli,
    }
    command: click.Command = makers[words[0]]()
    rest = words[1:]
    context = click.Context(command)
    while isinstance(command, click.Group) and rest and command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
        context = click.Context(command, parent=context)
    assert not isinstance(command, click.Group)
    command.parse_args(context, list(rest))
