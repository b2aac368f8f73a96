"""A run's container, as the settings of its worker have it, whatever the run asks for."""

import os
from typing import Any

from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect_docker.worker import DockerWorkerJobConfiguration
from pydantic import JsonValue

from adspark.settings import get_settings
from deployments.environment.stack_settings import public_environment
from deployments.provisioning.jobs.run_image import RUN_COMMAND, run_image, run_memory
from deployments.provisioning.jobs.variables import OwnJob

_USER = "adspark"  # of the image
# Nothing to write but /tmp and the volume, no rights, no privileges to win.
_CONTAINER: dict[str, JsonValue] = {
    "user": _USER,
    "init": True,
    "read_only": True,
    "tmpfs": {"/tmp": "mode=1777"},  # noqa: S108  (the container's own)
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "pids_limit": 1024,
    "healthcheck": {"test": ["NONE"]},
    "extra_hosts": {"host.docker.internal": "host-gateway"},
}
# What a run needs beside settings: pictures' object storage, which its address may hold a password
# for, where spans are sent, and a way through a proxy.
_HANDED_ON = (
    "AWS_", "FSSPEC_", "OTEL_", "ADSPARK_MEDIA_URL", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"
)  # fmt: skip
_SERVER_ONLY = "PREFECT_SERVER_"


class ContainerJob(OwnJob, DockerWorkerJobConfiguration):
    """A run's container, with the settings of its worker."""

    @classmethod
    def own_values(cls, flow_run: FlowRun, work_pool: WorkPool) -> dict[str, JsonValue]:
        # Containers reach each other by their names: a run that is called as a service would be
        # taken for it, so its name is its id.
        settings = get_settings()
        memory = f"{run_memory(settings, work_pool.name)}m"
        return {
            "name": f"adspark-run-{flow_run.id}",
            "command": RUN_COMMAND,
            "image": run_image(settings),
            "image_pull_policy": "IfNotPresent",
            "registry_credentials": None,
            "labels": {},
            "mem_limit": memory,
            "memswap_limit": memory,
            "networks": [settings.run_network] if settings.run_network else [],
            "network_mode": None,
            "volumes": [f"{settings.run_volume}:{settings.home}"] if settings.run_volume else [],
            "privileged": False,
            "auto_remove": False,
            "stream_output": True,
            "container_create_kwargs": _CONTAINER,
        }

    def prepare_for_flow_run(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """As Prefect's, but for the environment, which has the settings of the worker too."""
        super().prepare_for_flow_run(*args, **kwargs)
        self.env = {
            **{k: v for k, v in os.environ.items() if k.upper().startswith(_HANDED_ON)},
            **public_environment(get_settings()),
            **{k: v for k, v in self.env.items() if not k.startswith(_SERVER_ONLY)},
        }
