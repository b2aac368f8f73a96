"""The reference of the JSON interface: the addresses that its OpenAPI document describes."""

from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI, Request

from deployments.gallery.api import router
from deployments.gallery.api.description import describe_api
from scripts.reference.markdown import code, make_document, make_paragraph, make_table, sentence

_ABOUT = """
Addresses of the gallery for programs, under `/api/v1`; they only read. `/api/v1/openapi.json`
describes them to the last field. How to ask: [The JSON
interface](../developers/json-interface.md).
"""


def make_page() -> str:
    app = FastAPI()
    app.include_router(router.router)
    described = describe_api(cast("Request", SimpleNamespace(app=app)))
    parts = [_address(path, one["get"]) for path, one in described["paths"].items()]
    return make_document("JSON interface", _ABOUT, *parts)


def _address(path: str, operation: dict[str, Any]) -> str:
    about = make_paragraph(operation.get("description") or operation.get("summary") or "")
    rows = [
        (code(one["name"]), _default(one), sentence(one.get("description") or ""))
        for one in operation.get("parameters", ())
    ]
    table = make_table(("parameter", "default", "meaning"), rows) if rows else ""
    return f"## GET {path}\n\n{about}\n\n{table}".rstrip()


def _default(parameter: dict[str, Any]) -> str:
    if parameter["in"] == "path":
        return "in the address"
    value = parameter.get("schema", {}).get("default")
    return "" if value is None or value == "" else code(str(value))
