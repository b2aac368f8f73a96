"""The description of the JSON interface in OpenAPI, and the check that requests keep to it."""

from importlib.metadata import version
from typing import Any

from fastapi import Request
from fastapi.openapi.utils import get_openapi

from adspark.errors import InvalidQueryError
from adspark.validation.repeated import check_once

PREFIX = "/api/v1"

_ABOUT = """
The queries of AdSpark's pages, read only. Lists come by page: `next` of a page is `after` of the
next one. Times are UTC. What goes wrong is an object with `detail`, a sentence, and `field`, the
parameter where it is one; 429 and 503 can be tried again after `Retry-After` seconds.
"""


def describe_api(request: Request) -> dict[str, Any]:
    """The description of all addresses, made once for each application."""
    state = request.app.state
    if not hasattr(state, "description"):
        state.description = get_openapi(
            title="AdSpark",
            version=version("adspark"),
            description=_ABOUT.strip(),
            routes=request.app.routes,
        )
    described: dict[str, Any] = state.description
    return described


async def check_parameters(request: Request) -> None:
    """Refuse a parameter that the address does not have, as one that is misspelled, and two of one
    that it takes once.

    Raises:
        InvalidQueryError: names it, and those there are.
    """
    paths, path = describe_api(request)["paths"], request.scope["route"].path
    # Which of the two it is depends on the release of FastAPI.
    described = (paths.get(path) or paths[PREFIX + path])["get"]
    parameters = [one for one in described.get("parameters", ()) if one["in"] == "query"]
    known = {one["name"]: _is_list(one["schema"]) for one in parameters}
    for name in request.query_params:
        if name not in known:
            there_are = ", ".join(sorted(known)) or "none"
            raise InvalidQueryError(name, f"is no parameter here; there are: {there_are}.")
        if not known[name]:
            check_once(name, request.query_params.getlist(name))


def _is_list(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))
