"""What Prefect's API takes: nothing that its server cannot give back, and no number out of bounds.

Prefect stores a run with a whole number of more than 64 bits, and then answers 500 to every list
that holds the run, for its writer of JSON knows no such numbers, and nothing nested so deep. So it
is refused at the door, whatever is asked for; and of a run of a deployment also what the schema of
its parameters does not allow, where the deployment itself leaves checking to the flow.
"""

import json
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from uuid import UUID

from pydantic import JsonValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.text.storable import UNSTORABLE, clean_text
from adspark.validation.parameter_bounds import find_problem
from orchestration.prefect_internals import read_parameter_schema

_CHANGES = ("POST", "PUT", "PATCH")
_LEAST, _MOST = -(2**63), 2**64 - 1  # what Prefect's writer of JSON knows
_DEEPEST = 100  # lists and objects in each other; the writer knows 254, the reader about 1000
# What carries parameters of a deployment: a run of it, and the deployment itself.
_OF_DEPLOYMENT = re.compile(r"/deployments/([^/]+)(?:/create_flow_run)?/?$")
# What a run tells of itself: an odd character in it must not cost its log or its end.
_TOLD = re.compile(r"/(logs|artifacts|set_state)/?$")
# What a body has to hold before it is worth reading: a long number, many brackets, an escape, or
# JSON within JSON, in which escapes may hide.
_SUSPECT = re.compile(rb"\d{19}|\\u(?:0000|[dD][89a-fA-F])|__prefect_kind")
_TOO_LONG = "integer string conversion"  # Python does not read numbers of thousands of digits
_OPENING = re.compile(rb"[\[{]")

Schema = dict[str, JsonValue]
ReadSchema = Callable[[UUID], Awaitable[Schema | None]]


class ApiGuard:
    """Prefect's application, behind its guard.

    Args:
        app: what is guarded.
        read_schema: of a deployment's parameters; None where there is no such deployment.
    """

    def __init__(self, app: ASGIApp, *, read_schema: ReadSchema = read_parameter_schema) -> None:
        self._app = app
        self._read_schema = read_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what can be taken, and answer 422 to the rest."""
        if scope["type"] != "http" or scope["method"] not in _CHANGES:
            await self._app(scope, receive, send)
            return
        messages, body = await _read(receive)
        if _TOLD.search(scope["path"]) and (cleaned := _clean_body(body)):
            scope, body = _with_length(scope, len(cleaned)), cleaned
            messages = [{"type": "http.request", "body": cleaned}]
        if problem := await self._problem_of(scope["path"], body):
            await _refuse(send, problem)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)

    async def _problem_of(self, path: str, body: bytes) -> str | None:
        """What is wrong with a request; None where nothing is, or where it is Prefect's to say."""
        try:
            body.decode()
        except UnicodeDecodeError:  # the server would read UTF-16 and UTF-32 too
            return "the request is not UTF-8."
        if b"\x00" in body:
            return "the request holds a NUL; remove it."
        of_deployment = _OF_DEPLOYMENT.search(path)
        is_deep = len(_OPENING.findall(body)) > _DEEPEST
        if not of_deployment and not is_deep and not _SUSPECT.search(body):
            return None
        try:
            given: JsonValue = json.loads(body)
        except RecursionError:
            return f"the request is nested more than {_DEEPEST} deep."
        except ValueError as error:
            return "a number has thousands of digits." if _TOO_LONG in str(error) else None
        if problem := find_unstorable(given):
            return problem
        parameters = given.get("parameters") if isinstance(given, dict) else None
        if not of_deployment or not isinstance(parameters, dict):
            return None
        try:
            deployment_id = UUID(of_deployment[1])
        except ValueError:
            return None
        schema = await self._read_schema(deployment_id)
        return find_problem(schema or {}, parameters)


def find_unstorable(given: JsonValue, name: str = "", depth: int = 0) -> str | None:
    """What Prefect could not give back, with its place; None where there is nothing."""
    what = name or "the request"
    if isinstance(given, int) and not _LEAST <= given <= _MOST:
        return f"{what}: a whole number of more than 64 bits; give a smaller one."
    if isinstance(given, str) and UNSTORABLE.search(given):
        return f"{what}: holds a NUL or half a character; remove it."
    if not isinstance(given, dict | list):
        return None
    if depth >= _DEEPEST:
        field = name.removeprefix("parameters.").partition(".")[0] or what
        return f"{field}: nested more than {_DEEPEST} deep."
    items = given.items() if isinstance(given, dict) else enumerate(given)
    for key, one in items:
        if isinstance(key, str) and (problem := find_unstorable(key, f"{what}: a name")):
            return problem
        place = f"{name}.{key}" if name else str(key)
        if problem := find_unstorable(one, place, depth + 1):
            return problem
    return _find_in_template(given, name, depth) if isinstance(given, dict) else None


def _find_in_template(given: dict[str, JsonValue], name: str, depth: int) -> str | None:
    """What becomes of JSON within JSON, which Prefect reads before it stores a run."""
    written = given.get("value")
    if given.get("__prefect_kind") != "json" or not isinstance(written, str):
        return None
    try:
        return find_unstorable(json.loads(written), name, depth + 1)
    except RecursionError:
        return f"{name}: nested more than {_DEEPEST} deep."
    except ValueError as error:
        return f"{name}: a number has thousands of digits." if _TOO_LONG in str(error) else None


def _clean_body(body: bytes) -> bytes | None:
    """The body with U+FFFD for what no database can hold; None where there is nothing of it."""
    if b"\\u" not in body:
        return None
    try:
        cleaned = json.dumps(_clean(json.loads(body))).encode()
    except (RecursionError, ValueError):
        return None
    return cleaned


def _clean(given: JsonValue) -> JsonValue:
    if isinstance(given, str):
        return clean_text(given)
    if isinstance(given, list):
        return [_clean(one) for one in given]
    if isinstance(given, dict):
        return {clean_text(key): _clean(one) for key, one in given.items()}
    return given


def _with_length(scope: Scope, length: int) -> Scope:
    kept = [header for header in scope["headers"] if header[0] != b"content-length"]
    return {**scope, "headers": [*kept, (b"content-length", b"%d" % length)]}


async def _read(receive: Receive) -> tuple[list[Message], bytes]:
    """All of a request's body, as it came and as a whole."""
    messages: list[Message] = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body"):
            return messages, b"".join(one.get("body", b"") for one in messages)


async def _refuse(send: Send, problem: str) -> None:
    body = json.dumps({"detail": problem.removeprefix("parameters.")}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
