"""Errors and warnings of a command name what a person typed, not the field that it gives."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from adspark.errors import InvalidQueryError
from adspark.serpapi.search_query import CreativeQuery
from adspark.variants.batches.plan import BatchRequest
from adspark.variants.requests import VariantRequest
from adspark.variants.reviews.store import Review
from adspark.watches.definition import WatchDefinition
from deployments.cli.commands import COMMANDS
from deployments.cli.typed_names import tell_as_typed, warn_as_typed

NOT_TYPED = {"is_active", "is_approved", "reasons", "wants_review"}  # no text or number of theirs


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (Typer's own)
    """The commands below a group, each with its name; of a command itself."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for below, one in command.commands.items():
        yield from commands(one, f"{name} {below}")


ALL = dict(
    found for one in COMMANDS for found in commands(typer.main.get_command(one.typer()), one.name)
)


def told(command: str, field: str) -> str:
    """What an error of a field begins with."""
    error = tell_as_typed(InvalidQueryError(field, "cannot be used."), ALL[command].params)
    assert str(error).endswith(": cannot be used.")
    return str(error).partition(":")[0]


def shown(command: str) -> set[str]:
    """All names that a command's help shows, of options with and without their hyphens."""
    return {
        name
        for one in ALL[command].params
        for opt in one.opts
        for name in (
            (opt, opt.removeprefix("--")) if one.param_type_name == "option" else (one.name,)
        )
    }


@pytest.mark.parametrize("command", ALL)
def test_an_error_of_a_parameter_is_told_by_its_name_in_the_help(command: str) -> None:
    names = {told(command, str(one.name)) for one in ALL[command].params}
    assert names - shown(command) == set()


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("fetch", CreativeQuery.model_fields),
        ("watch create", WatchDefinition.model_fields),
        ("variant request", VariantRequest.__annotations__),
        ("variant review", Review.model_fields),
        ("batch create", BatchRequest.__annotations__),
    ],
)
def test_so_is_one_of_a_field_that_is_called_otherwise(command: str, fields: Any) -> None:  # noqa: ANN401
    names = {told(command, field) for field in fields if field not in NOT_TYPED}
    assert names - shown(command) == set()


def test_programs_get_the_name_of_the_parameter_beside_the_sentence() -> None:
    error = InvalidQueryError("user_id", "has no budget left", command="see --help")
    said = tell_as_typed(error, ALL["variant request"].params)
    assert (str(said), said.field) == ("--user: has no budget left; see --help", "user")


def test_a_warning_is_told_by_it_too_and_one_of_no_field_stays_as_it_is() -> None:
    parameters = ALL["watch create"].params
    warning = "monthly_budget: at 0 it is never checked."
    assert warn_as_typed(warning, parameters) == "--budget: at 0 it is never checked."
    other = "its search is the same as that of watch 1 ('x'): keep one of them"
    assert warn_as_typed(other, parameters) == other
