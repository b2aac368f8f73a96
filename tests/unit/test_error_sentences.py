"""Errors: what helps on a command line stands apart from the sentence that pages show."""

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import adspark
from adspark.errors import AdSparkError, ConfigurationError, InvalidQueryError
from deployments.gallery.texts import Texts

_COMMAND = re.compile(r"\badspark [a-z]|ADSPARK_HOME=")
_SOURCES = sorted(Path(adspark.__file__).parent.rglob("*.py"))


def _commands_in_messages(tree: ast.AST) -> Iterator[int]:
    """Lines where the message of an error, not its `command`, has a command."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if not name.endswith("Error"):
            continue
        for argument in node.args:
            for part in ast.walk(argument):
                if isinstance(part, ast.Constant) and _COMMAND.search(str(part.value)):
                    yield part.lineno


def test_no_message_of_an_error_names_a_command() -> None:
    found = [
        f"{path}:{line}"
        for path in _SOURCES
        for line in _commands_in_messages(ast.parse(path.read_text()))
    ]
    assert found == []


def test_no_text_of_a_page_names_a_command_or_a_setting() -> None:
    raw = Texts()._texts
    assert [name for name, said in raw.items() if re.search(r"adspark [a-z]|ADSPARK_", said)] == []


def test_the_text_of_an_error_ends_with_the_command_and_its_sentence_does_not() -> None:
    error = ConfigurationError("There is no watch 3.", command="list them with: adspark watch list")

    assert str(error) == "There is no watch 3; list them with: adspark watch list"
    assert error.sentence == "There is no watch 3."
    assert str(AdSparkError("It failed.")) == AdSparkError("It failed.").sentence == "It failed."


def test_what_a_wrong_parameter_quotes_breaks_no_line() -> None:
    error = InvalidQueryError("ad", "no ad CR1\nCR2\u2028 is stored", command="all: adspark ads")

    assert str(error) == "ad: no ad CR1 CR2  is stored; all: adspark ads"
    assert error.sentence == "no ad CR1 CR2  is stored"


def test_the_sentence_of_a_wrong_parameter_leaves_its_name_out() -> None:
    error = InvalidQueryError("name", "there is no user 'x'", command="all: adspark users list")

    assert str(error) == "name: there is no user 'x'; all: adspark users list"
    assert error.sentence == "there is no user 'x'"
    assert str(error.beside("user")) == "user: there is no user 'x'; all: adspark users list"


@pytest.mark.parametrize("command", [None, "see: adspark status"])
def test_an_error_that_another_process_raised_has_both(command: str | None) -> None:
    read = pickle.loads(pickle.dumps(ConfigurationError("No.", command=command)))

    assert (read.sentence, read.command) == ("No.", command)
