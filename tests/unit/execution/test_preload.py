"""A forked run reads Prefect's settings anew only where they may be others."""

import json
import os
import subprocess
import sys
from pathlib import Path

ASKS = """
import json, os, sys
from prefect.settings import get_current_settings
from deployments.execution.preload import has_other_settings
passed_on = {**os.environ, **get_current_settings().to_environment_variables(exclude_unset=True)}
cases = json.loads(sys.argv[1])
print(json.dumps([has_other_settings(passed_on | changes, folder) for changes, folder in cases]))
"""


def test_what_a_worker_passes_on_is_known_and_a_change_is_seen(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("none", ".env", "prefect.toml", "pyproject.toml")}
    for name, folder in folders.items():
        folder.mkdir()
        if name != "none":
            (folder / name).touch()
    cases = {
        "a run's own": ({"PREFECT__FLOW_RUN_ID": "1f52219d"}, "none", False),
        "not Prefect's": ({"OTHER": "1"}, "none", False),
        "a new one": ({"PREFECT_LOGGING_LEVEL": "DEBUG"}, "none", True),
        "another value": ({"PREFECT_CLIENT_MAX_RETRIES": "8"}, "none", True),
        "a file .env": ({}, ".env", True),
        "a file prefect.toml": ({}, "prefect.toml", True),
        "a file pyproject.toml": ({}, "pyproject.toml", True),
    }
    surroundings = {
        "PREFECT_LOGGING_COLORS": "false",  # passed on as False
        "PREFECT_WORKER_QUERY_SECONDS": "10",  # passed on as 10.0
        "PREFECT_CLIENT_MAX_RETRIES": "7",
    }
    asked = [(changes, str(folders[name])) for changes, name, _ in cases.values()]
    told = subprocess.run(
        [sys.executable, "-c", ASKS, json.dumps(asked)],
        env=os.environ | surroundings,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = {case: is_other for case, (_, _, is_other) in cases.items()}
    assert dict(zip(cases, json.loads(told.stdout), strict=True)) == expected
