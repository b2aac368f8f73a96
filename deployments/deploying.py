"""Deployments as `prefect.yaml` says: those whose entry is new or has changed, and no others.

`prefect deploy` would unpause a deployment and forget what was changed in the UI, so what has not
changed in the file is left alone.
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
from prefect.exceptions import ObjectNotFound

from adspark.errors import ConfigurationError
from deployments.merging import Merge, fingerprint
from deployments.stack.shell import OUR_FOLDER

_PREFIX = "deployment "


def project_file() -> Path:
    """The `prefect.yaml` of the checkout, or the copy in the installed package."""
    here = Path(__file__).parent
    for candidate in (here / "prefect.yaml", here.parent / "prefect.yaml"):
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
    wanted = []
    paused: list[str] = []
    for name, entry in entries.items():
        try:
            found = await client.read_deployment_by_name(name)
        except ObjectNotFound:
            is_wanted = merge.creates(f"{_PREFIX}{name}", {})
            merge.notes(f"{_PREFIX}{name}", _mark(entry))
        else:
            is_wanted = (
                merge.is_new(f"{_PREFIX}{name}", _mark(entry))
                if found.work_pool_name == entry["work_pool"]["name"]
                else merge.creates(f"{_PREFIX}{name}", {}, " again, for its pool was removed")
            )
            paused += [name] if found.paused else []
        wanted += [entry] if is_wanted else []
    if wanted:
        await _deploy(str(client.api_url), {**project, "deployments": wanted})
    for name in paused:
        await client.pause_deployment((await client.read_deployment_by_name(name)).id)
    for name in merge.gone(_PREFIX, set(entries)):
        await _remove(client, name)


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
