"""A schedule starts runs by itself; what it takes is the server's scheduler and a worker."""

import time

from tests.support import asking
from tests.support.stack import Stack


def test_a_schedule_with_parameters_fetches_by_itself(stack: Stack) -> None:
    found = asking.get(f"{stack.api_url}/deployments/name/fetch-creatives/fetch-creatives").json()
    schedules = f"{stack.api_url}/deployments/{found['id']}/schedules"
    every_ten_seconds = {
        "schedule": {"interval": 10},
        "active": True,
        "parameters": {"text": "hubspot.com"},
    }
    (made,) = asking.post(schedules, json=[every_ten_seconds]).raise_for_status().json()
    try:
        asked = {
            "deployments": {"id": {"any_": [found["id"]]}},
            "flow_runs": {
                "state": {"type": {"any_": ["COMPLETED"]}},
                "tags": {"all_": ["auto-scheduled"]},
            },
        }
        end = time.monotonic() + 300
        while not (runs := asking.post(f"{stack.api_url}/flow_runs/filter", json=asked).json()):
            assert time.monotonic() < end, "no scheduled run completed"
            time.sleep(0.5)
    finally:
        asking.delete(f"{schedules}/{made['id']}").raise_for_status()
    assert runs[0]["parameters"]["text"] == "hubspot.com"
