"""The reference of what commands print with `--json`: every shape, and the types of its fields."""

from typing import Any

from scripts.reference.json_shapes import find_documents, schema_of, type_of
from scripts.reference.markdown import code, make_document, make_table, sentence

_ABOUT = """
With `--json` a command writes its result to standard output: one document on one line, or a line
for each where it goes on (`monitor`, `up`). Each document begins with `schema`, the name and the
version of its shape, such as `watch-list/1`. A version keeps the names and types of its fields;
fields may be added to it, so a program ignores those that it does not know. What else there is to
say, a program gets on standard error, a line each: errors as `error/1`, warnings and progress as
`note/1`. Times are ISO 8601 in UTC; what is not known is null.

Exit codes: 0, it is done; 1, it failed, or something needs a person, and the same call may do
later; 2, the call or the configuration has to change first, as where a name is unknown.
"""


def make_page() -> str:
    parts: list[str] = []
    types: dict[str, dict[str, Any]] = {}
    for document in find_documents():
        schema = schema_of(document)
        types |= schema.get("$defs", {})
        printed = ", ".join(code(f"adspark {name}") for name in document.COMMANDS) or "any command"
        parts += [f"## {document.SHAPE}", f"{_first(schema)} Printed by {printed}."]
        parts.append(_fields(schema))
    parts.append("## Types")
    for name, schema in sorted(types.items()):
        values = ", ".join(code(value) for value in schema.get("enum", ()))
        parts += [f"### {name}", f"One of {values}." if values else _first(schema)]
        parts.append(_fields(schema))
    return make_document("JSON of the command", _ABOUT, *parts)


def _first(schema: dict[str, Any]) -> str:
    """The first paragraph of what is said of it, in one line."""
    return " ".join(str(schema.get("description", "")).split("\n\n")[0].split())


def _fields(schema: dict[str, Any]) -> str:
    rows = [
        (code(name), type_of(field), sentence(str(field.get("description", ""))))
        for name, field in schema.get("properties", {}).items()
    ]
    return make_table(("field", "type", "meaning"), rows) if rows else ""
