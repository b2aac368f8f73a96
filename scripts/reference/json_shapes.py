"""All documents that commands print with `--json`, and their schemas."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import deployments.cli
from deployments.terminal.documents import Document


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
