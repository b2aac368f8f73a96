"""A group of our commands, called as a user calls it, but within the test's process."""

import json
from functools import cache
from typing import Any

import jsonschema
from typer.testing import CliRunner, Result

from deployments.cli.main import app
from deployments.terminal.documents import Document
from scripts.reference.json_shapes import find_documents, schema_of


class Command:
    """`adspark GROUP`, in a terminal of so many columns."""

    def __init__(self, group: str, *, columns: int = 80) -> None:
        self._group = group
        self._columns = str(columns)

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        """Run the command, to whatever end."""
        runner = CliRunner(env={"COLUMNS": self._columns})
        return runner.invoke(app, [self._group, *arguments], input=typed)

    def told(self, *arguments: str, typed: str | None = None) -> str:
        """What the command says, on one line, when all goes well."""
        result = self.run(*arguments, typed=typed)
        if result.exception:
            raise result.exception
        return " ".join(result.stdout.split())

    def given(self, *arguments: str) -> Any:  # noqa: ANN401  (JSON)
        """What a program reads: all of standard output is one line of JSON, in a known shape."""
        result = self.run(*arguments, "--json")
        if result.exception:
            raise result.exception
        assert result.stdout.count("\n") == 1
        return checked(result.stdout, f"{self._group} {arguments[0] if arguments else ''}".strip())


def checked(line: str, command: str) -> Any:  # noqa: ANN401  (JSON)
    """A document that is as its shape says, without the name of the shape."""
    document = json.loads(line)
    shape = _shapes()[document["schema"]]
    assert {command, command.partition(" ")[0]} & set(shape.COMMANDS)
    jsonschema.validate(document, schema_of(shape))
    del document["schema"]
    return document


@cache
def _shapes() -> dict[str, type[Document]]:
    return {one.SHAPE: one for one in find_documents()}
