"""What Prefect's API takes: nothing that its server cannot give back, and no number out of bounds.

Prefect stores a run with a whole number of more than 64 bits, and then answers 500 to every list
that holds the run, for its writer of JSON knows no such numbers, and nothing nested so deep. So it
is refused, whatever it is a part of; and of a run of a deployment also what the schema of
its parameters does not allow, where the deployment itself leaves checking to the flow.
"""

import json
import re
from http import HTTPStatus

from pydantic import JsonValue
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.text.storable import UNSTORABLE, clean_text
from deployments.server.parameters import find_parameter_problem, may_carry_parameters

_CHANGES = ("POST", "PUT", "PATCH")
_LEAST, _MOST = -(2**63), 2**64 - 1  # what Prefect's writer of JSON knows
_DEEPEST = 100  # lists and objects in each other; the writer knows 254, the reader about 1000
# What a run reports of itself is cleaned: an odd character must not cost its log or its end.
_OF_RUN = re.compile(r"/(logs|artifacts|set_state)/?$")
# What a body has to hold before it is worth reading: a long number, many brackets, an escape, or
# JSON within JSON, in which escapes may hide.
_SUSPECT = re.compile(rb"\d{19}|\\u(?:0000|[dD][89a-fA-F])|__prefect_kind")
_TOO_LONG = "integer string conversion"  # Python does not read numbers of thousands of digits
_OPENING = re.compile(rb"[\[{]")


class ApiGuard:
    """Prefect's application, behind its guard.

    Args:
        app: what is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what can be taken, and answer 422 to the rest."""
        if scope["type"] != "http" or scope["method"] not in _CHANGES:
            await self._app(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        problem, body = await self._inspect(scope["path"], body)
        if problem:
            detail = {"detail": problem.removeprefix("parameters.")}
            await JSONResponse(detail, HTTPStatus.UNPROCESSABLE_ENTITY)(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    async def _inspect(self, path: str, body: bytes) -> tuple[str | None, bytes]:
        """What is wrong with a request, None where nothing is or where it is Prefect's to say; and
        the body to pass on."""
        try:
            body.decode()
        except UnicodeDecodeError:  # the server would read UTF-16 and UTF-32 too
            return "the request is not UTF-8.", body
        if b"\x00" in body:
            return "the request holds a NUL; remove it.", body
        has_parameters = may_carry_parameters(path, body)
        is_cleaned = b"\\u" in body and _OF_RUN.search(path) is not None
        is_deep = len(_OPENING.findall(body)) > _DEEPEST
        if not (has_parameters or is_cleaned or is_deep or _SUSPECT.search(body)):
            return None, body
        try:
            given: JsonValue = json.loads(body)
            if is_cleaned:
                given = _clean(given)
                body = json.dumps(given).encode()
        except RecursionError:
            return f"the request is nested more than {_DEEPEST} deep.", body
        except ValueError as error:
            return "a number has thousands of digits." if _TOO_LONG in str(error) else None, body
        problem = find_unstorable(given)
        if problem is None and has_parameters:
            problem = await find_parameter_problem(path, given)
        return problem, body


def find_unstorable(given: JsonValue, name: str = "", depth: int = 0) -> str | None:
    """What Prefect could not give back, with its place; None where there is nothing.

    Args:
        given: a document, as JSON has it.
        name: of its place, for the message.
        depth: levels above it.
    """
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


def _clean(given: JsonValue) -> JsonValue:
    """The same with U+FFFD for what no database can hold."""
    if isinstance(given, str):
        return clean_text(given)
    if isinstance(given, list):
        return [_clean(one) for one in given]
    if isinstance(given, dict):
        return {clean_text(key): _clean(one) for key, one in given.items()}
    return given
