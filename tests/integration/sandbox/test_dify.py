"""The sandbox's Dify over HTTP, as a client sees it."""

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from adspark.sandbox.dify.faults import DifyFault, DifyFaultKind
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from tests.support import asking
from tests.support.sandbox_client import Json, MovedClock

NEW_BALANCE_AD = "CR06923374512490676225"
FIRST_AD = "CR90000001000000000000"
WORKFLOW = SandboxSettings().dify_workflow_id
DRAFT = SandboxSettings().dify_draft_id
INPUTS = {"url": "https://shop.example/ad.png", "prompt": "Create a summer-themed version"}
SUMMER = "[SANDBOX] Summer with "
FRAGILE = (httpx.ReadError, httpx.RemoteProtocolError)
KINDS = [
    "workflow_started", "node_started", "node_finished", "node_started", *["text_chunk"] * 6,
    "node_finished", "node_started", "node_finished", "node_started", "node_finished",
    "workflow_finished",
]  # fmt: skip


class Dify:
    """Calls to one sandbox's Dify."""

    def __init__(self, url: str) -> None:
        self.url = url
        headers = {"Authorization": "Bearer app-sandbox"}
        self.http = httpx.Client(base_url=url, timeout=60, headers=headers)

    def body(self, user: str = "u1", mode: str = "streaming", **inputs: object) -> Json:
        given = {name: value for name, value in (INPUTS | inputs).items() if value is not None}
        return {"inputs": given, "user": user, "response_mode": mode}

    def post(
        self,
        path: str = "/v1/workflows/run",
        user: str = "u1",
        mode: str = "streaming",
        **inputs: object,
    ) -> httpx.Response:
        return self.http.post(path, json=self.body(user, mode, **inputs))

    @contextmanager
    def stream(self, user: str = "u1") -> Iterator[Iterator[str]]:
        """The lines of a run's stream."""
        with self.http.stream("POST", "/v1/workflows/run", json=self.body(user)) as response:
            assert response.status_code == 200, response.read()
            yield response.iter_lines()

    def run(self, user: str = "u1", **inputs: object) -> list[Json]:
        """All events of a run."""
        response = self.post("/v1/workflows/run", user, "streaming", **inputs)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        return parse(response.text)

    def finish(self, user: str = "u1", **inputs: object) -> Json:
        """The data of a run's last event."""
        last = self.run(user, **inputs)[-1]
        assert last["event"] == "workflow_finished"
        data: Json = last["data"]
        return data

    def upload(
        self, content: bytes = b"x", name: str = "a.png", kind: str = "image/png", user: str = "u1"
    ) -> httpx.Response:
        files = {"file": (name, content, kind)}
        return self.http.post("/v1/files/upload", files=files, data={"user": user})

    def get(self, path: str, **params: str | int) -> Json:
        response = self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        body: Json = response.json()
        return body

    def detail(self, run_id: str) -> Json:
        return self.get(f"/v1/workflows/run/{run_id}")

    def logs(self, **params: str | int) -> Json:
        return self.get("/v1/workflows/logs", **params)

    def runs_of(self, user: str) -> list[str]:
        listed = self.logs(created_by_end_user_session_id=user)["data"]
        return [row["workflow_run"]["id"] for row in listed]

    def events(self, run_id: str, user: str = "u1", **params: str) -> list[Json]:
        given = {"user": user, **params}
        return parse(self.http.get(f"/v1/workflow/{run_id}/events", params=given).text)

    def stats(self) -> Json:
        return self.get("/sandbox/dify/stats")

    def shape(self, **shape: object) -> None:
        assert self.http.put("/sandbox/dify/workflow", json=shape).status_code == 200

    def switch_on(self, *faults: Json) -> None:
        assert self.http.put("/sandbox/dify/faults", json=list(faults)).status_code == 200

    def wait_for_end(self, run_id: str) -> Json:
        by = time.monotonic() + 60
        while (detail := self.detail(run_id))["status"] == "running":
            assert time.monotonic() < by
            time.sleep(0.01)
        return detail


def parse(text: str) -> list[Json]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def address_of(data: Json) -> str:
    address: str = data["outputs"]["json"][0]["result"]
    return address


def make_png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (1, 2, 3)).save(buffer, "PNG")
    return buffer.getvalue()


def check_error(response: httpx.Response, status: int, code: str, message: str) -> None:
    assert response.status_code == status, response.text
    assert response.json() == {"code": code, "message": message, "status": status}


@contextmanager
def visit(settings: SandboxSettings) -> Iterator[Dify]:
    with serve(settings) as url:
        dify = Dify(url)
        with dify.http:
            yield dify


@pytest.fixture(scope="module")
def running(clock: MovedClock) -> Iterator[Dify]:
    settings = SandboxSettings(
        clock=clock, generated_advertisers=1, generation_seconds=0.05, ping_every=0.02
    )
    with visit(settings) as dify:
        yield dify


@pytest.fixture
def dify(running: Dify, clock: MovedClock) -> Dify:
    """A Dify as it is at its start."""
    clock.now = MovedClock().now
    running.http.post("/sandbox/reset")
    return running


@pytest.mark.parametrize("header", [None, "Bearer app-other", "Bearer", "app-sandbox", "Basic x"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/info"),
        ("GET", "/v1/parameters"),
        ("POST", "/v1/files/upload"),
        ("POST", "/v1/workflows/run"),
        ("GET", "/v1/workflows/logs"),
        ("GET", "/v1/nothing"),
    ],
)
def test_nothing_goes_without_the_key(
    dify: Dify, header: str | None, method: str, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = httpx.request(method, f"{dify.url}{path}", headers=headers)
    check_error(response, 401, "unauthorized", "Access token is invalid")
    assert response.headers["x-adspark-sandbox"] == "true"


def test_the_app_tells_its_mode_and_its_form(dify: Dify) -> None:
    assert dify.get("/v1/info")["mode"] == "workflow"
    form = dify.get("/v1/parameters")
    (url,), (prompt,), (original,), (rules,) = (
        list(entry.items()) for entry in form["user_input_form"]
    )
    assert url[0] == "text-input"
    assert (url[1]["variable"], url[1]["required"], url[1]["max_length"]) == ("url", True, 2048)
    assert prompt[0] == "paragraph"
    assert (prompt[1]["variable"], prompt[1]["max_length"]) == ("prompt", 2000)
    assert (original[1]["variable"], original[1]["required"]) == ("original", False)
    assert (rules[1]["variable"], rules[1]["required"]) == ("rules", False)
    assert form["system_parameters"]["image_file_size_limit"] == 10
    assert form["file_upload"]["image"]["enabled"]


def test_the_workflow_can_be_rebuilt(dify: Dify) -> None:
    dify.shape(picture_input={"variable": "pic", "kind": "file"}, prompt_max_length=48)
    picture, prompt, *_ = dify.get("/v1/parameters")["user_input_form"]
    assert picture["file"]["variable"] == "pic"
    assert "max_length" not in picture["file"]
    assert prompt["paragraph"]["max_length"] == 48
    assert dify.get("/sandbox/dify/workflow")["outputs"] == "guide"
    response = dify.http.put("/sandbox/dify/workflow", json={"outputs": "else"})
    assert response.status_code == 422
    dify.http.post("/sandbox/reset")
    assert dify.get("/sandbox/dify/workflow")["prompt_max_length"] == 2000


def test_what_there_is_not_is_not_found(dify: Dify) -> None:
    check_error(
        dify.http.get("/v1/messages"),
        404,
        "not_found",
        "The requested URL was not found on the server.",
    )
    missing = "Workflow run not found."
    check_error(dify.http.get("/v1/workflows/run/x"), 404, "not_found", missing)
    check_error(dify.http.get("/v1/workflow/x/events?user=u1"), 404, "not_found", missing)


# Uploads


def test_an_upload_is_kept_and_can_be_looked_at_for_a_while(dify: Dify, clock: MovedClock) -> None:
    content = make_png(30, 20)
    response = dify.upload(content, name="CR1.png")
    body = response.json()
    assert response.status_code == 201
    assert (body["name"], body["size"], body["extension"]) == ("CR1.png", len(content), "png")
    assert body["mime_type"] == "image/png"
    assert body["created_at"] == int(clock.now.timestamp())
    assert body["source_url"].startswith(f"{dify.url}/files/{body['id']}/file-preview?")
    shown = asking.get(body["source_url"])
    assert (shown.content, shown.headers["content-type"]) == (content, "image/png")
    clock.now += timedelta(seconds=301)
    check_error(asking.get(body["source_url"]), 403, "forbidden", "Invalid request.")
    assert dify.stats()["uploads"] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"\r\n--\r\n",
        b"\x89PNG\r\n\x1a\n\x00--\r\n--\r\r\n",
        bytes(range(256)) * 999,
    ],
)
def test_an_upload_comes_through_byte_by_byte(dify: Dify, content: bytes) -> None:
    assert asking.get(dify.upload(content).json()["source_url"]).content == content


def test_an_upload_keeps_its_name_and_its_user(dify: Dify) -> None:
    form = {"files": {"file": ("CR1 ä.png", b"x", "image/png")}, "data": {"user": "ü"}}
    sent = dify.http.post("/v1/files/upload", **form)  # type: ignore[arg-type]
    assert (sent.status_code, sent.json()["name"]) == (201, "CR1 ä.png")
    file_id = sent.json()["id"]
    dify.shape(picture_input={"kind": "file"})
    file = {"type": "image", "transfer_method": "local_file", "upload_file_id": file_id}
    check_error(dify.post(user="u1", url=file), 400, "invalid_param", "Invalid upload file")
    assert dify.post(user="ü", mode="blocking", url=file).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b""),
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nno head"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Type: a/b\r\n\r\nno name\r\n--x--"),
    ],
)
def test_a_form_that_is_garbage_is_refused(dify: Dify, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    response = dify.http.post("/v1/files/upload", content=body, headers=headers)
    assert response.status_code == 400
    assert dify.stats()["uploads"] == 0


def test_bad_uploads_are_refused(dify: Dify) -> None:
    def post(**request: Any) -> httpx.Response:  # noqa: ANN401 - handed on to httpx
        return dify.http.post("/v1/files/upload", **request)

    missing = (400, "no_file_uploaded", "Please upload your file.")
    check_error(post(), *missing)
    check_error(post(json={"user": "u1"}), *missing)
    check_error(post(files={"other": b"x"}, data={"user": "u1"}), *missing)
    several = [("file", ("a.png", b"x", "image/png"))] * 2
    check_error(post(files=several), 400, "too_many_files", "Only one file is allowed.")
    one = {"file": ("a.png", b"x", "image/png")}
    check_error(post(files=one), 400, "invalid_param", "Arg user must be provided.")
    unsupported = (415, "unsupported_file_type", "File type not allowed.")
    check_error(dify.upload(kind="application/pdf"), *unsupported)
    check_error(post(files={"file": ("a", b"x")}, data={"user": "u1"}), *unsupported)
    check_error(dify.upload(bytes(10 * 2**20 + 1)), 413, "file_too_large", "")
    assert dify.upload(bytes(10 * 2**20)).status_code == 201
    assert dify.stats()["uploads"] == 1


# Runs


def test_a_run_streams_its_steps_and_gives_copy_and_picture(dify: Dify, clock: MovedClock) -> None:
    events = dify.run()
    assert [event["event"] for event in events] == KINDS
    (ids,) = {(event["workflow_run_id"], event["task_id"]) for event in events}
    data = events[-1]["data"]
    assert (data["id"], data["workflow_id"], data["status"]) == (ids[0], WORKFLOW, "succeeded")
    assert events[0]["data"]["inputs"] == INPUTS
    titles = [one["data"]["title"] for one in events if one["event"] == "node_started"]
    assert titles == ["Start", "Write copy", "Draw picture", "End"]
    chunks = [one["data"]["text"] for one in events if one["event"] == "text_chunk"]
    assert data["outputs"]["text"] == "".join(chunks)
    assert data["total_steps"] == 4
    assert data["total_tokens"] > 0
    assert 0.05 <= data["elapsed_time"] < 1
    assert data["created_at"] == data["finished_at"] == int(clock.now.timestamp())
    assert (data["error"], data["exceptions_count"], data["files"]) == (None, 0, [])
    picture = asking.get(address_of(data))
    assert picture.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(picture.content))
    assert (image.format, image.size) == ("PNG", (380, 200))


def test_a_run_can_be_waited_for(dify: Dify) -> None:
    body = dify.post(mode="blocking").json()
    assert set(body) == {"task_id", "workflow_run_id", "data"}
    assert body["data"]["status"] == "succeeded"
    assert body["data"]["outputs"]["text"].startswith(SUMMER)
    unnamed = dify.http.post("/v1/workflows/run", json={"inputs": INPUTS, "user": "u1"})
    assert unnamed.json()["data"]["status"] == "succeeded", "blocking is the default"


def test_a_published_version_can_be_named_and_no_other(dify: Dify) -> None:
    assert dify.post(f"/v1/workflows/{WORKFLOW}/run").status_code == 200
    response = dify.post("/v1/workflows/other/run")
    check_error(response, 404, "not_found", "Workflow not found with id: other")
    draft = dify.post(f"/v1/workflows/{DRAFT}/run")
    assert (draft.status_code, draft.json()["code"]) == (400, "bad_request")
    assert "Cannot use draft workflow version" in draft.json()["message"]
    assert dify.stats()["runs"] == 1


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"prompt": None}, "prompt is required in input form"),
        ({"prompt": ""}, "prompt is required in input form"),
        ({"url": None}, "url is required in input form"),
        ({"prompt": 5}, "prompt in input form must be a string"),
        ({"original": 5}, "original in input form must be a string"),
        ({"prompt": "x" * 2001}, "prompt in input form must be less than 2000 characters"),
        ({"url": "x" * 2049}, "url in input form must be less than 2048 characters"),
        ({"url": {"type": "image"}}, "url in input form must be a string"),
    ],
)
def test_inputs_have_to_fit_the_form(dify: Dify, inputs: Json, message: str) -> None:
    check_error(dify.post(**inputs), 400, "invalid_param", message)
    assert dify.stats()["runs"] == 0


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"inputs": INPUTS}, "invalid_param", "Arg user must be provided."),
        ({"user": "u1"}, "invalid_param", "Arg inputs must be provided."),
        ([], "bad_request", "The request's body is not a JSON object."),
        (
            {"inputs": INPUTS, "user": "u1", "response_mode": "x"},
            "invalid_param",
            "response_mode must be streaming or blocking",
        ),
    ],
)
def test_requests_have_to_be_whole(dify: Dify, body: object, code: str, message: str) -> None:
    check_error(dify.http.post("/v1/workflows/run", json=body), 400, code, message)


def test_files_have_to_be_the_users_own(dify: Dify) -> None:
    file_id = dify.upload(make_png(300, 50)).json()["id"]
    file = {"type": "image", "transfer_method": "local_file", "upload_file_id": file_id}
    remote = {"type": "image", "transfer_method": "remote_url", "url": "https://x.example/a.png"}
    dify.shape(picture_input={"kind": "file"})
    bad: list[tuple[Any, str]] = [
        ("https://x.example/a.png", "url in input form must be a file"),
        ([file], "url in input form must be a file"),
        (file | {"upload_file_id": "other"}, "Invalid upload file"),
        (file | {"upload_file_id": None}, "Invalid upload file"),
        (remote | {"url": None}, "Invalid file url"),
        (file | {"type": "audio"}, "File validation failed: type must be image"),
        ({"type": "image"}, "transfer_method must be local_file or remote_url"),
    ]
    for value, message in bad:
        check_error(dify.post(url=value), 400, "invalid_param", message)
    check_error(dify.post(user="u2", url=file), 400, "invalid_param", "Invalid upload file")
    assert dify.finish(url=file)["status"] == "succeeded"
    assert dify.finish(url=remote)["status"] == "succeeded"
    dify.shape(picture_input={"kind": "file-list"})
    message = "url in input form must be a list of files"
    check_error(dify.post(url=file), 400, "invalid_param", message)
    data = dify.finish(url=[file])
    assert Image.open(io.BytesIO(asking.get(address_of(data)).content)).size == (300, 50)


# What a variant says


@pytest.mark.parametrize("kind", ["text-input", "file", "file-list"])
def test_an_uploaded_picture_is_known_by_its_name(dify: Dify, kind: str) -> None:
    uploaded = dify.upload(make_png(160, 600), name=f"{NEW_BALANCE_AD}-1.png").json()
    file = {"type": "image", "transfer_method": "local_file", "upload_file_id": uploaded["id"]}
    value = {"text-input": uploaded["source_url"], "file": file, "file-list": [file]}[kind]
    dify.shape(picture_input={"kind": kind})
    data = dify.finish(url=value)
    lines = data["outputs"]["text"].splitlines()
    assert lines[0].startswith("[SANDBOX] Summer with New Balance")
    assert lines[1].startswith("From Street Style To Classic Comfort To Performance Gear.")
    image = Image.open(io.BytesIO(asking.get(address_of(data)).content))
    assert image.size == (160, 600), "the uploaded picture's own size"


def test_a_picture_of_the_sandbox_is_known_by_its_address(dify: Dify) -> None:
    params = {"engine": "google_ads_transparency_center", "advertiser_id": "AR90000000000000000001"}
    found = dify.get("/search.json", api_key="sandbox-key", **params)["ad_creatives"]
    row = next(row for row in found if "width" in row)
    data = dify.finish(url=row["image"])
    assert data["outputs"]["text"].startswith(f"{SUMMER}Sandbox Advertiser 1\nCopy of a SANDBOX ad")
    image = Image.open(io.BytesIO(asking.get(address_of(data)).content))
    assert image.size == (row["width"], row["height"])


@pytest.mark.parametrize(
    ("inputs", "start"),
    [
        ({}, f"{SUMMER}shop.example\n"),
        ({"original": "Fine Hats\nEvery day."}, f"{SUMMER}Fine Hats\nEvery day. Made"),
        ({"url": "no address"}, f"{SUMMER}your brand\n"),
        ({"prompt": "spreadsheets"}, "[SANDBOX] Spreadsheets: shop.example"),
    ],
)
def test_else_only_the_inputs_speak(dify: Dify, inputs: Json, start: str) -> None:
    text = dify.finish(**inputs)["outputs"]["text"]
    assert text.startswith(start)
    assert len(text) <= 400


def test_the_same_inputs_give_the_same_and_other_prompts_another_variant(dify: Dify) -> None:
    def make(prompt: str) -> tuple[str, bytes]:
        data = dify.finish(prompt=prompt)
        return data["outputs"]["text"], asking.get(address_of(data)).content

    first = make("sale")
    assert make("sale") == first
    other = make("a sale")
    assert first[0] != other[0]
    assert first[1] != other[1]


@pytest.mark.parametrize("outputs", ["markdown", "file", "file_list", "relative", "nothing"])
def test_outputs_come_in_many_shapes(dify: Dify, outputs: str) -> None:
    dify.shape(outputs=outputs)
    data = dify.finish()
    given = data["outputs"]
    address = ""
    match outputs:
        case "nothing":
            assert given == {"answer": 42}
            return
        case "markdown":
            text, _, image = given["text"].rpartition("\n\n![variant](")
            assert text.startswith(SUMMER)
            address = image.removesuffix(")")
        case "relative":
            assert address_of(data).startswith("/files/tools/")
            address = f"{dify.url}{address_of(data)}"
        case _:
            file = given["image"] if outputs == "file" else given["image"][0]
            assert file["dify_model_identity"] == "__dify__file__"
            assert (file["type"], file["transfer_method"]) == ("image", "tool_file")
            assert (file["extension"], file["mime_type"]) == (".png", "image/png")
            assert data["files"] == [file]
            address = file["url"]
            assert file["size"] == len(asking.get(address).content)
    assert Image.open(io.BytesIO(asking.get(address).content)).size == (380, 200)


def test_a_pictures_address_expires_and_cannot_be_forged(dify: Dify, clock: MovedClock) -> None:
    address = httpx.URL(address_of(dify.finish()))
    other = httpx.URL(address_of(dify.finish()))
    for forged in (
        address.copy_with(query=None),
        address.copy_set_param("sign", "x"),
        address.copy_set_param("sign", "ü"),
        address.copy_set_param("timestamp", "9999999999"),
        address.copy_set_param("timestamp", "x"),
        address.copy_with(query=other.query),
    ):
        check_error(asking.get(forged), 403, "forbidden", "Invalid request.")
    clock.now += timedelta(seconds=300)
    assert asking.get(address).status_code == 200
    clock.now += timedelta(seconds=1)
    check_error(asking.get(address), 403, "forbidden", "Invalid request.")
    assert dify.stats()["downloads"] == 1


# Runs that nobody listens to


def test_a_run_goes_on_when_its_listener_leaves(dify: Dify) -> None:
    dify.switch_on({"kind": "slow", "seconds": 0.5})
    with dify.stream() as lines:
        run_id = json.loads(next(lines)[6:])["workflow_run_id"]
    assert dify.detail(run_id)["status"] == "running"
    detail = dify.wait_for_end(run_id)
    assert detail["status"] == "succeeded"
    assert json.loads(detail["inputs"]) == INPUTS
    assert detail["outputs"]["text"].startswith(SUMMER)


def test_listeners_come_back(dify: Dify) -> None:
    dify.switch_on({"kind": "slow", "seconds": 0.5})
    with dify.stream() as lines:
        run_id = json.loads(next(lines)[6:])["workflow_run_id"]
    both: list[list[Json]] = []
    threads = [
        threading.Thread(target=lambda: both.append(dify.events(run_id))),
        threading.Thread(
            target=lambda: both.append(dify.events(run_id, include_state_snapshot="true"))
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later, whole = sorted(both, key=len)
    assert [event["event"] for event in whole] == KINDS
    assert later == whole[-len(later) :]
    assert len(later) < len(whole)
    for snapshot in ("true", "false"):
        assert dify.events(run_id, include_state_snapshot=snapshot) == [whole[-1]]


def test_only_the_user_of_a_run_may_listen(dify: Dify) -> None:
    run_id = dify.finish()["id"]
    path = f"/v1/workflow/{run_id}/events"
    check_error(dify.http.get(f"{path}?user=u2"), 404, "not_found", "Workflow run not found.")
    check_error(dify.http.get(path), 400, "invalid_param", "Arg user must be provided.")


def test_a_quiet_stream_pings(dify: Dify) -> None:
    dify.switch_on({"kind": "slow", "seconds": 0.5})
    assert "\n\nevent: ping\n\n" in dify.post().text


def test_a_run_can_be_stopped(dify: Dify) -> None:
    dify.switch_on({"kind": "slow", "seconds": 30})
    with dify.stream() as lines:
        first = json.loads(next(lines)[6:])
        path = f"/v1/workflows/tasks/{first['task_id']}/stop"
        check_error(
            dify.http.post(path, json={}), 400, "invalid_param", "Arg user must be provided."
        )
        for _ in range(2):
            assert dify.http.post(path, json={"user": "any"}).json() == {"result": "success"}
        last = [json.loads(line[6:]) for line in lines if line.startswith("data: ")][-1]
    assert (last["event"], last["data"]["status"]) == ("workflow_finished", "stopped")
    assert last["data"]["outputs"] is None
    assert dify.detail(first["workflow_run_id"])["status"] == "stopped"
    stats = dify.stats()
    assert (stats["stopped"], stats["running"], stats["succeeded"]) == (1, 0, 0)
    other = dify.http.post("/v1/workflows/tasks/unknown/stop", json={"user": "any"})
    assert other.json() == {"result": "success"}


# The log


def test_the_log_lists_a_run_from_its_start_on(dify: Dify, clock: MovedClock) -> None:
    dify.switch_on({"kind": "slow", "seconds": 30})
    with dify.stream(user="variant-7") as lines:
        run_id = json.loads(next(lines)[6:])["workflow_run_id"]
        body = dify.logs(created_by_end_user_session_id="variant-7")
    assert (body["page"], body["limit"], body["total"], body["has_more"]) == (1, 20, 1, False)
    (row,) = body["data"]
    run = row["workflow_run"]
    assert (run["id"], run["status"], run["finished_at"]) == (run_id, "running", None)
    assert run["created_at"] == row["created_at"] == int(clock.now.timestamp())
    assert set(run) == {
        "id", "version", "status", "error", "elapsed_time", "total_tokens", "total_steps",
        "created_at", "finished_at", "exceptions_count", "triggered_from",
    }  # fmt: skip
    assert (row["created_from"], row["created_by_role"]) == ("service-api", "end_user")
    assert row["created_by_account"] is None
    owner = row["created_by_end_user"]
    assert owner.pop("id")
    assert owner == {"type": "service_api", "is_anonymous": False, "session_id": "variant-7"}
    assert dify.runs_of("somebody") == []


def test_the_log_can_be_searched_and_leafed_through(dify: Dify, clock: MovedClock) -> None:
    ids = []
    for number in range(5):
        clock.now += timedelta(hours=1)
        ids.append(dify.finish(user=f"u{number % 2}", prompt=f"sale number {number}")["id"])

    def listed(**params: str | int) -> list[int]:
        return [ids.index(row["workflow_run"]["id"]) for row in dify.logs(**params)["data"]]

    assert listed() == [4, 3, 2, 1, 0]
    assert listed(limit=2, page=2) == [2, 1]
    assert dify.logs(limit=2)["has_more"] is True
    assert dify.logs(limit=2, page=3)["has_more"] is False
    assert listed(created_by_end_user_session_id="u1") == [3, 1]
    assert listed(keyword="number 3") == [3]
    assert listed(status="succeeded", limit=1) == [4]
    assert listed(status="failed") == []
    moment = (clock.now - timedelta(hours=2)).isoformat()
    assert listed(created_at__after=moment) == [4, 3, 2]
    assert listed(created_at__before=moment.replace("+00:00", "Z")) == [2, 1, 0]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "101"},
        {"limit": "0"},
        {"page": "x"},
        {"status": "running"},
        {"created_at__after": "yesterday"},
    ],
)
def test_the_log_refuses_nonsense(dify: Dify, params: dict[str, str]) -> None:
    response = dify.http.get("/v1/workflows/logs", params=params)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_param")


# Faults


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("quota", 400, "provider_quota_exceeded"),
        ("plan_limit", 429, "rate_limit_error"),
        ("busy", 429, "too_many_requests"),
        ("unauthorized", 401, "unauthorized"),
        ("server_error", 500, "internal_server_error"),
    ],
)
def test_a_refusal_costs_nothing(dify: Dify, kind: str, status: int, code: str) -> None:
    dify.switch_on({"kind": kind, "times": 1})
    response = dify.post()
    assert response.status_code == status
    assert (response.json()["code"], response.json()["status"]) == (code, status)
    assert dify.stats()["runs"] == dify.stats()["paid"] == 0
    assert dify.logs()["total"] == 0
    assert dify.finish()["status"] == "succeeded"


def test_a_proxy_answers_with_a_page(dify: Dify) -> None:
    dify.switch_on({"kind": "unavailable"})
    response = dify.post()
    assert response.status_code == 503
    assert response.headers["content-type"].startswith("text/html")
    assert dify.stats()["runs"] == 0


def test_a_cut_stream_leaves_the_run_going(dify: Dify) -> None:
    dify.switch_on({"kind": "cut_stream", "times": 1})
    seen: list[Json] = []

    def listen() -> None:
        with dify.stream() as lines:
            seen.extend(json.loads(line[6:]) for line in lines if line.startswith("data: "))

    with pytest.raises(FRAGILE):
        listen()
    assert [event["event"] for event in seen] == KINDS[:2]
    assert dify.wait_for_end(seen[0]["workflow_run_id"])["status"] == "succeeded"
    assert dify.finish()["status"] == "succeeded"


def test_a_lost_answer_is_paid_for_and_in_the_log(dify: Dify) -> None:
    dify.switch_on({"kind": "lost_answer", "times": 1})
    with pytest.raises(FRAGILE):
        dify.post(user="variant-9")
    assert dify.stats()["paid"] == 1
    (run_id,) = dify.runs_of("variant-9")
    assert dify.wait_for_end(run_id)["outputs"]["text"].startswith(SUMMER)


@pytest.mark.parametrize(("kind", "events"), [("silence", 2), ("late_first_event", 0)])
def test_a_stream_falls_silent_while_the_run_goes_on(dify: Dify, kind: str, events: int) -> None:
    dify.switch_on({"kind": kind, "times": 1})
    seen: list[str] = []

    def listen() -> None:
        patience = httpx.Timeout(60, read=2.0)
        request = dify.http.build_request(
            "POST", "/v1/workflows/run", json=dify.body(), timeout=patience
        )
        response = dify.http.send(request, stream=True)
        try:
            for line in response.iter_lines():
                seen.append(line)
                if seen.count("event: ping") == 3:
                    raise httpx.ReadTimeout("only pings")
        finally:
            response.close()

    with pytest.raises(httpx.ReadTimeout):
        listen()
    assert sum(line.startswith("data: ") for line in seen) == events
    assert ("event: ping" in seen) is (kind == "late_first_event")
    (run_id,) = dify.runs_of("u1")
    assert dify.wait_for_end(run_id)["status"] == "succeeded"


@pytest.mark.parametrize("kind", ["silence", "late_first_event"])
def test_a_silence_can_end(dify: Dify, kind: str) -> None:
    dify.switch_on({"kind": kind, "seconds": 0.2})
    started = time.monotonic()
    assert [event["event"] for event in dify.run()] == KINDS
    assert time.monotonic() - started >= 0.2


def test_an_error_event_ends_the_stream(dify: Dify) -> None:
    dify.switch_on({"kind": "error_event"})
    started, error = dify.run()
    assert started["event"] == "workflow_started"
    message = "Completion request failed."
    assert error == {
        "event": "error", "status": 400, "code": "completion_request_error", "message": message,
    }  # fmt: skip
    detail = dify.detail(started["workflow_run_id"])
    assert (detail["status"], detail["error"]) == ("failed", message)
    stats = dify.stats()
    assert (stats["runs"], stats["paid"], stats["failed"]) == (1, 1, 1)
    blocking = dify.post(mode="blocking")
    check_error(blocking, 400, "completion_request_error", message)
    (last,) = dify.events(started["workflow_run_id"])
    assert (last["event"], last["data"]["status"]) == ("workflow_finished", "failed")


def test_a_failed_run_says_why(dify: Dify) -> None:
    dify.switch_on({"kind": "failed_run"})
    events = dify.run()
    node, last = events[-2]["data"], events[-1]["data"]
    assert (node["title"], node["status"]) == ("Draw picture", "failed")
    assert (last["status"], last["outputs"]) == ("failed", None)
    assert last["error"] == node["error"]
    assert "failed_run" in last["error"]
    assert dify.stats()["failed"] == dify.stats()["paid"] == 1
    assert [row["workflow_run"]["status"] for row in dify.logs(status="failed")["data"]] == [
        "failed"
    ]


@pytest.mark.parametrize(
    ("outputs", "name", "empty"),
    [("guide", "json", []), ("relative", "json", []), ("file", "image", None), ("markdown", "", 0)],
)
def test_a_variant_can_lack_its_picture(dify: Dify, outputs: str, name: str, empty: object) -> None:
    dify.shape(outputs=outputs)
    dify.switch_on({"kind": "no_picture"})
    given = dify.finish()["outputs"]
    assert given.pop("text").startswith(SUMMER)
    assert given == ({name: empty} if name else {})


def test_a_picture_can_be_expired_or_broken(dify: Dify) -> None:
    dify.switch_on({"kind": "expired_picture", "times": 1})
    assert asking.get(address_of(dify.finish())).status_code == 403
    dify.switch_on({"kind": "broken_picture", "times": 1})
    broken = asking.get(address_of(dify.finish()))
    assert (broken.status_code, broken.headers["content-type"]) == (200, "image/png")
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(broken.content))
    assert asking.get(address_of(dify.finish())).status_code == 200


def test_a_slow_run_takes_longer(dify: Dify) -> None:
    dify.switch_on({"kind": "slow", "seconds": 0.5, "times": 1})
    assert dify.finish()["elapsed_time"] >= 0.54
    assert dify.finish()["elapsed_time"] < 0.5


def test_an_upload_can_fail(dify: Dify) -> None:
    dify.switch_on({"kind": "upload_error", "times": 1})
    failed = dify.upload()
    check_error(failed, 500, "internal_server_error", "Internal Server Error.")
    assert dify.finish()["status"] == "succeeded", "runs are not hit"
    assert dify.upload().status_code == 201
    assert dify.stats()["uploads"] == 1


def test_faults_are_shown_and_checked(dify: Dify) -> None:
    dify.switch_on({"kind": "silence", "seconds": 3, "after": 1})
    (shown,) = dify.http.get("/sandbox/dify/faults").json()
    assert shown == {"kind": "silence", "probability": 1.0, "seconds": 3.0, "after": 1}
    for bad in ({"kind": "hang"}, {"kind": "quota", "seconds": 1}):
        response = dify.http.put("/sandbox/dify/faults", json=[bad])
        assert response.status_code == 422
        assert response.json()["details"]
    assert len(dify.http.get("/sandbox/dify/faults").json()) == 1


def test_requests_that_are_refused_anyway_use_up_no_fault(dify: Dify) -> None:
    dify.switch_on({"kind": "quota", "times": 1})
    assert dify.post(prompt=None).json()["code"] == "invalid_param"
    assert dify.post().json()["code"] == "provider_quota_exceeded"


# Counters, reset, home page


def test_the_counters_add_up_and_a_reset_forgets_everything(dify: Dify) -> None:
    source = dify.upload().json()["source_url"]
    for user in ("a", "a", "b"):
        asking.get(address_of(dify.finish(user=user)))
    dify.switch_on({"kind": "slow", "seconds": 30})
    with dify.stream(user="c") as lines:
        run_id = json.loads(next(lines)[6:])["workflow_run_id"]
        stats = dify.stats()
        assert stats.pop("by_user") == {"a": 2, "b": 1, "c": 1}
        assert stats == {
            "uploads": 1, "runs": 4, "paid": 4, "succeeded": 3, "failed": 0, "stopped": 0,
            "running": 1, "downloads": 3,
        }  # fmt: skip
        assert dify.http.post("/sandbox/reset").status_code == 200
        assert '"stopped"' in list(lines)[-2], "listeners are told"
    assert set(map(str, dify.stats().values())) == {"0", "{}"}
    assert dify.http.get("/sandbox/dify/faults").json() == []
    assert dify.http.get(f"/v1/workflows/run/{run_id}").status_code == 404
    assert asking.get(source).status_code == 404
    assert dify.logs()["total"] == 0


def test_the_home_page_tells_address_key_and_counters(dify: Dify) -> None:
    dify.finish()
    dify.switch_on({"kind": "failed_run"})
    page = dify.http.get("/").text
    assert f"{dify.url}/v1" in page
    assert "app-sandbox" in page
    assert "<th>downloads</th>" in page
    assert "failed_run" in page


def test_key_version_and_faults_can_be_set_from_the_start() -> None:
    fault = DifyFault(kind=DifyFaultKind.PLAN_LIMIT, times=1)
    settings = SandboxSettings(
        dify_key="app-k", dify_workflow_id="w1", dify_faults=(fault,), generation_seconds=0
    )
    with visit(settings) as dify:
        assert dify.post().status_code == 401
        dify.http.headers["Authorization"] = "Bearer app-k"
        assert dify.post().status_code == 429
        assert parse(dify.post("/v1/workflows/w1/run").text)[-1]["data"]["workflow_id"] == "w1"
        dify.http.post("/sandbox/reset")
        assert dify.post().status_code == 429


def test_a_run_in_progress_does_not_keep_the_server_from_stopping() -> None:
    started = time.monotonic()
    with visit(SandboxSettings(generation_seconds=600)) as dify, dify.stream() as lines:
        next(lines)
    assert time.monotonic() - started < 100  # far from what the run takes


def test_the_command_serves_dify_too() -> None:
    command = [
        sys.executable, "-m", "adspark.sandbox", "--port", "0", "--dify-key", "app-k",
        "--generation-seconds", "0.01",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        assert f"at {url}/v1 with key app-k" in line
        dify = Dify(url)
        dify.http.headers["Authorization"] = "Bearer app-k"
        with dify.http:
            data = dify.finish()
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""
    assert address_of(data).startswith(url)
    assert data["elapsed_time"] < 1
