"""Dify's client: every answer of the contract, streams as they come, and a key nobody sees."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    InvalidCredentialsError,
    PermanentError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.errors import (
    LostAnswerError,
    NotBegunError,
    RunFailedError,
    ServerFailedError,
    UnknownRunError,
    event_error,
)
from adspark.generators.dify.payloads import (
    AppForm,
    RunEvent,
    RunStatus,
    parse_detail,
    parse_event,
    parse_form,
)
from tests.support.dify_stream import (
    FINISHED,
    NODE,
    PING,
    STARTED,
    Json,
    Part,
    Stream,
    sse,
    streamed,
)
from tests.support.jumping_clock import at_once

KEY = "app-s3cr3t"
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler | httpx.Response, **values: Any) -> DifyClient:  # noqa: ANN401
    """A client whose requests end in `handler`."""

    def answer(request: httpx.Request) -> httpx.Response:
        return handler if isinstance(handler, httpx.Response) else handler(request)

    return DifyClient(SecretStr(KEY), transport=httpx.MockTransport(answer), **values)


async def run(dify: DifyClient) -> list[RunEvent]:
    """All events of a new run."""
    return [event async for event in dify.run({"prompt": "Hi"}, user="u1")]


async def names(response: httpx.Response) -> list[str]:
    """The kinds of a new run's events."""
    async with client(response) as dify:
        return [event.event for event in await run(dify)]


# What an answer means, or the same code as an event of a stream.
ERRORS = [
    pytest.param(400, "invalid_param", ServiceRefusedError, id="an input is missing or too long"),
    pytest.param(400, "bad_request", ServiceRefusedError, id="the pinned version is a draft"),
    pytest.param(400, "completion_request_error", RunFailedError, id="the model refuses"),
    pytest.param(400, "not_workflow_app", ConfigurationError, id="the key is a chat app's"),
    pytest.param(400, "provider_not_initialize", ConfigurationError, id="no model is set up"),
    pytest.param(400, "model_currently_not_support", ConfigurationError, id="the model is gone"),
    pytest.param(400, "provider_quota_exceeded", QuotaExhaustedError, id="the model's quota"),
    pytest.param(401, "unauthorized", InvalidCredentialsError, id="the key is not known"),
    pytest.param(403, "forbidden", ConfigurationError, id="the plan pins no versions"),
    pytest.param(404, "not_found", UnknownRunError, id="no such run"),
    pytest.param(413, "", UnusableContentError, id="too large a file, which has no message"),
    pytest.param(415, "unsupported_file_type", UnusableContentError, id="a kind of file not taken"),
    pytest.param(429, "too_many_requests", RateLimitedError, id="too many at once"),
    pytest.param(429, "rate_limit_error", QuotaExhaustedError, id="the plan's quota"),
    pytest.param(500, "internal_server_error", ServerFailedError, id="their failure"),
    pytest.param(503, "service_unavailable", ServerFailedError, id="overloaded"),
]


@pytest.mark.parametrize(("status", "code", "error"), ERRORS)
async def test_every_code_of_the_contract_has_its_kind(
    status: int, code: str, error: type[AdSparkError]
) -> None:
    told = {"code": code, "message": "Said by Dify." if code else "", "status": status}
    async with client(httpx.Response(status, json=told)) as dify:
        with pytest.raises(AdSparkError) as caught:
            await run(dify)
    told_as = caught.value
    if error in (ServerFailedError, RunFailedError):  # the run may have begun all the same
        assert isinstance(told_as, LostAnswerError)
        assert told_as.failure is not None
        told_as = told_as.failure
    assert type(told_as) is error
    assert (code or f"HTTP {status}") in str(caught.value)
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize(("status", "code", "error"), ERRORS)
def test_a_code_means_the_same_inside_a_stream(
    status: int, code: str, error: type[AdSparkError]
) -> None:
    event = RunEvent(event="error", status=status, code=code, message="Said by Dify.")
    assert type(event_error(event)) is error


def test_an_error_event_that_says_nothing_is_a_failure_of_theirs() -> None:
    assert isinstance(event_error(RunEvent(event="error")), ServiceUnavailableError)


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        pytest.param(httpx.ConnectError("refused"), NotBegunError, "cannot be reached",
                     id="nobody listens"),
        pytest.param(httpx.ConnectTimeout(""), NotBegunError, "ConnectTimeout", id="no way there"),
        pytest.param(httpx.PoolTimeout(""), NotBegunError, "PoolTimeout", id="never sent"),
        pytest.param(httpx.Response(500, json={"code": "unknown"}), LostAnswerError, "unknown",
                     id="Dify's own 500, which may come after the run began"),
        pytest.param(httpx.Response(503, text="<h1>503</h1>"), LostAnswerError, "HTTP 503",
                     id="overloaded"),
        pytest.param(httpx.Response(408), LostAnswerError, "HTTP 408", id="given up by a proxy"),
        pytest.param(httpx.Response(499), LostAnswerError, "HTTP 499", id="hung up by a proxy"),
        pytest.param(httpx.Response(502, text="<h1>502</h1>"), LostAnswerError, "HTTP 502",
                     id="a proxy whose Dify hung up"),
        pytest.param(httpx.Response(504, text="<h1>504</h1>"), LostAnswerError, "HTTP 504",
                     id="a proxy that waited in vain"),
        pytest.param(httpx.Response(524, text="cloudflare"), LostAnswerError, "HTTP 524",
                     id="Cloudflare, which waited in vain"),
        pytest.param(httpx.Response(520, text="cloudflare"), LostAnswerError, "HTTP 520",
                     id="Cloudflare, which understood nothing"),
        pytest.param(httpx.ReadError("reset"), LostAnswerError, "reset", id="cut before an answer"),
        pytest.param(httpx.WriteError("reset"), LostAnswerError, "reset", id="cut in the request"),
        pytest.param(httpx.Response(200, html="<h1>Welcome</h1>"), LostAnswerError, "proxy",
                     id="a page of HTML"),
        pytest.param(httpx.Response(200, json={"task_id": "t"}), LostAnswerError, "no stream",
                     id="a blocking answer"),
        pytest.param(streamed(), LostAnswerError, "before its first event", id="an empty stream"),
        pytest.param(streamed(PING, PING), LostAnswerError, "before its first event",
                     id="pings and the end"),
        pytest.param(streamed(httpx.ReadError("reset")), LostAnswerError, "reset",
                     id="cut before the first event"),
        pytest.param(streamed(b"data: {\n\n"), LostAnswerError, "unreadable", id="half an event"),
        pytest.param(streamed(b"data: [1]\n\n"), LostAnswerError, "unreadable", id="a list"),
        pytest.param(streamed(b"data: null\n\n"), LostAnswerError, "unreadable", id="null"),
        pytest.param(streamed(b"data: {}\n\n"), LostAnswerError, "unreadable", id="no kind"),
    ],
)  # fmt: skip
async def test_a_run_that_has_not_begun_is_told_from_one_whose_answer_was_lost(
    response: httpx.Response | Exception, error: type[AdSparkError], message: str
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async with client(answer) as dify:
        with pytest.raises(ServiceUnavailableError, match=message) as caught:
            await run(dify)
    assert type(caught.value) is error


async def test_who_cannot_be_reached_is_known_before_an_answer_counts_as_lost() -> None:
    told: list[Json] = []

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(request.extensions["timeout"])
        return streamed(sse(FINISHED)) if request.method == "POST" else httpx.Response(200, json={})

    async with client(answer, timeout=30, first_event=30) as dify:
        await run(dify)
        await dify.form()
    assert all(0 < limits["connect"] + limits["pool"] < 30 for limits in told)
    assert [limits["read"] for limits in told] == [None, 30]


async def test_a_cut_after_the_first_event_is_neither_lost_nor_unbegun() -> None:
    async with client(streamed(sse(STARTED), httpx.ReadError("reset"))) as dify:
        events = dify.run({}, user="u1")
        assert (await anext(events)).event == "workflow_started"
        with pytest.raises(ServiceUnavailableError, match="cut off: reset") as caught:
            await anext(events)
    assert type(caught.value) is ServiceUnavailableError


def _cuts(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


ODD = "Élan – 夏 🌞\u2028new\u2029line\x85\x0b\x0c"
ODD_FINISHED = FINISHED | {
    "data": {"id": "r1", "status": "succeeded", "outputs": {"text": ODD}},
}
WHOLE = sse(STARTED) + PING + sse(NODE, ODD_FINISHED)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([WHOLE], id="all in one part"),
        pytest.param(_cuts(WHOLE, 1), id="byte by byte, within letters too"),
        pytest.param(_cuts(WHOLE, 7), id="cut anywhere"),
        pytest.param([sse(STARTED), PING, sse(NODE), sse(ODD_FINISHED)], id="event by event"),
        pytest.param(
            _cuts(sse(STARTED, NODE, ODD_FINISHED, ending="\r\n"), 5), id="CRLF, cut anywhere"
        ),
        pytest.param([b": hello\n\n" + PING + PING + WHOLE], id="comments and pings first"),
        pytest.param([WHOLE.replace(b"data: ", b"data:")], id="no space"),
    ],
)
async def test_events_are_the_same_however_they_arrive(parts: list[bytes]) -> None:
    async with client(streamed(*parts)) as dify:
        events = await run(dify)
    assert [one.event for one in events] == ["workflow_started", "node_started",
                                             "workflow_finished"]  # fmt: skip
    assert (events[0].workflow_run_id, events[0].task_id) == ("r1", "t1")
    assert events[1].text("title") == "LLM"
    assert parse_detail(events[2].data).outputs == {"text": ODD}


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (FINISHED, "the run is over"),
        (
            {"event": "workflow_paused", "workflow_run_id": "r1", "data": {}},
            "it waits for a person",
        ),
        ({"event": "error", "status": 400, "code": "x", "message": "y"}, "Dify says no more"),
    ],
)
@at_once
async def test_a_stream_ends_with_its_last_event_though_the_connection_stays(
    last: Json, reason: str
) -> None:
    response = streamed(sse(STARTED, last), sse(NODE), is_left_open=True)
    async with client(response) as dify:
        events = await run(dify)
    assert [one.event for one in events] == ["workflow_started", last["event"]], reason
    assert response.is_closed


ODD_OUTPUTS = [
    ('{"text": "x", "score": NaN}', {"text": "x", "score": "NaN"}),
    ('{"text": "x", "score": 1e999}', {"text": "x", "score": "1e999"}),
    ('{"text": "x\\u0000y\\ud800"}', {"text": "x\ufffdy\ufffd"}),
    (f'{{"text": "x", "n": {"9" * 5000}}}', {"text": "x", "n": "9" * 40}),
]


@pytest.mark.parametrize(("outputs", "stored"), ODD_OUTPUTS)
def test_an_odd_value_costs_nothing_else_of_a_finished_run(outputs: str, stored: Json) -> None:
    data = f'{{"status": "succeeded", "outputs": {outputs}}}'
    event = parse_event(f'{{"event": "workflow_finished", "data": {data}}}')
    assert event.data["outputs"] == stored
    run = {"id": "run-1", "status": "succeeded", "outputs": outputs}
    assert parse_detail(run).outputs == stored


def test_what_is_nested_without_end_is_cut_or_garbled_but_no_crash() -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    event = parse_event(f'{{"event": "workflow_finished", "data": {{"outputs": {deep}}}}}')
    assert "nested too deep" in str(event.data)
    with pytest.raises(ServiceUnavailableError):
        parse_event("[" * 100_000)


@at_once
async def test_a_stream_that_is_left_early_is_closed_at_once() -> None:
    response = streamed(sse(STARTED), is_left_open=True)
    async with client(response) as dify:
        events = dify.run({}, user="u1")
        assert (await anext(events)).event == "workflow_started"
        await events.aclose()
        assert response.is_closed


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"event": "agent_thought_of_tomorrow", "new": [1]}, id="an unknown kind"),
        pytest.param({"event": "text_chunk", "data": None, "task_id": None}, id="nulls"),
        pytest.param({"event": "tts_message", "audio": "x", "data": {}}, id="no run named"),
    ],
)
async def test_events_that_nobody_knows_are_let_through(event: Json) -> None:
    assert await names(streamed(sse(STARTED, event, FINISHED))) == [
        "workflow_started", event["event"], "workflow_finished",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "error", "after"),
    [
        pytest.param([1e6], LostAnswerError, 30, id="no event at all"),
        pytest.param([10.0, PING] * 9, LostAnswerError, 30, id="pings do not prolong the first"),
        pytest.param([PING, 29.0, sse(STARTED), 1e6], ServiceUnavailableError, 89,
                     id="silence after the first"),
        pytest.param([sse(STARTED), *([10.0, PING] * 20), 1e6], ServiceUnavailableError, 260,
                     id="pings are a sign of life after the first"),
        pytest.param([sse(STARTED), 59.0, sse(NODE), 59.0, sse(NODE), 1e6],
                     ServiceUnavailableError, 178, id="so are events"),
    ],
)  # fmt: skip
@at_once
async def test_patience_ends(
    parts: Sequence[Part], error: type[AdSparkError], after: float
) -> None:
    began = asyncio.get_running_loop().time()
    async with client(streamed(*parts), first_event=30, silence=60) as dify:
        with pytest.raises(ServiceUnavailableError, match="said nothing for") as caught:
            await run(dify)
    assert type(caught.value) is error
    assert asyncio.get_running_loop().time() - began == pytest.approx(after, abs=1)


@at_once
async def test_the_time_until_the_headers_counts_for_the_first_event() -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(20)
        return streamed(20.0, sse(STARTED), sse(FINISHED))

    began = asyncio.get_running_loop().time()
    transport = httpx.MockTransport(answer)
    async with DifyClient(SecretStr(KEY), first_event=30, transport=transport) as dify:
        with pytest.raises(LostAnswerError, match="said nothing for 30 s"):
            await run(dify)
    assert asyncio.get_running_loop().time() - began == pytest.approx(30, abs=1)


@at_once
async def test_an_answer_that_never_ends_is_given_up() -> None:
    body = Stream(*(5.0 for _ in range(100)))
    async with client(httpx.Response(200, stream=body), timeout=30) as dify:
        with pytest.raises(ServiceUnavailableError, match="said nothing for 30 s"):
            await dify.form()


async def _every_call(dify: DifyClient) -> None:
    await dify.form()
    await dify.upload(b"x", name="a.png", media_type="image/png", user="u1")
    await run(dify)
    _ = [event async for event in dify.events("r1", user="u1")]
    await dify.detail("r1")
    await dify.find_runs("u1")
    await dify.stop("t1", user="u1")


def _anything(request: httpx.Request) -> httpx.Response:
    """An answer for every call."""
    if request.url.path.endswith(("/workflows/run", "/pinned/run", "/events")):
        return streamed(sse(FINISHED))
    return httpx.Response(200, json={"id": "r1", "status": "running", "data": []})


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("https://api.dify.ai/v1", "https://api.dify.ai/v1/"),
        ("https://api.dify.ai/v1/", "https://api.dify.ai/v1/"),
        ("http://dify.local:8080/tools/dify/v1", "http://dify.local:8080/tools/dify/v1/"),
        ("http://10.0.0.7", "http://10.0.0.7/"),
    ],
)
async def test_every_call_goes_below_the_base_address_with_the_key(address: str, root: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return _anything(request)

    async with client(answer, base_url=address) as dify:
        await _every_call(dify)
    assert [f"{one.method} {str(one.url).removeprefix(root)}" for one in asked] == [
        "GET parameters",
        "POST files/upload",
        "POST workflows/run",
        "GET workflow/r1/events?user=u1&include_state_snapshot=true",
        "GET workflows/run/r1",
        "GET workflows/logs?created_by_end_user_session_id=u1&limit=100&page=1",
        "POST workflows/tasks/t1/stop",
    ]
    assert {one.headers["authorization"] for one in asked} == {f"Bearer {KEY}"}


async def test_a_run_is_streamed_and_belongs_to_its_user() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return streamed(sse(FINISHED))

    async with client(answer, workflow_id="pinned") as dify:
        await run(dify)
    assert asked[0].url.path == "/v1/workflows/pinned/run"
    assert json.loads(asked[0].content) == {
        "inputs": {"prompt": "Hi"}, "response_mode": "streaming", "user": "u1",
    }  # fmt: skip


async def test_neither_messages_nor_logs_carry_the_key(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    async with client(_anything) as dify:
        await _every_call(dify)
        assert KEY not in repr(vars(dify))
    async with DifyClient(SecretStr(KEY), base_url="http://127.0.0.1:9/v1") as dify:
        with pytest.raises(NotBegunError) as caught:
            await run(dify)
    assert "workflows/run" in caplog.text  # httpx logs requests, httpcore connections
    assert KEY not in caplog.text + repr(caught.value)


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(InvalidCredentialsError, match="ADSPARK_DIFY_KEY"):
        DifyClient(SecretStr(key))


@pytest.mark.parametrize("key", ["app-s3cr3t\nX-More: 1", "app-s3cr3t é", "app s3cr3t", "a\x00b"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(InvalidCredentialsError, match="ADSPARK_DIFY_KEY") as caught:
        DifyClient(SecretStr(key))
    assert "s3cr3t" not in repr(caught.value)


@pytest.mark.parametrize(
    "address", ["api.dify.ai/v1", "ftp://dify", "http://", "", "http://dify:x/v1"]
)
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ConfigurationError, match="ADSPARK_DIFY_URL"):
        DifyClient(SecretStr(KEY), base_url=address)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://api.dify.ai/v1", "api.dify.ai:443"),
        ("http://dify/v1", "dify:80"),
        ("http://127.0.0.1:5001/v1", "127.0.0.1:5001"),
    ],
)
async def test_the_host_is_named_with_its_port(address: str, host: str) -> None:
    async with client(_anything, base_url=address) as dify:
        assert dify.host == host


async def test_an_address_that_has_moved_says_where_to() -> None:
    moved = httpx.Response(301, headers={"location": "https://dify.example/v1/parameters"})
    async with client(moved) as dify:
        with pytest.raises(ConfigurationError, match=r"ADSPARK_DIFY_URL.*https://dify\.example"):
            await dify.form()
        with pytest.raises(ConfigurationError, match="ADSPARK_DIFY_URL"):
            await run(dify)


async def test_an_upload_is_a_form_with_name_kind_and_user() -> None:
    asked: list[httpx.Request] = []
    signed = "/files/f1/file-preview?sign=x"

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json={"id": "f1", "source_url": signed, "size": 3})

    async with client(answer) as dify:
        file = await dify.upload(b"PNG", name="CR1.png", media_type="image/png", user="u1")
    assert (file.id, file.source_url) == ("f1", signed)
    sent = asked[0].content
    assert b'name="file"; filename="CR1.png"\r\nContent-Type: image/png\r\n\r\nPNG\r\n' in sent
    assert b'name="user"\r\n\r\nu1\r\n' in sent


@pytest.mark.parametrize(
    ("call", "response"),
    [
        pytest.param(lambda dify: dify.upload(b"", name="a", media_type="b", user="u"), {},
                     id="an upload without a file"),
        pytest.param(lambda dify: dify.upload(b"", name="a", media_type="b", user="u"),
                     {"id": "f1", "source_url": 7}, id="an address that is a number"),
        pytest.param(lambda dify: dify.detail("r1"), {"status": "running"}, id="a run without id"),
        pytest.param(lambda dify: dify.detail("r1"),
                     {"id": "r1", "status": "succeeded", "outputs": "{cut"}, id="garbled outputs"),
        pytest.param(lambda dify: dify.form(), "<h1>Welcome</h1>", id="HTML"),
        pytest.param(lambda dify: dify.form(), [1, 2], id="JSON that is no object"),
        pytest.param(lambda dify: dify.form(), '{"user_input', id="cut JSON"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_a_temporary_failure(
    call: Callable[[DifyClient], Awaitable[object]],
    response: Any,  # noqa: ANN401
) -> None:
    text = response if isinstance(response, str) else json.dumps(response)
    async with client(httpx.Response(200, text=text)) as dify:
        with pytest.raises(ServiceUnavailableError):
            await call(dify)


def _form(*fields: Json) -> AppForm:
    return parse_form({"user_input_form": list(fields)})


@pytest.mark.parametrize(
    ("kind", "takes_files"),
    [
        ("text-input", False),
        ("paragraph", False),
        ("number", False),
        ("select", False),
        ("checkbox", False),
        ("file", True),
        ("file-list", True),
    ],
)
def test_a_form_names_every_kind_of_input(kind: str, takes_files: bool) -> None:
    form = _form({kind: {"variable": "v", "label": "V", "required": True, "type": kind}})
    (field,) = form.fields
    assert (field.kind, field.variable, field.required) == (kind, "v", True)
    assert field.takes_files is takes_files
    assert form.field("v") == field
    assert form.field("w") is None


@pytest.mark.parametrize(
    ("told", "bound"),
    [(48, 48), (256, 256), (0, None), (None, None), (-1, None), ("48", None), (..., None)],
)
def test_a_length_of_nothing_is_no_bound(told: object, bound: int | None) -> None:
    values = {"variable": "v"} | ({} if told is ... else {"max_length": told})
    assert _form({"text-input": values}).fields[0].max_length == bound


@pytest.mark.parametrize(
    ("body", "variables"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"user_input_form": None}, [], id="null"),
        pytest.param({"user_input_form": ["x", {"text-input": None}, {"file": {}}]}, [], id="odd"),
        pytest.param(
            {"user_input_form": [{"select": {"variable": "a", "options": ["x", 1]}}]}, ["a"],
            id="options that are numbers",
        ),
    ],
)  # fmt: skip
def test_a_form_of_any_shape_is_read(body: Json, variables: list[str]) -> None:
    assert [field.variable for field in parse_form(body).fields] == variables


def test_a_form_names_the_options_of_an_input() -> None:
    select = {"select": {"variable": "style", "options": ["summer", "winter"], "required": False}}
    assert _form(select).fields[0].options == ("summer", "winter")


def _row(run_id: str | None, user: str | None) -> Json:
    return {
        "workflow_run": {"id": run_id} if run_id else None,
        "created_by_end_user": {"session_id": user} if user else None,
    }


@pytest.mark.parametrize(
    ("pages", "found", "asked"),
    [
        pytest.param([[_row("r2", "u1"), _row("r1", "u1")]], ["r2", "r1"], 1, id="newest first"),
        pytest.param([[]], [], 1, id="none"),
        pytest.param([[_row("r9", "other"), _row("r1", "u1"), _row("r8", None)]], ["r1"], 1,
                     id="an older Dify lists everybody's"),
        pytest.param([[_row("r9", "other")], [_row("r8", "other")], [_row("r1", "u1")]], ["r1"], 3,
                     id="so that one's own is on a later page"),
        pytest.param([[_row("r9", "other")], [_row("r8", "other")]], [], 2, id="or on none"),
        pytest.param([[_row("r9", "other")], []], [], 2, id="an empty page is the end"),
        pytest.param([[_row(None, "u1"), {}, {"workflow_run": {"id": 7}}]], [], 1, id="odd rows"),
    ],
)  # fmt: skip
async def test_the_runs_of_a_user_are_found_in_the_log(
    pages: list[list[Json]], found: list[str], asked: int
) -> None:
    given: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(request.url.params["page"])
        page = len(given)
        has_more = page < len(pages)
        return httpx.Response(
            200, json={"page": page, "data": pages[page - 1], "has_more": has_more}
        )

    async with client(answer) as dify:
        assert await dify.find_runs("u1") == found
    assert given == [str(page) for page in range(1, asked + 1)]


async def test_odd_rows_are_no_runs() -> None:
    async with client(httpx.Response(200, json={"data": [1, None, "x"]})) as dify:
        assert await dify.find_runs("u1") == []


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "x"}])
async def test_what_is_no_log_proves_nothing(body: Json) -> None:
    async with client(httpx.Response(200, json=body)) as dify:
        with pytest.raises(ServiceUnavailableError, match="lists no runs"):
            await dify.find_runs("u1")


@pytest.mark.parametrize("is_bounded", [True, False])
async def test_a_log_of_everybodys_runs_is_read_as_far_as_the_run_may_be(is_bounded: bool) -> None:
    """An older Dify does not know the filter."""
    asked_at = datetime(2026, 8, 12, 12, tzinfo=UTC)
    given: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(request.url.params["page"])
        listed_at = int(asked_at.timestamp()) - 1800 * len(given)
        row = _row("r9", "other") | {"created_at": listed_at}
        return httpx.Response(200, json={"data": [row], "has_more": True})

    async with client(answer) as dify:
        if is_bounded:  # to an hour before, for clocks differ
            assert await dify.find_runs("u1", since=asked_at) == []
            assert len(given) == 3
        else:
            with pytest.raises(ServiceUnavailableError, match="does not reach back"):
                await dify.find_runs("u1")
            assert len(given) == 20


def _times(began: int, ended: int | None, listed: int | None, status: str = "succeeded") -> Json:
    run = {"id": "r", "status": status, "created_at": began, "finished_at": ended}
    return {"workflow_run": run, "created_by_end_user": None, "created_at": listed}


@pytest.mark.parametrize(
    ("rows", "is_late"),
    [
        pytest.param([], False, id="nothing was listed yet: taken for a new Dify"),
        pytest.param([_times(100, 160, 160)], True, id="when it ended"),
        pytest.param([_times(100, 160, 100)], False, id="when it began"),
        pytest.param([_times(100, 101, 101), _times(100, 160, 160)], True,
                     id="a short run does not tell"),
        pytest.param([_times(100, None, 100, "running"), _times(10, 60, 60)], False,
                     id="a run that is under way, since an upgrade"),
        pytest.param([_times(100, None, None), _times(10, 60, None)], False, id="no times"),
    ],
)  # fmt: skip
async def test_whether_runs_are_listed_before_they_end_is_read_from_the_log(
    rows: list[Json], is_late: bool
) -> None:
    async with client(httpx.Response(200, json={"data": rows})) as dify:
        assert await dify.lists_late() is is_late


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        ("scheduled", False),
        ("running", False),
        ("paused", False),
        ("succeeded", True),
        ("partial-succeeded", True),
        ("failed", True),
        ("stopped", True),
    ],
)
async def test_a_run_tells_how_far_it_is(status: str, is_final: bool) -> None:
    told = {"id": "r1", "status": status, "outputs": None, "files": None, "inputs": "{}"}
    async with client(httpx.Response(200, json=told)) as dify:
        detail = await dify.detail("r1")
    assert detail.status is RunStatus(status)
    assert detail.is_over is is_final
    assert (detail.outputs, detail.files) == (None, [])


async def test_an_unknown_status_is_kept_as_it_is() -> None:
    async with client(httpx.Response(200, json={"id": "r1", "status": "dreaming"})) as dify:
        detail = await dify.detail("r1")
    assert (detail.status, detail.is_known, detail.is_over) == ("dreaming", False, False)
    assert detail.model_copy(update={"outputs": {"text": "Hello"}}).is_over


async def test_figures_that_are_none_do_not_lose_the_outputs() -> None:
    told = {"id": "r1", "status": "succeeded", "outputs": {"text": "Hello"}}
    odd = {"elapsed_time": "soon", "total_tokens": -0.5, "files": 7, "error": {"a": 1}}
    async with client(httpx.Response(200, json=told | odd)) as dify:
        assert (await dify.detail("r1")).outputs == {"text": "Hello"}


async def test_outputs_that_are_json_in_a_text_are_read() -> None:
    told = {"id": "r1", "status": "succeeded", "outputs": '{"text": "Hello"}'}
    async with client(httpx.Response(200, json=told)) as dify:
        assert (await dify.detail("r1")).outputs == {"text": "Hello"}


async def test_a_stop_names_the_task_and_the_user() -> None:
    asked: list[Json] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json={"result": "success"})

    async with client(answer) as dify:
        await dify.stop("t1", user="u1")
    assert asked == [{"user": "u1"}]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(b"404 page not found\n", id="a proxy"),
        pytest.param(b'{"message": "no Route matched with those values"}', id="a gateway"),
        pytest.param(b'{"code": 404, "message": "Not found.", "status": 404}', id="somebody else"),
        pytest.param(b"", id="nobody"),
    ],
)
async def test_not_found_in_other_words_than_difys_says_nothing_of_a_run(told: bytes) -> None:
    async with client(httpx.Response(404, content=told)) as dify:
        for look in (
            dify.detail("r1"), anext(dify.events("r1", user="u1")), dify.find_runs("u1"),
            dify.stop("t1", user="u1"),
        ):  # fmt: skip
            with pytest.raises(ServiceUnavailableError, match="proxy cannot find it"):
                await look
        with pytest.raises(ServiceRefusedError):  # as at a wrong address
            await dify.form()


async def test_the_events_of_an_unknown_run_are_refused() -> None:
    told = {"code": "not_found", "message": "Workflow run not found.", "status": 404}
    async with client(httpx.Response(404, json=told)) as dify:
        with pytest.raises(PermanentError, match="not_found"):
            await anext(dify.events("r1", user="other"))
