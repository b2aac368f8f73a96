"""The Jobs of Kubernetes that runs are, rendered as Prefect's worker does; without a cluster."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError, validate
from prefect.utilities.templating import apply_values, find_placeholders

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from deployments.provisioning.jobs.templates import SETTINGS, STORAGE, job_template
from deployments.provisioning.jobs.variables import ENVIRONMENT
from deployments.queue_classes import QUEUE_CLASSES, QueueClass

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deployments" / "kubernetes"
IMAGE = f"registry.example/adspark:{version('adspark')}"
SERVER = "http://prefect-server.adspark.svc.cluster.local:4200/api"


def template(
    queue_class: QueueClass = QUEUE_CLASSES[0], run_volume: str | None = None
) -> dict[str, Any]:
    return job_template(
        queue_class, Settings(pool_type="kubernetes", run_image=IMAGE, run_volume=run_volume)
    )


def pod_of(made: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """The pod of a run that chooses this environment."""
    rendered = apply_values(made["job_configuration"], {"env": environment})
    assert find_placeholders(rendered) == set()
    pod: dict[str, Any] = rendered["job_manifest"]["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("queue_class", QUEUE_CLASSES, ids=lambda one: one.name)
def test_a_run_is_a_pod_of_our_image_within_the_memory_of_its_pool(queue_class: QueueClass) -> None:
    pod = pod_of(template(queue_class), {"ADSPARK_RENDER_SCALE": "2"})
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert container["env"] == {"ADSPARK_RENDER_SCALE": "2"}
    assert container["resources"]["limits"]["memory"] == f"{queue_class.memory}Mi"
    assert container["resources"]["requests"]["memory"] == f"{queue_class.memory}Mi"
    assert container["args"] == ["python", "-m", "deployments.execution.in_container"]


def test_a_runs_pod_has_no_rights_and_writes_nowhere_but_to_its_volumes() -> None:
    pod = pod_of(template(run_volume="pictures"), {})
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [one["mountPath"] for one in container["volumeMounts"]] == ["/tmp", "/var/lib/adspark"]
    assert pod["volumes"][1]["persistentVolumeClaim"] == {"claimName": "pictures"}


def test_a_run_may_choose_no_more_than_elsewhere() -> None:
    variables = template()["variables"]
    validate({"env": dict.fromkeys(ENVIRONMENT, "1")}, variables)
    for hostile in ({"env": {"LD_PRELOAD": "x.so"}}, {"env.LD_PRELOAD": "x.so"}, {"image": "x"}):
        with pytest.raises(ValidationError, match="Additional properties"):
            validate(hostile, variables)


def test_without_an_image_it_is_said_which_setting_is_missing() -> None:
    with pytest.raises(ConfigurationError, match=r"^ADSPARK_RUN_IMAGE: .*=kubernetes\); name"):
        job_template(QUEUE_CLASSES[0], Settings(pool_type="kubernetes"))


def manifests() -> Iterator[dict[str, Any]]:
    return iter(yaml.safe_load_all((FOLDER / "adspark.yaml").read_text()))


def values(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{chart}.yaml").read_text())
    return loaded


def test_manifests_and_values_name_one_image_one_server_and_the_settings_of_runs() -> None:
    found = {(one["kind"], one["metadata"]["name"]): one for one in manifests()}
    settings = found["ConfigMap", SETTINGS]["data"]
    assert settings["ADSPARK_RUN_IMAGE"] == IMAGE
    assert settings["PREFECT_API_URL"] == SERVER
    known = {f"ADSPARK_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in settings if name.startswith("ADSPARK_")} <= known
    pods = [
        one["spec"]["template"]["spec"]
        for one in found.values()
        if "template" in one.get("spec", {})
    ]
    containers = [
        container
        for pod in pods
        for container in (*pod.get("initContainers", ()), *pod["containers"])
    ]
    assert len(containers) == 4
    assert {one["image"] for one in containers} == {IMAGE}
    assert {one["envFrom"][2]["secretRef"]["name"] for one in containers} == {STORAGE}
    server = values("prefect-server")["global"]["prefect"]["image"]
    assert f"{server['repository']}:{server['prefectTag']}" == IMAGE
    worker = values("prefect-worker")["worker"]
    assert worker["selfHostedServerApiConfig"]["apiUrl"] == SERVER
    assert worker["config"]["jobNamespace"] == Settings().run_namespace


def test_prefects_worker_is_of_the_version_that_we_are_locked_to() -> None:
    locked = (ROOT / "uv.lock").read_text()
    tag = values("prefect-worker")["worker"]["image"]["prefectTag"]
    assert f'name = "prefect"\nversion = "{tag.partition("-")[0]}"' in locked


def test_the_page_installs_a_worker_for_each_pool() -> None:
    page = (ROOT / "docs" / "operators" / "kubernetes.md").read_text()
    assert all(f" {one.name}" in page for one in QUEUE_CLASSES)
