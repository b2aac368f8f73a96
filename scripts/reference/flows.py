"""The reference of flows: the table of queue classes, and each flow's parameters."""

from importlib import import_module
from typing import Any

from prefect import Flow
from prefect.utilities.callables import parameter_schema

from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS
from adspark.settings import Settings
from deployments.queue_classes import QUEUE_CLASSES, FlowClass, QueueClass
from scripts.reference.markdown import code, make_document, make_paragraph, make_table, sentence

_RATES = {
    SEARCHES: "10 searches a minute",
    GENERATIONS: "30 generations a minute",
    SWEEPS: "5 begun a minute",
    CLEANUPS: "1 begun an hour",
    None: "",
}
_ABOUT = """
Each flow has one deployment of the same name: `fetch-creatives/fetch-creatives`. All ways in take
the parameters below. Schedules are cron in UTC, as they are first deployed; what is changed in
Prefect is kept. The memory holds where runs are containers.
"""


def make_page() -> str:
    parts = [_pool(one) for one in QUEUE_CLASSES]
    flows = [flow for one in QUEUE_CLASSES for flow in one.flows]
    return make_document("Flows", _ABOUT, *parts, *map(_flow, flows))


def _pool(pool: QueueClass) -> str:
    memory = f"{pool.memory // 1024} GB" if pool.memory >= 1024 else f"{pool.memory} MB"
    heads = ("flow", "time limit an attempt", "over all workers", "overlap", "schedule (UTC)")
    return "\n\n".join(
        (
            f"## Pool {pool.name}",
            f"{sentence(pool.description)}. {pool.concurrency} at once, {memory} a run.",
            make_table(heads, map(_row, pool.flows)),
        )
    )


def _row(flow: FlowClass) -> tuple[str, ...]:
    seconds = getattr(Settings(), flow.time_limit) if flow.time_limit else None
    return (
        f"[{code(flow.name)}](#{flow.name})",
        f"{seconds:g} s" if seconds else "",
        _RATES[flow.rate],
        "one at a time" if flow.is_alone else "",
        code(flow.schedule or ""),
    )


def _flow(flow: FlowClass) -> str:
    found = getattr(import_module(flow.module), flow.name.replace("-", "_"))
    assert isinstance(found, Flow)
    about = (found.description or "").partition("\n\nArgs:")[0].partition("\n\nRaises:")[0]
    schema = parameter_schema(found)
    rows = [
        (code(name), _default(one, name in schema.required), _meaning(one, schema.definitions))
        for name, one in schema.properties.items()
    ]
    table = make_table(("parameter", "default", "meaning"), rows) if rows else "It takes none."
    return f"## {flow.name}\n\n{make_paragraph(about)}\n\n{table}"


def _meaning(parameter: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What its docstring says, and the values where there are but a few."""
    kinds = [parameter, *parameter.get("anyOf", ()), *parameter.get("allOf", ())]
    named = [definitions.get(one["$ref"].rpartition("/")[2], {}) for one in kinds if "$ref" in one]
    values: list[str] = next((one["enum"] for one in [*kinds, *named] if "enum" in one), [])
    told = ", ".join(code(str(one)) for one in values)
    return sentence(parameter.get("description", "")) + (f": {told}" if told else "")


def _default(parameter: dict[str, Any], is_required: bool) -> str:
    if is_required:
        return "needed"
    value = parameter.get("default")
    if value is None or value == "":
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))
