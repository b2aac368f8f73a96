"""All documents that commands print with `--json`, and their reference in Markdown."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import deployments.cli
from deployments.terminal.documents import Document

_INTRODUCTION = """\
With `--json` a command writes its result to standard output: one document on one line, or a line
for each where it goes on (`monitor`, `up`). Each document begins with `schema`, the name and the
version of its shape, such as `watch-list/1`. A version keeps the names and types of its fields;
fields may be added to it, so a program ignores those that it does not know. What else there is to
say, a program gets on standard error, a line each: errors as `error/1`, warnings and progress as
`note/1`. Times are ISO 8601 in UTC; what is not known is null.

Exit codes: 0, it is done; 1, it failed, or something needs a person, and the same call may do
later; 2, the call or the configuration has to change first, as where a name is unknown."""


def find_documents() -> list[type[Document]]:
    """Every shape, by its name; imports all modules in which they are, and Prefect with them."""
    for module in pkgutil.walk_packages(deployments.cli.__path__, "deployments.cli."):
        if module.name.endswith("documents"):
            import_module(module.name)
    return sorted(_below(Document), key=lambda one: one.SHAPE)


def schema_of(document: type[Document]) -> dict[str, Any]:
    """Its JSON Schema, with the field `schema`."""
    schema = document.model_json_schema(mode="serialization")
    named = {"schema": {"const": document.SHAPE, "type": "string"}}
    schema["properties"] = named | schema.get("properties", {})
    schema["required"] = ["schema", *schema.get("required", [])]
    return schema


def write_reference() -> str:
    """The reference of all shapes."""
    parts = ["# JSON of the command", _INTRODUCTION]
    types: dict[str, dict[str, Any]] = {}
    for document in find_documents():
        schema = schema_of(document)
        types |= schema.get("$defs", {})
        printed = ", ".join(f"`adspark {name}`" for name in document.COMMANDS) or "any command"
        parts.append(f"## {document.SHAPE}")
        parts.append(f"{_sentence(schema)} Printed by {printed}.")
        parts += _fields(schema)
    parts.append("## Types")
    for name, schema in sorted(types.items()):
        parts.append(f"### {name}")
        if "enum" in schema:
            parts.append("One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".")
        else:
            parts += [_sentence(schema), *_fields(schema)]
    return "\n\n".join(filter(None, parts)) + "\n"


def type_of(schema: dict[str, Any]) -> str:
    """The type of a field in short, such as `list of WatchRow or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(type_of, schema["anyOf"])))
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_of(schema['additionalProperties'])}"
    return str(schema.get("format", schema.get("type", "any")))


def _below(document: type[Document]) -> Iterator[type[Document]]:
    for one in document.__subclasses__():
        yield one
        yield from _below(one)


def _sentence(schema: dict[str, Any]) -> str:
    return " ".join(str(schema.get("description", "")).split("\n\n")[0].split())


def _fields(schema: dict[str, Any]) -> list[str]:
    properties = schema.get("properties", {})
    if not properties:
        return []
    rows = ["| field | type | |", "| --- | --- | --- |"]
    for name, field in properties.items():
        said = " ".join(str(field.get("description", "")).split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {type_of(field)} | {said} |")
    return ["\n".join(rows)]
