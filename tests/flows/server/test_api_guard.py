"""What Prefect's API takes behind our guard: asked of Prefect's own application."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.server.api.server import create_app
from prefect.utilities.callables import parameter_schema
from pydantic import JsonValue

from deployments.server.api_guard import ApiGuard
from flows.fetch_creatives import fetch_creatives

HUGE = 10**20
HEADERS = {"content-type": "application/json"}


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    """The application on the database of the tests' server, behind the guard."""
    app = ApiGuard(create_app(ephemeral=True))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://guarded/api") as client:
        yield client


@pytest.fixture
async def deployment() -> UUID:
    """One that leaves checking to its flow, as fetch-creatives does."""
    async with get_client() as client:
        return await client.create_deployment(
            await client.create_flow(fetch_creatives),
            f"guarded {uuid4()}",
            enforce_parameter_schema=False,
            parameter_openapi_schema=parameter_schema(fetch_creatives.fn).model_dump(),
        )


def nested(depth: int) -> str:
    """Lists in each other."""
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ('{"max_pages": 99999999999999999999}', "max_pages: a whole number of more than 64 bits"),
        ('{"max_pages": 1%s}' % (5000 * "0"), "a number has thousands of digits"),
        ('{"max_pages": 1001}', "max_pages: must be 1 to 1000, not 1001"),
        ('{"max_pages": 0}', "max_pages: must be 1 to 1000, not 0"),
        ('{"max_pages": "0"}', "max_pages: must be 1 to 1000, not 0"),
        ('{"page_size": -9223372036854775809}', "page_size: a whole number of more than 64 bits"),
        ('{"nothing": [1, {"a": 18446744073709551616}]}', "nothing.1.a: a whole number"),
        ('{"text": "%s"}' % ("x" * 501), "text: has 501 characters; shorten it to 500"),
        ('{"text": "a\\u0000b"}', "text: holds a NUL"),
        ('{"text": "a\\ud800b"}', "text: holds a NUL or half a character"),
        (f'{{"text": {nested(300)}}}', "text: nested more than 100 deep"),
        (f'{{"text": {nested(100_000)}}}', "the request is nested more than 100 deep"),
        (
            '{"max_pages": {"__prefect_kind": "json", "value": "99999999999999999999"}}',
            "max_pages: a whole number of more than 64 bits",
        ),
        (
            '{"max_pages": {"__prefect_kind": "json", "value": "%s"}}' % (26 * "\\u0039"),
            "max_pages: a whole number of more than 64 bits",
        ),
    ],
)
async def test_a_run_that_could_not_be_listed_or_is_out_of_bounds_is_not_made(
    api: httpx.AsyncClient, deployment: UUID, parameters: str, told: str
) -> None:
    before = (await api.post("/flow_runs/count", json={})).json()
    body = f'{{"parameters": {parameters}}}'
    answer = await api.post(
        f"/deployments/{deployment}/create_flow_run", content=body, headers=HEADERS
    )
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
    assert (await api.post("/flow_runs/count", json={})).json() == before
    assert (await api.post("/flow_runs/filter", json={})).status_code == 200


async def test_every_other_way_to_store_a_huge_number_is_shut(
    api: httpx.AsyncClient, deployment: UUID
) -> None:
    async with get_client() as client:
        run = await client.create_flow_run_from_deployment(deployment)
    flow_id = str(run.flow_id)
    huge: dict[str, JsonValue] = {"parameters": {"n": HUGE}}
    for method, path, body in (
        ("POST", "/flow_runs/", {"flow_id": flow_id, **huge}),
        ("PATCH", f"/flow_runs/{run.id}", huge),
        ("PATCH", f"/flow_runs/{run.id}", {"job_variables": {"n": HUGE}}),
        ("POST", f"/flow_runs/{run.id}/resume", {"run_input": {"n": HUGE}}),
        ("POST", f"/flow_runs/{run.id}/set_state", {"state": {"type": "FAILED", "data": HUGE}}),
        ("PATCH", f"/deployments/{deployment}", huge),
        ("POST", "/deployments/", {"name": "x", "flow_id": flow_id, **huge}),
        ("POST", "/variables/", {"name": "n", "value": HUGE}),
    ):
        answer = await api.request(method, path, json=body)
        assert (answer.status_code, "more than 64 bits" in answer.text) == (422, True), path
    for path in ("/flow_runs/filter", "/flow_runs/paginate", "/deployments/filter"):
        assert (await api.post(path, json={})).status_code == 200


async def test_what_prefect_can_keep_passes_untouched(
    api: httpx.AsyncClient, deployment: UUID
) -> None:
    given: dict[str, JsonValue] = {
        "advertiser_ids": ["AR01234567890123456789"],
        "text": '1234567890123456789012 \\ "quoted" é',
        "max_pages": 1000,
        "start_date": None,
    }
    path = f"/deployments/{deployment}/create_flow_run"
    answer = await api.post(path, json={"parameters": given})
    assert answer.status_code == 201, answer.text
    kept = answer.json()["parameters"]
    assert {name: kept[name] for name in given} == given
    unknown = await api.post(f"/deployments/{uuid4()}/create_flow_run", json={"parameters": given})
    assert unknown.status_code == 404
    broken = await api.post(path, content=b'{"parameters": 1111111111111111111', headers=HEADERS)
    assert broken.status_code == 422
    assert json.loads(broken.content)["exception_message"] == "Invalid request received."


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
async def test_a_number_does_not_hide_in_another_encoding(
    api: httpx.AsyncClient, encoding: str
) -> None:
    async with get_client() as client:
        flow_id = await client.create_flow(fetch_creatives)
    body = json.dumps({"flow_id": str(flow_id), "parameters": {"max_pages": HUGE}})
    answer = await api.post("/flow_runs/", content=body.encode(encoding), headers=HEADERS)
    assert answer.status_code == 422
    assert (await api.post("/flow_runs/filter", json={})).status_code == 200


async def test_half_a_character_in_raw_bytes_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/variables/", content=b'{"name": "x", "value": "\xed\xa0\x80"}', headers=HEADERS
    )
    assert (answer.status_code, "UTF-8" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize("spelling", ["{0}", "{0.hex}", "{{{0}}}", "urn:uuid:{0}"])
async def test_bounds_hold_however_a_deployment_is_named(
    api: httpx.AsyncClient, deployment: UUID, spelling: str
) -> None:
    body = {"parameters": {"max_pages": 0}}
    path = f"/deployments/{spelling.format(deployment)}/create_flow_run"
    assert (await api.post(path, json=body)).status_code == 422


@pytest.mark.parametrize("name", ["-" * 36, "0" * 36, "not-an-id"])
async def test_a_deployment_that_is_none_is_prefects_to_refuse(
    api: httpx.AsyncClient, name: str
) -> None:
    answer = await api.post(f"/deployments/{name}/create_flow_run", json={"parameters": {}})
    assert answer.status_code in (404, 422)


async def test_a_deployment_takes_no_parameters_out_of_bounds(
    api: httpx.AsyncClient, deployment: UUID
) -> None:
    answer = await api.patch(f"/deployments/{deployment}", json={"parameters": {"max_pages": -5}})
    assert (answer.status_code, answer.json()["detail"]) == (
        422, "max_pages: must be 1 to 1000, not -5.",
    )  # fmt: skip
    kept = await api.patch(f"/deployments/{deployment}", json={"parameters": {"max_pages": 5}})
    assert kept.status_code == 204


EVERY_MINUTE: dict[str, JsonValue] = {"cron": "* * * * *"}
FETCH = {"text": "example.com"}


@pytest.fixture
async def scheduled(api: httpx.AsyncClient) -> str:
    """The address of a deployment of fetch-creatives as it is installed, without a schedule."""
    async with get_client() as client:
        deployment = await client.create_deployment(
            await client.create_flow(fetch_creatives),
            f"scheduled {uuid4()}",
            entrypoint="flows.fetch_creatives.fetch_creatives",
            enforce_parameter_schema=False,
            parameter_openapi_schema=parameter_schema(fetch_creatives.fn).model_dump(),
        )
    return f"/deployments/{deployment}"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"max_pages": 0}, "max_pages: must be 1 to 1000, not 0."),
        ({"max_pages": 5000}, "max_pages: must be 1 to 1000, not 5000."),
        ({"max_pages": "three"}, "max_pages: is not a whole number; give it as 3."),
        ({"region": "XX"}, "region: 'XX' is not a region. Give an ISO code (US)"),
        ({"platform": "TV"}, "platform: is none of "),
        ({"txet": "example.com"}, "txet: fetch-creatives has no such parameter"),
    ],
)
async def test_a_schedule_takes_no_parameters_with_which_each_of_its_runs_fails(
    api: httpx.AsyncClient, scheduled: str, parameters: dict[str, JsonValue], told: str
) -> None:
    bad: dict[str, JsonValue] = {"schedule": EVERY_MINUTE, "parameters": {**FETCH, **parameters}}
    good: dict[str, JsonValue] = {"schedule": EVERY_MINUTE, "parameters": {**FETCH}}
    (kept,) = (await api.post(f"{scheduled}/schedules", json=[good])).json()
    made = {**(await api.get(scheduled)).json(), "name": f"made {uuid4()}", "schedules": [bad]}
    creation = {
        name: made[name]
        for name in ("name", "flow_id", "entrypoint", "parameter_openapi_schema", "schedules")
    }
    for method, path, body in (
        ("POST", f"{scheduled}/schedules", [good, bad]),
        ("PATCH", f"{scheduled}/schedules/{kept['id']}", bad),
        ("PATCH", scheduled, {"schedules": [bad]}),
        ("POST", "/deployments/", {**creation, "enforce_parameter_schema": False}),
    ):
        answer = await api.request(method, path, json=body)
        assert answer.status_code == 422, (method, path, answer.text)
        assert answer.json()["detail"].startswith(told), answer.text
    assert (await api.get(scheduled)).json()["schedules"] == [kept]


async def test_a_schedule_says_only_what_differs_from_its_deployment(
    api: httpx.AsyncClient, scheduled: str
) -> None:
    only_pages = {"schedule": EVERY_MINUTE, "parameters": {"max_pages": 3}}
    alone = await api.post(f"{scheduled}/schedules", json=[only_pages])
    assert (alone.status_code, "advertiser_ids" in alone.text) == (422, True), alone.text
    assert (await api.patch(scheduled, json={"parameters": FETCH})).status_code == 204
    merged = await api.post(f"{scheduled}/schedules", json=[only_pages])
    assert merged.status_code == 201, merged.text
    paused = await api.patch(
        f"{scheduled}/schedules/{merged.json()[0]['id']}", json={"active": False}
    )
    assert paused.status_code == 204, paused.text


async def test_no_way_to_a_run_takes_parameters_out_of_bounds(
    api: httpx.AsyncClient, scheduled: str
) -> None:
    deployment = scheduled.rpartition("/")[2]
    flow_id = (await api.get(scheduled)).json()["flow_id"]
    run = (await api.post(f"{scheduled}/create_flow_run", json={"parameters": FETCH})).json()["id"]
    bad: dict[str, JsonValue] = {"parameters": {**FETCH, "max_pages": 0}}

    def automation(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        action: dict[str, JsonValue] = {
            "type": "run-deployment", "source": "selected", "deployment_id": deployment,
            "parameters": parameters,
        }  # fmt: skip
        return {
            "name": f"guarded {uuid4()}", "enabled": False, "actions": [action],
            "trigger": {"type": "event", "posture": "Reactive", "threshold": 1, "within": 0},
        }  # fmt: skip

    for method, path, body in (
        ("POST", f"{scheduled}/create_flow_run/bulk", [{"parameters": FETCH}, bad]),
        ("POST", "/flow_runs/", {"flow_id": flow_id, "deployment_id": deployment, **bad}),
        ("PATCH", f"/flow_runs/{run}", bad),
        ("POST", "/automations/", automation({"max_pages": 0})),
        ("POST", "/automations/", automation({"text": 501 * "x"})),
        ("PUT", f"/automations/{uuid4()}", automation({"max_pages": 0})),
    ):
        answer = await api.request(method, path, json=body)
        assert answer.status_code == 422, (method, path, answer.text)
        assert answer.json()["detail"].startswith(("max_pages: must be", "text: has 501"))
    template = automation({"text": f"{{{{ {501 * 'x'} }}}}"})
    made = await api.post("/automations/", json=automation({"max_pages": 2}))
    assert made.status_code == 201, made.text
    assert "shorten it" not in (await api.post("/automations/", json=template)).text


async def test_an_odd_character_costs_a_run_neither_its_log_nor_its_end(
    api: httpx.AsyncClient,
) -> None:
    async with get_client() as client:
        flow_id = await client.create_flow(fetch_creatives)
    run = (await api.post("/flow_runs/", json={"flow_id": str(flow_id)})).json()
    state = b'{"state": {"type": "FAILED", "message": "a\\u0000b\\ud800c"}, "force": true}'
    answer = await api.post(f"/flow_runs/{run['id']}/set_state", content=state, headers=HEADERS)
    assert answer.status_code == 201
    ended = (await api.get(f"/flow_runs/{run['id']}")).json()
    assert (ended["state"]["type"], ended["state"]["message"]) == ("FAILED", "a\ufffdb\ufffdc")
    line = {
        "name": "x", "level": 20, "message": "a\x00b", "timestamp": "2026-11-26T00:00:00Z",
        "flow_run_id": run["id"],
    }  # fmt: skip
    assert (await api.post("/logs/", json=[line])).status_code == 201
    wanted = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    (stored,) = (await api.post("/logs/filter", json=wanted)).json()
    assert stored["message"] == "a\ufffdb"
