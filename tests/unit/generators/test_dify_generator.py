"""A Dify workflow as a generator: what it is given, what it gives, and that it is paid once."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    GenerationFailedError,
    InvalidCredentialsError,
    InvalidQueryError,
    PostponedError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UnknownVariantError,
    UnusableContentError,
)
from adspark.generators.base import Generated, GenerationRequest, Picture, RemoteRun
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.errors import NotBegunError, RunFailedError
from adspark.generators.dify.generator import DifyGenerator
from adspark.generators.dify.inputs import WorkflowMapping
from tests.support.dify_stream import FINISHED, NODE, PING, STARTED, Part, sse, streamed
from tests.support.jumping_clock import at_once

ROOT = "https://dify.example"
SIGNED = "/files/f1/file-preview?timestamp=1&sign=x%3D"
COPY = "Summer is on. Shop now!"
PNG = "https://cdn.example/ad.png"
OUTPUTS = {"text": COPY, "json": [{"result": PNG}]}
WAITING: tuple[Part, ...] = (PING, 10.0) * 1000
Json = dict[str, Any]
Answer = httpx.Response | Exception

REQUEST = GenerationRequest(
    key="variant-7-1",
    prompt="Make it a summer ad",
    original=Picture(b"PNG", "image/png", "CR1.png"),
    original_copy="Winter is on. Shop now!",
)
REMOTE_RUN = RemoteRun("r1", "t1")
CUT = httpx.ReadError("reset")
PROXYS_404 = httpx.Response(404, text="404 page not found\n")
FAILED_EVENT = {
    "event": "error", "status": 400, "code": "invalid_param", "message": "url is required",
}  # fmt: skip


def ago(seconds: float) -> datetime:
    """A time in the past."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


def not_found() -> httpx.Response:
    """Dify knows no such run."""
    told = {"code": "not_found", "message": "Workflow run not found.", "status": 404}
    return httpx.Response(404, json=told)


def end(status: str = "succeeded", outputs: Json | None = None, error: str | None = None) -> Json:
    """The last event of a run."""
    data = {"id": "r1", "workflow_id": "w1", "status": status, "outputs": outputs, "error": error}
    return FINISHED | {"data": data}


@dataclass
class Dify:
    """A Dify with one workflow, which keeps its runs and what it was asked.

    Attributes:
        fields: of the app's form: kind, name, and what else there is to say.
        starts: the answers to new runs, in turn; then each run succeeds.
        attaches: the answers to who comes back to a run, in turn; then what is true of it.
        logs: the answers of the log, in turn; then what is true.
        details: the answers on a run, in turn; then what is true.
        runs: by id, as `GET /workflows/run/{id}` gives them.
        listed: the ids that the log shows, newest first.
        ended_before: other people's runs in the log: begun, ended, listed, in epoch seconds.
        told: what happened, in order.
    """

    fields: list[tuple[str, str, Json]] = field(
        default_factory=lambda: [("paragraph", "prompt", {}), ("text-input", "url", {})]
    )
    source_url: str | None = SIGNED
    starts: list[Answer] = field(default_factory=list)
    attaches: list[Answer] = field(default_factory=list)
    logs: list[Answer] = field(default_factory=list)
    details: list[Answer] = field(default_factory=list)
    runs: dict[str, Json] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    ended_before: list[tuple[int, int, int]] = field(default_factory=list)
    uploads: list[bytes] = field(default_factory=list)
    inputs: list[Json] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def put(self, status: str, outputs: Json | None = None, error: str | None = None) -> None:
        """The state of the run r1."""
        self.runs["r1"] = end(status, outputs, error)["data"]

    def succeed(self) -> None:
        """The run r1 ends well."""
        self.put("succeeded", OUTPUTS)

    def count(self, what: str) -> int:
        """How often something happened."""
        return self.told.count(what)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/")
        self.told.append(f"{request.method} {path}")
        given = self._answer(request.method, path, request)
        if isinstance(given, Exception):
            raise given
        return given

    def _answer(self, method: str, path: str, request: httpx.Request) -> Answer:
        match path.split("/"):
            case ["parameters"]:
                form = [{kind: {"variable": name, **more}} for kind, name, more in self.fields]
                return httpx.Response(200, json={"user_input_form": form})
            case ["files", "upload"]:
                self.uploads.append(request.content)
                return httpx.Response(201, json={"id": "f1", "source_url": self.source_url})
            case ["workflows", "run"]:
                return self._start(json.loads(request.content))
            case ["workflows", "logs"]:
                return self._log() if not self.logs else self.logs.pop(0)
            case ["workflows", "run", run_id]:
                known = self.runs.get(run_id)
                found = httpx.Response(200, json=known) if known else not_found()
                return self.details.pop(0) if self.details else found
            case ["workflows", "tasks", _, "stop"]:
                self.put("stopped")
                return httpx.Response(200, json={"result": "success"})
            case _:
                return self._attach()

    def _start(self, body: Json) -> Answer:
        assert body["user"] == REQUEST.key
        self.inputs.append(body["inputs"])
        if self.starts:
            return self.starts.pop(0)
        self.succeed()
        return streamed(sse(STARTED, NODE, end("succeeded", OUTPUTS)))

    def _attach(self) -> Answer:
        if self.attaches:
            return self.attaches.pop(0)
        if self.runs["r1"]["status"] != "running":
            return streamed(sse(FINISHED | {"data": self.runs["r1"]}))
        return streamed(sse(STARTED), *WAITING)

    def _log(self) -> httpx.Response:
        owner = {"session_id": REQUEST.key}
        rows: list[Json] = [
            {"workflow_run": {"id": one}, "created_by_end_user": owner} for one in self.listed
        ]
        for began, ended, listed in self.ended_before:
            run = {"id": "r0", "status": "succeeded", "created_at": began, "finished_at": ended}
            rows.append({"workflow_run": run, "created_at": listed})
        return httpx.Response(200, json={"data": rows, "has_more": False})

    def generator(
        self,
        mapping: WorkflowMapping | None = None,
        *,
        run_limit: float = 1500,
        lost_after: float = 1200,
    ) -> DifyGenerator:
        """A generator over this workflow; a transport of this kind has nothing to be closed."""
        client = DifyClient(
            SecretStr("app-s3cr3t"),
            base_url=f"{ROOT}/v1",
            transport=httpx.MockTransport(self.answer),
        )
        return DifyGenerator(
            client, mapping or WorkflowMapping(), run_limit=run_limit, lost_after=lost_after
        )


class Notes:
    """An observer that writes between what Dify is asked."""

    def __init__(self, dify: Dify, *, turn_after: float = 0, is_cancelled: bool = False) -> None:
        self._told = dify.told
        self._turn_after = turn_after
        self._is_cancelled = is_cancelled
        self.steps: list[tuple[float, str]] = []

    async def on_submit(self) -> datetime:
        await asyncio.sleep(self._turn_after)
        self._told.append("submitted")
        return datetime.now(UTC)

    async def on_refused(self) -> None:
        self._told.append("refused")

    async def on_accepted(self, remote_run: RemoteRun) -> None:
        self._told.append(f"accepted {remote_run.run_id} {remote_run.task_id}")
        if self._is_cancelled:
            raise UnknownVariantError("Variant 7 is cancelled.")

    async def on_progress(self, done: float, doing: str) -> None:
        self.steps.append((done, doing))


async def generate(
    dify: Dify,
    request: GenerationRequest = REQUEST,
    notes: Notes | None = None,
    **limits: float,
) -> Generated:
    """What a request gives."""
    return await dify.generator(None, **limits).generate(request, notes or Notes(dify))


async def fails(
    dify: Dify,
    error: type[AdSparkError],
    message: str,
    request: GenerationRequest = REQUEST,
    notes: Notes | None = None,
    **limits: float,
) -> None:
    """A request ends with just this error."""
    with pytest.raises(AdSparkError, match=message) as caught:
        await generate(dify, request, notes, **limits)
    assert type(caught.value) is error


ASK = "POST workflows/run"
LOG = "GET workflows/logs"
STOP = "POST workflows/tasks/t1/stop"
FILE = {"type": "image", "transfer_method": "local_file", "upload_file_id": "f1"}


# What the workflow is given


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text-input", f"{ROOT}{SIGNED}"),
        ("paragraph", f"{ROOT}{SIGNED}"),
        ("file", FILE),
        ("file-list", [FILE]),
    ],
)
async def test_the_picture_goes_in_as_the_form_wants_it(kind: str, given: object) -> None:
    dify = Dify(fields=[("paragraph", "prompt", {}), (kind, "url", {"required": True})])
    await generate(dify)
    assert dify.inputs == [{"prompt": "Make it a summer ad", "url": given}]
    (upload,) = dify.uploads
    assert b'filename="CR1.png"\r\nContent-Type: image/png\r\n\r\nPNG\r\n' in upload
    assert b'name="user"\r\n\r\nvariant-7-1\r\n' in upload


async def test_an_address_that_is_whole_stays_so() -> None:
    dify = Dify(source_url="https://files.example/f1?sign=x")
    await generate(dify)
    assert dify.inputs[0]["url"] == "https://files.example/f1?sign=x"


@pytest.mark.parametrize(
    ("bound", "words"),
    [(None, "Winter is on. Shop now!"), (12, "Winter is on"), (0, "Winter is on. Shop now!")],
)
async def test_the_originals_words_go_in_where_they_are_wanted(
    bound: int | None, words: str
) -> None:
    dify = Dify()
    dify.fields.append(("paragraph", "copy", {"required": True, "max_length": bound}))
    generator = dify.generator(WorkflowMapping(original_copy_input="copy"))
    await generator.check(REQUEST.prompt)
    await generator.generate(REQUEST, Notes(dify))
    assert dify.inputs[0]["copy"] == words


@pytest.mark.parametrize(
    ("kind", "form", "rules", "given"),
    [
        ("paragraph", {}, "Never write: free", "Never write: free"),
        ("text-input", {"max_length": 12}, "Never write: free", "Never write…"),
        ("paragraph", {"required": True}, None, "No rules."),
        ("paragraph", {"max_length": 0}, "word " * 2000, f"{'word ' * 799}word…"),
        ("file", {}, "Never write: free", None),
        (None, {}, "Never write: free", None),
    ],
    ids=["whole", "cut between words", "none, required", "bounded", "no text", "no such input"],
)
async def test_brand_rules_go_in_where_the_workflow_has_an_input_for_them(
    kind: str | None, form: Json, rules: str | None, given: str | None
) -> None:
    dify = Dify()
    if kind:
        dify.fields.append((kind, "rules", form))
    await dify.generator().check(REQUEST.prompt)
    await dify.generator().generate(replace(REQUEST, rules=rules), Notes(dify))
    assert dify.inputs[0].get("rules") == given


async def test_inputs_of_other_names_are_filled() -> None:
    dify = Dify(fields=[("paragraph", "wish", {}), ("file", "banner", {})])
    generator = dify.generator(WorkflowMapping(prompt_input="wish", picture_input="banner"))
    await generator.check(REQUEST.prompt)
    await generator.generate(REQUEST, Notes(dify))
    assert dify.inputs == [{"wish": "Make it a summer ad", "banner": FILE}]


PROMPT: tuple[str, str, Json] = ("text-input", "prompt", {"max_length": 48, "required": True})
URL: tuple[str, str, Json] = ("text-input", "url", {"required": True})


@pytest.mark.parametrize(
    ("fields", "prompt", "error", "message"),
    [
        pytest.param([PROMPT, URL], "x" * 49, InvalidQueryError,
                     "prompt: 49 characters; .*'prompt' takes at most 48", id="too long"),
        pytest.param([("select", "prompt", {"options": ["summer", "winter"]}), URL], "autumn",
                     InvalidQueryError, "takes only: summer, winter", id="no such choice"),
        pytest.param([URL], "x", ConfigurationError, r"no input 'prompt' \(it has: url\)",
                     id="no prompt"),
        pytest.param([PROMPT], "x", ConfigurationError, "no input 'url'", id="no picture"),
        pytest.param([], "x", ConfigurationError, r"\(it has: none\)", id="no inputs at all"),
        pytest.param([PROMPT, URL, ("text-input", "brand", {"required": True})], "x",
                     ConfigurationError, "requires the input 'brand'", id="more is required"),
    ],
)  # fmt: skip
async def test_what_dify_would_refuse_is_refused_before_anything_is_sent(
    fields: list[tuple[str, str, Json]], prompt: str, error: type[AdSparkError], message: str
) -> None:
    dify = Dify(fields=fields)
    with pytest.raises(error, match=message):
        await dify.generator().check(prompt)
    assert dify.told == ["GET parameters"]


@pytest.mark.parametrize(
    ("fields", "prompt"),
    [
        ([PROMPT, URL], "x" * 48),
        ([("text-input", "prompt", {"max_length": 0}), URL], "x" * 5000),
        ([("paragraph", "prompt", {"max_length": None}), URL], "x" * 5000),
        ([("select", "prompt", {"options": ["summer"]}), URL], "summer"),
        ([PROMPT, URL, ("text-input", "brand", {"required": False})], "x"),
    ],
)
async def test_what_fits_is_let_through(fields: list[tuple[str, str, Json]], prompt: str) -> None:
    await Dify(fields=fields).generator().check(prompt)


@pytest.mark.parametrize(
    ("fields", "source_url", "mapping", "message"),
    [
        pytest.param([PROMPT, ("text-input", "url", {"max_length": 48})], SIGNED,
                     WorkflowMapping(), "'url' takes at most 48 characters", id="a long address"),
        pytest.param([PROMPT, URL], None, WorkflowMapping(), "gives uploads no address",
                     id="an older Dify"),
        pytest.param([PROMPT, URL, ("paragraph", "copy", {"required": True})], SIGNED,
                     WorkflowMapping(original_copy_input="copy"), "requires the input 'copy'",
                     id="words that are not known"),
    ],
)  # fmt: skip
async def test_what_only_shows_with_the_picture_is_refused_before_it_is_asked(
    fields: list[tuple[str, str, Json]],
    source_url: str | None,
    mapping: WorkflowMapping,
    message: str,
) -> None:
    dify = Dify(fields=fields, source_url=source_url)
    request = replace(REQUEST, original_copy=None)
    with pytest.raises(ConfigurationError, match=message):
        await dify.generator(mapping).generate(request, Notes(dify))
    assert "submitted" not in dify.told
    assert dify.inputs == []


@pytest.mark.parametrize(
    ("longest", "source_url", "given"),
    [
        (None, None, "https://ads.example/1.png"),
        (40, SIGNED, "https://ads.example/1.png"),
        (None, SIGNED, f"{ROOT}{SIGNED}"),
    ],
    ids=["an older Dify", "its address is too long", "Dify's own comes first"],
)
async def test_an_ads_own_address_goes_in_where_the_uploads_cannot(
    longest: int | None, source_url: str | None, given: str
) -> None:
    dify = Dify(fields=[PROMPT, ("text-input", "url", {"max_length": longest})])
    dify.source_url = source_url
    picture = replace(REQUEST.original, address="https://ads.example/1.png")
    request = replace(REQUEST, original=picture)
    await dify.generator().generate(request, Notes(dify))
    assert dify.inputs[0]["url"] == given


# The usual way


async def test_each_step_is_noted_before_the_next() -> None:
    dify = Dify()
    notes = Notes(dify)
    node_done = NODE | {"event": "node_finished"}
    dify.starts = [
        streamed(PING, sse(STARTED), lambda: dify.told.append("more"),
                 sse(NODE, node_done, NODE, end("succeeded", OUTPUTS))),
    ]  # fmt: skip
    made = await generate(dify, notes=notes)
    assert dify.told == [
        "GET parameters", "POST files/upload", "submitted", ASK, "accepted r1 t1", "more",
    ]  # fmt: skip
    assert (made.text, made.picture) == (COPY, PNG)
    assert made.metadata["workflow_run_id"] == "r1"
    assert made.metadata["outputs"] == ["json", "text"]
    shares = [share for share, _ in notes.steps]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] < 1
    assert {doing for _, doing in notes.steps} == {"LLM"}


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("/files/tools/1.png?sign=x", f"{ROOT}/files/tools/1.png?sign=x"),
        ("https://cdn.example/1.png", "https://cdn.example/1.png"),
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="),
        ("https://dify:port/1.png", "https://dify:port/1.png"),
    ],
)
async def test_the_pictures_address_is_whole(told: str, address: str) -> None:
    dify = Dify()
    dify.starts = [streamed(sse(STARTED, end("succeeded", {"text": COPY, "json": told})))]
    assert (await generate(dify)).picture == address


@pytest.mark.parametrize("is_first", [True, False], ids=["a new run", "a run gone back to"])
@at_once
async def test_the_end_of_another_run_in_the_stream_is_not_this_runs(is_first: bool) -> None:
    data = {"id": "r9", "status": "succeeded", "outputs": {"text": "Somebody else's"}}
    parts = sse(FINISHED | {"workflow_run_id": "r9", "data": data}, end("succeeded", OUTPUTS))
    dify = Dify()
    dify.put("running")
    dify.starts = [streamed(sse(STARTED), parts if is_first else CUT)]
    dify.attaches = [streamed(parts)]
    assert (await generate(dify)).text == COPY
    assert dify.count("GET workflow/r1/events") == int(not is_first)


async def test_a_workflow_that_went_round_a_failed_node_is_done() -> None:
    dify = Dify()
    dify.starts = [streamed(sse(STARTED, end("partial-succeeded", {"text": COPY})))]
    made = await generate(dify)
    assert (made.text, made.picture) == (COPY, None)
    assert made.metadata["status"] == "partial-succeeded"


@pytest.mark.parametrize(
    ("last", "error", "message"),
    [
        pytest.param(end("failed", error="Model is overloaded"), GenerationFailedError,
                     "run failed: Model is overloaded", id="Dify's words"),
        pytest.param(end("failed"), GenerationFailedError, "failed: it gives no reason",
                     id="no words"),
        pytest.param(end("stopped", error="Stopped by Ann"), GenerationFailedError,
                     "run stopped: Stopped by Ann", id="somebody stopped it"),
        pytest.param(end("succeeded", {"answer": 42}), ConfigurationError,
                     r"outputs \('answer'\)", id="outputs that fit nowhere"),
        pytest.param(end("succeeded"), ConfigurationError, r"outputs \(none\)", id="no outputs"),
    ],
)  # fmt: skip
async def test_a_run_that_gives_nothing_says_why_and_stays_begun(
    last: Json, error: type[AdSparkError], message: str
) -> None:
    dify = Dify(starts=[streamed(sse(STARTED, last))])
    await fails(dify, error, message)
    assert "refused" not in dify.told


@at_once
async def test_a_workflow_that_waits_for_a_person_fails_and_says_so() -> None:
    dify = Dify()
    paused = {"event": "workflow_paused", "workflow_run_id": "r1", "task_id": "t1", "data": {}}
    dify.starts = [streamed(sse(STARTED, paused))]
    dify.put("paused")
    await fails(dify, GenerationFailedError, "waits for a person's input")
    assert "refused" not in dify.told


# What has not begun


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.ConnectError("refused"), NotBegunError, id="nobody listens"),
        pytest.param(httpx.Response(500, json={"code": "x"}), NotBegunError, id="their failure"),
        pytest.param(httpx.Response(503), NotBegunError, id="overloaded"),
        pytest.param(httpx.Response(429, json={"code": "too_many_requests"}), RateLimitedError,
                     id="too many at once"),
        pytest.param(httpx.Response(429, json={"code": "rate_limit_error"}), QuotaExhaustedError,
                     id="the plan's quota"),
        pytest.param(httpx.Response(400, json={"code": "invalid_param"}), ServiceRefusedError,
                     id="an input"),
        pytest.param(httpx.Response(401), InvalidCredentialsError, id="the key"),
        pytest.param(httpx.Response(403), ConfigurationError, id="the plan"),
        pytest.param(streamed(sse(FAILED_EVENT)), ServiceRefusedError, id="an error event"),
        pytest.param(streamed(sse(FAILED_EVENT | {"status": 429, "code": "too_many_requests"})),
                     RateLimitedError, id="too many at once, told in the stream"),
        pytest.param(streamed(sse(FAILED_EVENT | {"status": 500, "code": "internal"})),
                     NotBegunError, id="their failure, told in the stream"),
    ],
)  # fmt: skip
@at_once
async def test_a_refusal_is_told_as_not_begun(answer: Answer, error: type[AdSparkError]) -> None:
    dify = Dify(starts=[answer])
    await fails(dify, error, "Dify")
    assert [one for one in dify.told if one != LOG][-3:] == ["submitted", ASK, "refused"]


FAILURES = [
    pytest.param(lambda: httpx.Response(500, json={"code": "internal_server_error"}), id="500"),
    pytest.param(lambda: httpx.Response(500, html="<h1>500</h1>"), id="500 of a proxy"),
    pytest.param(lambda: httpx.Response(503), id="503"),
    pytest.param(lambda: httpx.Response(400, json={"code": "completion_request_error"}),
                 id="the model's failure"),
    pytest.param(lambda: streamed(sse(FAILED_EVENT | {"status": 500, "code": "internal"})),
                 id="a failure that the stream tells before it names the run"),
]  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("late", [0, 3], ids=["at once", "with a delay"])
@at_once
async def test_a_failure_after_the_run_began_leads_to_that_run(
    failure: Callable[[], Answer], late: int
) -> None:
    nothing = [httpx.Response(200, json={"data": []}) for _ in range(late)]
    dify = Dify(starts=[failure()], listed=["r1"], logs=list(nothing))
    dify.succeed()
    assert (await generate(dify)).text == COPY
    assert dify.count(ASK) == dify.count("accepted r1 None") == 1
    assert "refused" not in dify.told


@pytest.mark.parametrize("failure", FAILURES)
@at_once
async def test_a_failure_that_the_log_knows_nothing_of_waits_seconds_not_minutes(
    failure: Callable[[], Answer],
) -> None:
    dify = Dify(starts=[failure()])
    began = asyncio.get_running_loop().time()
    with pytest.raises((NotBegunError, RunFailedError)):
        await generate(dify)
    assert asyncio.get_running_loop().time() - began == pytest.approx(10, abs=1)
    assert dify.told[-1] == "refused"


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    ("logs", "error"),
    [
        pytest.param([], PostponedError, id="it lists runs once they have ended"),
        pytest.param([httpx.Response(503)], ServiceUnavailableError, id="it does not answer"),
        pytest.param([httpx.Response(200, json={"data": []}), httpx.Response(502)],
                     ServiceUnavailableError, id="it stops answering"),
        pytest.param([httpx.Response(200, json={})], ServiceUnavailableError, id="it is none"),
    ],
)  # fmt: skip
@at_once
async def test_a_failure_counts_as_begun_where_the_log_proves_nothing(
    failure: Callable[[], Answer], logs: list[Answer], error: type[AdSparkError]
) -> None:
    dify = Dify(starts=[failure()], logs=list(logs), ended_before=[(100, 160, 160)])
    with pytest.raises(error):
        await generate(dify)
    assert "refused" not in dify.told
    assert dify.count(ASK) == 1


@pytest.mark.parametrize("call", ["parameters", "files/upload"])
async def test_a_failure_before_it_is_asked_has_begun_nothing(call: str) -> None:
    dify = Dify()

    def answer(request: httpx.Request) -> httpx.Response:
        is_hit = request.url.path.endswith(call)
        return httpx.Response(500, json={}) if is_hit else dify.answer(request)

    transport = httpx.MockTransport(answer)
    async with DifyClient(SecretStr("app-x"), base_url=f"{ROOT}/v1", transport=transport) as client:
        with pytest.raises(NotBegunError, match="HTTP 500"):
            await DifyGenerator(client, WorkflowMapping()).generate(REQUEST, Notes(dify))
    assert "submitted" not in dify.told


@pytest.mark.parametrize(
    ("status", "error"), [(413, UnusableContentError), (415, UnusableContentError)]
)
async def test_a_picture_that_dify_does_not_take_is_never_asked_for(
    status: int, error: type[AdSparkError]
) -> None:
    dify = Dify()

    def answer(request: httpx.Request) -> httpx.Response:
        is_upload = request.url.path.endswith("/upload")
        return httpx.Response(status, json={}) if is_upload else dify.answer(request)

    transport = httpx.MockTransport(answer)
    async with DifyClient(SecretStr("app-x"), base_url=f"{ROOT}/v1", transport=transport) as client:
        with pytest.raises(error, match=f"HTTP {status}"):
            await DifyGenerator(client, WorkflowMapping()).generate(REQUEST, Notes(dify))
    assert "submitted" not in dify.told


# What was lost sight of


def _ends_while_watched(dify: Dify) -> httpx.Response:
    return streamed(5.0, dify.succeed, sse(end("succeeded", OUTPUTS)))


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param((CUT,), id="cut"),
        pytest.param((), id="ended too early"),
        pytest.param((b"data: {cut\n\n",), id="garbled"),
        pytest.param((1e6,), id="silent"),
        pytest.param((sse(FINISHED | {"data": {"outputs": {}}}),), id="an end that says nothing"),
        pytest.param((sse(FAILED_EVENT),), id="an error event"),
    ],
)
@pytest.mark.parametrize(
    "back",
    [
        pytest.param(lambda dify: [_ends_while_watched(dify)], id="it ends while watched"),
        pytest.param(
            lambda dify: [streamed(CUT), streamed(), _ends_while_watched(dify)], id="cut again"
        ),
        pytest.param(lambda dify: [httpx.Response(502), _ends_while_watched(dify)], id="proxy"),
        pytest.param(
            lambda dify: [not_found(), _ends_while_watched(dify)],
            id="an older Dify, where nobody can come back",
        ),
    ],
)
@at_once
async def test_a_run_whose_stream_is_cut_is_gone_back_to_and_not_asked_for_again(
    cut: tuple[Part, ...], back: Callable[[Dify], list[Answer]]
) -> None:
    dify = Dify()
    dify.put("running")
    dify.starts = [streamed(sse(STARTED), *cut)]
    dify.attaches = back(dify)
    made = await generate(dify)
    assert (made.text, made.picture) == (COPY, PNG)
    assert dify.count(ASK) == dify.count("accepted r1 t1") == 1
    assert "refused" not in dify.told


@pytest.mark.parametrize(
    "details",
    [
        pytest.param([httpx.Response(502), httpx.ConnectError("refused")], id="Dify is away"),
        pytest.param([httpx.Response(200, json={"id": "r1", "status": "scheduled"})], id="waiting"),
        pytest.param([not_found()], id="a run that is not stored yet"),
        pytest.param([PROXYS_404] * 5, id="a proxy is away"),
    ],
)
@at_once
async def test_a_run_that_cannot_be_read_for_the_moment_is_read_later(
    details: list[Answer],
) -> None:
    dify = Dify(details=details)
    dify.succeed()
    made = await generate(dify, replace(REQUEST, submitted_at=ago(9), remote_run=REMOTE_RUN))
    assert made.text == COPY


@at_once
async def test_while_nothing_happens_dify_is_not_asked_without_end() -> None:
    dify = Dify()
    dify.put("running")
    dify.starts = [streamed(sse(STARTED), CUT)]
    dify.attaches = [*(streamed() for _ in range(20)), _ends_while_watched(dify)]
    began = asyncio.get_running_loop().time()
    await generate(dify)
    assert asyncio.get_running_loop().time() - began > 50


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        pytest.param(httpx.Response(401), InvalidCredentialsError, id="the key is withdrawn"),
        pytest.param(httpx.Response(403), ConfigurationError, id="a right is"),
        pytest.param(httpx.Response(429), RateLimitedError, id="too many questions"),
    ],
)
@at_once
async def test_a_refusal_after_it_was_begun_is_not_told_as_not_begun(
    detail: httpx.Response, error: type[AdSparkError]
) -> None:
    dify = Dify(starts=[streamed(sse(STARTED), CUT)], details=[detail])
    await fails(dify, error, "Dify")
    assert "accepted r1 t1" in dify.told
    assert "refused" not in dify.told


async def test_a_variant_that_was_cancelled_meanwhile_was_begun_all_the_same() -> None:
    dify = Dify()
    await fails(dify, UnknownVariantError, "cancelled", notes=Notes(dify, is_cancelled=True))
    assert dify.told[-1] == "accepted r1 t1"


LOST = [
    pytest.param(
        lambda: httpx.Response(504, text="<h1>504</h1>"), id="a proxy that waited in vain"
    ),
    pytest.param(lambda: httpx.Response(200, html="<h1>Hello</h1>"), id="a page of HTML"),
    pytest.param(lambda: CUT, id="cut before the headers"),
    pytest.param(lambda: streamed(CUT), id="cut before the first event"),
    pytest.param(lambda: streamed(PING), id="a stream of pings that ends"),
    pytest.param(lambda: streamed(*WAITING), id="a stream of pings that does not"),
]


@pytest.mark.parametrize("lost", LOST)
@at_once
async def test_a_run_whose_answer_was_lost_is_found_in_the_log(
    lost: Callable[[], Answer],
) -> None:
    dify = Dify(starts=[lost()], listed=["r1"])
    dify.put("running")
    dify.attaches = [streamed(sse(STARTED)), _ends_while_watched(dify)]
    made = await generate(dify)
    assert made.text == COPY
    assert dify.count(ASK) == dify.count("accepted r1 t1") == 1


@at_once
async def test_a_run_that_the_log_shows_a_little_late_is_found() -> None:
    nothing = httpx.Response(200, json={"data": []})
    dify = Dify(starts=[httpx.Response(504)], listed=["r1"], logs=[nothing, nothing])
    dify.succeed()
    assert (await generate(dify)).text == COPY
    assert dify.count("accepted r1 None") == 1  # it has ended, so that there is nothing to stop


@pytest.mark.parametrize("lost", LOST)
@at_once
async def test_what_the_log_does_not_show_is_looked_for_later(
    lost: Callable[[], Answer],
) -> None:
    dify = Dify(starts=[lost()])
    await fails(dify, PostponedError, "looked for again")
    assert dify.count(ASK) == 1
    assert "refused" not in dify.told


@at_once
async def test_a_log_that_does_not_answer_keeps_what_was_asked() -> None:
    dify = Dify(starts=[httpx.Response(504)], logs=[httpx.Response(503)])
    with pytest.raises(ServiceUnavailableError):
        await generate(dify)
    assert "refused" not in dify.told


# What it came to, by whatever tells it first


FULL_END = end("succeeded", OUTPUTS)
ENDS = [
    pytest.param(FULL_END, id="as it should be"),
    pytest.param(end("partial-succeeded", OUTPUTS), id="round a failed node"),
    pytest.param(end("running", OUTPUTS), id="with a status of before"),
    pytest.param(end("completed", OUTPUTS), id="with an unknown status"),
    pytest.param(FINISHED | {"data": {"outputs": OUTPUTS}}, id="with nothing but outputs"),
    pytest.param(
        FINISHED | {"data": FULL_END["data"] | {"elapsed_time": "?", "files": None}},
        id="odd figures",
    ),
    pytest.param(
        FINISHED | {"data": FULL_END["data"] | {"outputs": json.dumps(OUTPUTS)}},
        id="JSON in a text",
    ),
]


@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize(
    "kept",
    [
        pytest.param("running", id="the run is kept as running"),
        pytest.param("dreaming", id="the run is kept under an unknown status"),
        pytest.param("scheduled", id="the run is kept as one that has not begun"),
    ],
)
@at_once
async def test_outputs_of_a_last_event_are_the_result_whatever_the_run_says(
    last: Json, kept: str
) -> None:
    dify = Dify(starts=[streamed(sse(STARTED), CUT)], attaches=[streamed(sse(last))])
    dify.put(kept)
    made = await generate(dify)
    assert (made.text, made.picture) == (COPY, PNG)
    assert dify.count(ASK) == 1
    assert dify.told[-2:] == ["GET workflows/run/r1", "GET workflow/r1/events"]


@pytest.mark.parametrize("last", ENDS)
@at_once
async def test_outputs_of_the_first_stream_are_the_result(last: Json) -> None:
    dify = Dify(starts=[streamed(sse(STARTED, last), CUT)])
    dify.put("running")
    made = await generate(dify)
    assert (made.text, made.picture) == (COPY, PNG)
    assert dify.told[-2:] == [ASK, "accepted r1 t1"]


@at_once
async def test_a_run_found_in_the_log_gives_its_outputs_though_it_tells_them_once() -> None:
    dify = Dify(starts=[httpx.Response(504)], listed=["r1"], attaches=[streamed(sse(FULL_END))])
    dify.put("running")
    assert (await generate(dify)).text == COPY


@at_once
async def test_outputs_that_the_last_event_leaves_out_are_read_from_the_run() -> None:
    dify = Dify(starts=[streamed(sse(STARTED, end("succeeded")))])
    dify.succeed()
    assert (await generate(dify)).text == COPY


@pytest.mark.parametrize("is_attached", [False, True])
@at_once
async def test_an_unknown_status_without_outputs_is_told_at_once(is_attached: bool) -> None:
    dify = Dify(starts=[streamed(sse(STARTED), CUT)])
    dify.put("dreaming")
    dify.attaches = [streamed(sse(STARTED), *WAITING) if is_attached else not_found()]
    began = asyncio.get_running_loop().time()
    await fails(dify, ServiceRefusedError, "status 'dreaming', which AdSpark does not know")
    assert asyncio.get_running_loop().time() - began < 15
    assert STOP not in dify.told


@at_once
async def test_a_run_that_is_over_by_every_event_and_running_by_itself_is_told_soon() -> None:
    """A temporary failure: a later try looks at the same run again."""
    says_nothing = FINISHED | {"data": {"outputs": {}}}
    dify = Dify(starts=[streamed(sse(STARTED), CUT)])
    dify.put("running")
    dify.attaches = [streamed(sse(says_nothing)) for _ in range(500)]
    began = asyncio.get_running_loop().time()
    await fails(dify, ServiceUnavailableError, "not what came of it")
    assert asyncio.get_running_loop().time() - began < 60
    assert STOP not in dify.told


END_NODE = {
    "event": "node_finished", "workflow_run_id": "r1", "task_id": "t1",
    "data": {"node_type": "end", "status": "succeeded", "outputs": OUTPUTS},
}  # fmt: skip


@pytest.mark.parametrize("kept", ["running", None], ids=["it hangs", "Dify forgets it"])
@at_once
async def test_what_the_end_node_gave_is_the_result_where_the_run_itself_gives_none(
    kept: str | None,
) -> None:
    dify = Dify(starts=[streamed(sse(STARTED, NODE, END_NODE), CUT)])
    if kept:
        dify.put(kept)
        dify.attaches = [streamed(sse(STARTED), *WAITING)]
    made = await generate(dify)
    assert (made.text, made.picture) == (COPY, PNG)
    assert dify.count(STOP) == (kept is not None)


@pytest.mark.parametrize("changes", [{"node_type": "llm"}, {"status": "failed"}, {"outputs": None}])
@at_once
async def test_what_another_node_gave_is_no_result(changes: Json) -> None:
    node = END_NODE | {"data": {"node_type": "end", "status": "succeeded", "outputs": OUTPUTS}}
    node["data"] |= changes  # type: ignore[operator]
    dify = Dify(starts=[streamed(sse(STARTED, NODE, node), CUT)])
    dify.put("running")
    await fails(dify, GenerationFailedError, "was stopped")


# A second try


@at_once
async def test_a_second_try_follows_the_run_that_is_known() -> None:
    dify = Dify()
    dify.put("running")
    dify.attaches = [_ends_while_watched(dify)]
    made = await generate(dify, replace(REQUEST, submitted_at=ago(9), remote_run=REMOTE_RUN))
    assert made.text == COPY
    assert set(dify.told) == {"GET workflows/run/r1", "GET workflow/r1/events"}


@at_once
async def test_a_run_that_is_long_over_is_read_and_not_paid_again() -> None:
    dify = Dify()
    dify.succeed()
    made = await generate(dify, replace(REQUEST, submitted_at=ago(1e6), remote_run=REMOTE_RUN))
    assert made.text == COPY
    assert dify.told == ["GET workflows/run/r1"]


@at_once
async def test_a_run_that_dify_has_forgotten_is_not_asked_for_again() -> None:
    dify = Dify()
    request = replace(REQUEST, submitted_at=ago(1e6), submitted_for=1e6, remote_run=REMOTE_RUN)
    await fails(dify, GenerationFailedError, "no longer knows the run r1", request)
    assert set(dify.told) == {"GET workflows/run/r1"}


@at_once
async def test_a_run_of_today_that_dify_does_not_know_is_not_given_up() -> None:
    dify = Dify()
    request = replace(REQUEST, submitted_at=ago(9), submitted_for=9, remote_run=REMOTE_RUN)
    await fails(dify, PostponedError, "Put those of the former app back", request)
    dify.succeed()
    assert (await generate(dify, request)).text == COPY
    assert set(dify.told) == {"GET workflows/run/r1"}


@at_once
async def test_a_second_try_finds_the_run_in_the_log_first() -> None:
    dify = Dify(listed=["r1"])
    dify.succeed()
    assert (await generate(dify, replace(REQUEST, submitted_at=ago(9)))).text == COPY
    assert ASK not in dify.told
    assert "submitted" not in dify.told
    assert dify.uploads == []


@pytest.mark.parametrize(
    ("seconds", "is_asked"),
    [
        pytest.param(9, False, id="just now"),
        pytest.param(1180, False, id="it could still be running"),
        pytest.param(1210, True, id="surely lost"),
    ],
)
@at_once
async def test_what_is_nowhere_is_asked_for_again_once_it_is_surely_lost(
    seconds: float, is_asked: bool
) -> None:
    dify = Dify()
    request = replace(REQUEST, submitted_at=ago(seconds), submitted_for=seconds)
    if is_asked:
        assert (await generate(dify, request, lost_after=1200)).text == COPY
    else:
        await fails(dify, PostponedError, "for 1200 s", request, lost_after=1200)
        assert dify.uploads == []
    assert dify.count(ASK) == dify.count("submitted") == int(is_asked)


# What takes too long


@at_once
async def test_a_run_that_takes_too_long_is_stopped() -> None:
    dify = Dify(starts=[streamed(sse(STARTED), *WAITING)])
    began = asyncio.get_running_loop().time()
    await fails(dify, GenerationFailedError, "longer than 1500 s and was stopped")
    assert asyncio.get_running_loop().time() - began == pytest.approx(1500, abs=1)
    assert dify.told[-1] == STOP
    assert "refused" not in dify.told


@at_once
async def test_one_that_was_followed_too_long_is_stopped() -> None:
    dify = Dify()
    dify.put("running")
    request = replace(REQUEST, submitted_at=ago(9), remote_run=RemoteRun("r1"))
    await fails(dify, GenerationFailedError, "was stopped", request)
    assert dify.told[-1] == STOP  # the task is known from the run's events
    assert ASK not in dify.told


@at_once
async def test_one_that_cannot_be_seen_for_all_its_time_is_looked_for_again_and_not_given_up() -> (
    None
):
    dify = Dify(details=[PROXYS_404] * 1000, attaches=[PROXYS_404] * 1000)
    dify.succeed()
    request = replace(REQUEST, submitted_at=ago(9), remote_run=REMOTE_RUN)
    await fails(dify, ServiceUnavailableError, "proxy cannot find it", request, run_limit=60)
    dify.details.clear()
    dify.attaches.clear()
    assert (await generate(dify, request)).text == COPY
    assert ASK not in dify.told


@at_once
async def test_one_whose_task_cannot_be_learned_is_not_called_stopped() -> None:
    dify = Dify(attaches=[PROXYS_404] * 1000)
    dify.put("running")
    request = replace(REQUEST, submitted_at=ago(9), remote_run=RemoteRun("r1"))
    await fails(dify, ServiceUnavailableError, "proxy cannot find it", request, run_limit=60)
    assert STOP not in dify.told
    dify.attaches.clear()
    await fails(dify, GenerationFailedError, "was stopped", request, run_limit=60)
    assert dify.told[-1] == STOP


@at_once
async def test_waiting_for_ones_turn_is_not_the_runs_time() -> None:
    dify = Dify()
    assert (await generate(dify, notes=Notes(dify, turn_after=5000), run_limit=60)).text == COPY


# Cancelling


@pytest.mark.parametrize(
    ("remote_run", "listed", "status", "told"),
    [
        pytest.param(REMOTE_RUN, [], "running", [STOP], id="all is known"),
        pytest.param(
            RemoteRun("r1"), [], "running",
            ["GET workflows/run/r1", "GET workflow/r1/events", STOP], id="the run is",
        ),
        pytest.param(
            None, ["r1"], "running",
            ["GET workflows/logs", "GET workflows/run/r1", "GET workflow/r1/events", STOP],
            id="the log shows it",
        ),
        pytest.param(None, ["r1"], "succeeded", ["GET workflows/logs", "GET workflows/run/r1"],
                     id="it has ended"),
        pytest.param(None, [], "running", ["GET workflows/logs"], id="it was never begun"),
        pytest.param(RemoteRun("r2"), [], "running", ["GET workflows/run/r2"], id="it is unknown"),
    ],
)  # fmt: skip
@at_once
async def test_a_cancelled_generation_is_stopped_by_its_task(
    remote_run: RemoteRun | None, listed: list[str], status: str, told: list[str]
) -> None:
    dify = Dify(listed=listed)
    dify.put(status)
    await dify.generator().cancel(remote_run, key=REQUEST.key)
    assert dify.told == told


@at_once
async def test_a_cancelled_generation_that_cannot_be_stopped_says_so() -> None:
    dify = Dify(attaches=[PROXYS_404])
    dify.put("running")
    with pytest.raises(ServiceUnavailableError, match="proxy cannot find it"):
        await dify.generator().cancel(RemoteRun("r1"), key=REQUEST.key)


async def test_its_host_is_named_for_the_pictures_that_it_serves() -> None:
    assert Dify().generator().hosts == ("dify.example:443",)


# What was cut off


def step(text: str, reason: str) -> Json:
    """The end of a step of a model."""
    outputs = {"text": text, "finish_reason": reason}
    data = {"title": "LLM", "node_type": "llm", "status": "succeeded", "outputs": outputs}
    return NODE | {"event": "node_finished", "data": data}


@pytest.mark.parametrize(
    ("steps", "copy", "is_cut_off"),
    [
        pytest.param([(COPY, "stop")], COPY, False, id="whole"),
        pytest.param([(COPY, "length")], COPY, True, id="cut off"),
        pytest.param([(COPY, "length"), ("a beach, at noon", "stop")], COPY, True,
                     id="before another step"),
        pytest.param([("a beach, at noo", "length"), (COPY, "stop")], COPY, False,
                     id="a step whose words are not in the copy"),
        pytest.param([(COPY, "stop"), ("Anything", "max_tokens")], COPY, True, id="the last one"),
    ],
)  # fmt: skip
async def test_copy_whose_model_was_cut_off_says_so(
    steps: list[tuple[str, str]], copy: str, is_cut_off: bool
) -> None:
    last = end("succeeded", {"text": copy, "json": [{"result": PNG}]})
    dify = Dify(starts=[streamed(sse(STARTED, *(step(*one) for one in steps), last))])
    made = await generate(dify)
    assert (made.text, made.picture, made.is_cut_off) == (copy, PNG, is_cut_off)


async def test_outputs_may_say_themselves_that_they_were_cut_off() -> None:
    last = end("succeeded", {"text": COPY, "finish_reason": "length"})
    made = await generate(Dify(starts=[streamed(sse(STARTED, last))]))
    assert (made.text, made.is_cut_off) == (COPY, True)


async def test_a_model_that_was_cut_off_while_it_thought_has_failed() -> None:
    last = end("succeeded", {"text": "<think>The user wants"})
    dify = Dify(starts=[streamed(sse(STARTED, last))])
    await fails(dify, GenerationFailedError, "cut off before its copy began")


async def test_every_address_that_may_be_the_picture_is_given() -> None:
    outputs = {"text": COPY, "json": [{"url": "https://shop.example/"}, {"url": "/files/a.png"}]}
    made = await generate(Dify(starts=[streamed(sse(STARTED, end("succeeded", outputs)))]))
    assert made.picture == f"{ROOT}/files/a.png"
    assert made.more_pictures == ["https://shop.example/"]
