"""Every command speaks JSON, in shapes that are known, versioned and kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deployments.terminal.documents import Document, ErrorDocument, NoteDocument
from scripts.reference.command_json import make_page
from scripts.reference.json_shapes import find_documents, schema_of, type_of
from tests.support.commands import leaf_commands, options_of

KEPT = Path(__file__).with_name("json_shapes.json")
WITHOUT_JSON = {
    "top": "a screen for people; `monitor --json` gives programs the same",
    "worker": "what it tells is its log",
    "sandbox": "what it tells is its log",
    "mcp": "it speaks the protocol of assistants, which is JSON",
}


def fields_of(document: type[Document]) -> dict[str, str]:
    """Every field at any depth, as `watches[].id`, with its type."""
    schema = schema_of(document)
    found: dict[str, str] = {}

    def walk(part: dict[str, Any], path: str, above: tuple[str, ...]) -> None:
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            if name not in above:
                walk(schema["$defs"][name], path, (*above, name))
            return
        for one in part.get("anyOf", ()):
            walk(one, path, above)
        if "items" in part:
            walk(part["items"], f"{path}[]", above)
        if isinstance(part.get("additionalProperties"), dict):
            walk(part["additionalProperties"], f"{path}{{}}", above)
        for name, field in part.get("properties", {}).items():
            below = f"{path}.{name}".removeprefix(".")
            found[below] = type_of(field)
            walk(field, below, above)

    walk(schema, "", ())
    return found


def test_every_command_speaks_json_or_it_is_said_why_not() -> None:
    without = {
        name for name, command in leaf_commands().items() if "--json" not in options_of(command)
    }
    assert without == WITHOUT_JSON.keys()


def test_every_command_with_json_has_a_shape_and_every_shape_is_printed() -> None:
    speaking = leaf_commands().keys() - WITHOUT_JSON.keys()
    printed = {name for document in find_documents() for name in document.COMMANDS}
    assert printed == speaking
    silent = {one for one in find_documents() if not one.COMMANDS}
    assert silent == {ErrorDocument, NoteDocument}


def test_a_shape_has_one_name_with_a_version() -> None:
    names = [document.SHAPE for document in find_documents()]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z-]+/[1-9]\d*", name)] == []
    assert [one for one in find_documents() if "schema" in one.model_fields] == []


@pytest.mark.parametrize("document", find_documents(), ids=lambda one: one.SHAPE)
def test_a_version_keeps_its_fields_and_their_types(document: type[Document]) -> None:
    """Who adds a field, adds it to the file; who drops, renames or retypes one raises the version:

    python -m tests.unit.cli.test_json_shapes
    """
    kept = json.loads(KEPT.read_text())[document.SHAPE]
    assert fields_of(document) == kept


def test_the_reference_has_every_shape_and_every_field() -> None:
    written = make_page()
    for document in find_documents():
        assert f"## {document.SHAPE}\n" in written
        for name in schema_of(document)["properties"]:
            assert f"| `{name}` |" in written


if __name__ == "__main__":
    shapes = {document.SHAPE: fields_of(document) for document in find_documents()}
    KEPT.write_text(json.dumps(shapes, indent=1) + "\n")
