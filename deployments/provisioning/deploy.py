"""Deployments as `prefect.yaml` says: missing ones are made, the others brought up to date.

`prefect deploy` would unpause a deployment and forget what was changed in the UI, so it only makes
those that are missing.
"""

import asyncio
import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from adspark.errors import ConfigurationError
from deployments.environment.shell import OUR_FOLDER
from deployments.provisioning.deployment_drift import forget, merge_deployment, remember
from deployments.provisioning.drift import Merge, fingerprint

_PREFIX = "deployment "


def project_file() -> Path:
    """The `prefect.yaml` of the checkout, or the copy in the installed package."""
    package = Path(__file__).parents[1]
    for candidate in (package / "prefect.yaml", package.parent / "prefect.yaml"):
        if candidate.exists():
            return candidate
    raise ConfigurationError("prefect.yaml is missing; install AdSpark again.")


async def provision_deployments(client: PrefectClient, merge: Merge) -> None:
    """Deploy what is missing or changed, and remove what the project no longer has.

    Raises:
        ConfigurationError: the deployments cannot be made; quotes Prefect's reason.
    """
    project = yaml.safe_load(project_file().read_text())
    entries = {name_of(entry): entry for entry in project["deployments"]}
    missing = []
    for name, entry in entries.items():
        thing = f"{_PREFIX}{name}"
        try:
            found = await client.read_deployment_by_name(name)
        except ObjectNotFound:
            missing += [entry] if merge.creates(thing, {}) else []
            merge.notes(thing, _mark(entry))
            remember(merge, name, entry)
            continue
        is_changed = merge.is_new(thing, _mark(entry))
        await merge_deployment(client, name, entry, found, merge, is_changed=is_changed)
        await _put_into_pool(client, name, entry, found, merge)
    if missing:
        await _deploy(str(client.api_url), {**project, "deployments": missing})
    for name in merge.gone(_PREFIX, set(entries)):
        await _remove(client, name)
        forget(merge, name)


async def _put_into_pool(
    client: PrefectClient,
    name: str,
    entry: dict[str, Any],
    found: DeploymentResponse,
    merge: Merge,
) -> None:
    """Give it its pool again where that was removed; in another one it was put by hand."""
    pool = entry["work_pool"]["name"]
    if found.work_pool_name == pool:
        return
    if found.work_pool_name is not None and not merge.is_reset:
        merge.keeps(f"{_PREFIX}{name} pool: {found.work_pool_name} was set by hand (ours: {pool})")
    elif merge.does(f"{_PREFIX}{name}: is put into its pool {pool} again"):
        await client.update_deployment(found.id, DeploymentUpdate(work_pool_name=pool))


def name_of(entry: dict[str, Any]) -> str:
    """The full name of a deployment: that of its flow, which its module has too, and its own."""
    flow = str(entry["entrypoint"]).rpartition(".")[2].replace("_", "-")
    return f"{flow}/{entry['name']}"


def _mark(entry: dict[str, Any]) -> str:
    """Of the entry and of the flow's file, from which its parameters and their form come."""
    spec = find_spec(str(entry["entrypoint"]).rpartition(".")[0])
    source = Path(spec.origin).read_text() if spec and spec.origin else ""
    return fingerprint(json.dumps(entry, sort_keys=True, default=str) + source)


async def _remove(client: PrefectClient, name: str) -> None:
    try:
        found = await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return
    await client.delete_deployment(found.id)


async def _deploy(api_url: str, project: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:  # none of the caller's is on the import path
        (Path(folder) / "prefect.yaml").write_text(yaml.safe_dump(project))
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-P", "-m", "prefect", "--no-prompt", "deploy", "--all"],
            cwd=folder,
            env=os.environ
            | {"PYTHONPATH": str(OUR_FOLDER), "PREFECT_API_URL": api_url, "NO_COLOR": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    if process.returncode:
        raise ConfigurationError(f"prefect deploy failed: {output.decode().strip()[-2000:]}")
