"""What the runs of a pool are, as its job template says it to Prefect's workers."""

from datetime import timedelta
from typing import Any

from adspark.settings import Settings
from deployments.provisioning.jobs.run_image import RUN_COMMAND, run_image, run_memory
from deployments.provisioning.jobs.variables import ENVIRONMENT
from deployments.queue_classes import QueueClass

SETTINGS, STORAGE = "adspark", "adspark-storage"
"""The ConfigMap of the settings of a run's pod, and the Secret of what the storage of pictures asks
for; its worker gives the rest."""

POD_WATCH = timedelta(minutes=5)
"""In which a run's pod has to start: its image may have to be pulled first."""

_USER = 10001  # of the image
_KEPT = 3600  # seconds for which an ended Job can be looked at
# All that a run may choose: a form offers nothing that a worker would refuse, and a worker of
# Prefect's own takes nothing else.
_VARIABLES = {
    "type": "object",
    "properties": {
        "env": {
            "title": "Environment Variables",
            "description": f"Of these: {', '.join(sorted(ENVIRONMENT))}.",
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        }
    },
}


def job_template(queue_class: QueueClass, settings: Settings) -> dict[str, Any]:
    """The base job template of the pool of a queue class, in Prefect's format.

    Processes and containers are what our workers' settings say (`worker`, `container_job`); Jobs of
    Kubernetes are started by Prefect's own worker, which takes all of them from here.

    Raises:
        ConfigurationError: it is not said of which image the runs are.
    """
    if settings.pool_type == "docker":
        run_image(settings)
    if settings.pool_type != "kubernetes":
        return {"job_configuration": {"env": "{{ env }}"}, "variables": _VARIABLES}
    chosen = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in sorted(ENVIRONMENT)},
        "additionalProperties": False,
    }
    env = _VARIABLES["properties"]["env"] | chosen  # type: ignore[index]
    return {
        "job_configuration": {
            "env": "{{ env }}",
            "namespace": settings.run_namespace,
            "job_manifest": _job(queue_class, settings),
            "pod_watch_timeout_seconds": int(POD_WATCH.total_seconds()),
            "stream_output": True,
        },
        "variables": {
            "type": "object",
            "properties": {"env": env},
            "additionalProperties": False,
        },
    }


def _job(queue_class: QueueClass, settings: Settings) -> dict[str, Any]:
    """The Job of a run. It is tried once: what is run again, Prefect's server decides."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "generateName": f"adspark-{queue_class.name}-",
            "namespace": settings.run_namespace,
            "labels": {"app.kubernetes.io/name": "adspark"},
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "ttlSecondsAfterFinished": _KEPT,
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": "adspark"}},
                "spec": _pod(queue_class, settings),
            },
        },
    }


def _pod(queue_class: QueueClass, settings: Settings) -> dict[str, Any]:
    """The run's pod: nothing to write but /tmp and the home, no rights, no token of the cluster."""
    memory = f"{run_memory(settings, queue_class.name)}Mi"
    home: dict[str, Any] = {"emptyDir": {}}
    if settings.run_volume:
        home = {"persistentVolumeClaim": {"claimName": settings.run_volume}}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "shareProcessNamespace": True,  # then ended children of the browser are reaped
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "prefect-job",  # Prefect takes no other
                "image": run_image(settings),
                "imagePullPolicy": "IfNotPresent",
                "args": RUN_COMMAND.split(),
                "env": "{{ env }}",
                "envFrom": [
                    {"configMapRef": {"name": SETTINGS}},
                    {"secretRef": {"name": STORAGE, "optional": True}},
                ],
                "resources": {
                    "requests": {"cpu": "250m", "memory": memory},
                    "limits": {"memory": memory},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  (the pod's own)
                    {"name": "home", "mountPath": "/var/lib/adspark"},
                ],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "home", **home}],
    }
