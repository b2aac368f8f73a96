"""Every number and every text that people give has bounds, which are checked before a run exists.

The tests look for themselves what there is, so that a new number without bounds fails them.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, get_args, get_type_hints

import pytest
import typer
from prefect import Flow
from prefect.utilities.callables import parameter_schema
from pydantic import TypeAdapter, ValidationError
from typer.models import ArgumentInfo, OptionInfo
from typer.testing import CliRunner

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.maintenance.cleanup import Retention, check_retention
from adspark.serpapi.search_query import parse_query
from adspark.settings import Settings, get_settings
from adspark.validation.bounds import MAX_PAGES
from adspark.validation.parameter_bounds import find_problem
from adspark.watches.definition import parse_watch
from blocks.chat_model import ChatModel
from blocks.dify_workflow import DifyWorkflow
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.cli.commands import COMMANDS
from deployments.cli.main import app
from deployments.queue_classes import QUEUE_CLASSES
from flows.probe import probe
from flows.review_ad_variant import VariantReview

EXTREMES = [0, -1, 2**31, 2**63, 10**20, 10**400]
FLOATS = [math.nan, math.inf, -math.inf]
LONG = "x" * 100_000
NUMBERS = {"integer", "number"}

FLOWS: dict[str, Flow[Any, Any]] = {"probe": probe} | {
    one.name: getattr(import_module(one.module), one.name.replace("-", "_"))
    for queue_class in QUEUE_CLASSES
    for one in queue_class.flows
}
SCHEMAS = {name: parameter_schema(flow.fn).model_dump() for name, flow in FLOWS.items()}
PARAMETERS = [(flow, name) for flow, schema in SCHEMAS.items() for name in schema["properties"]]


def leaves(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema of one value, or those of which it may be any, or of a list's items."""
    for one in schema.get("anyOf", [schema]):
        if one.get("type") == "array":
            yield from leaves(one.get("items", {}))
        else:
            yield one


@dataclass(frozen=True)
class Option:
    """A number that a command takes: by its name, or by its place, `before` it so many others."""

    path: tuple[str, ...]
    name: str
    kind: type
    info: OptionInfo | ArgumentInfo
    before: int

    def written(self, value: str) -> list[str]:
        """The command with this value."""
        if isinstance(self.info, ArgumentInfo):
            return [*self.path, "--", *self.before * ["1"], value]
        declared = (self.info.default, *(self.info.param_decls or ()))  # typer sorts them later
        names = [one for one in declared if str(one).startswith("--")]
        return [*self.path, f"{(names or ['--' + self.name.replace('_', '-')])[0]}={value}"]


def options(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[Option]:
    """All numbers of all commands."""
    for command in group.registered_commands:
        assert command.callback is not None
        word = command.name or command.callback.__name__.replace("_", "-")
        before = 0
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            annotated, *infos = get_args(hint) or (None,)
            for kind in {int, float} & {annotated, *get_args(annotated)}:
                yield Option((*path, word), name, kind, infos[0], before)
            before += any(isinstance(one, ArgumentInfo) for one in infos)
    for one in group.registered_groups:
        assert one.typer_instance is not None
        yield from options(one.typer_instance, (*path, str(one.name)))


OPTIONS = [
    option
    for command in COMMANDS
    for option in options(command.typer(), (command.name,) if command.is_group else ())
]


@pytest.mark.parametrize(("flow", "name"), PARAMETERS)
def test_a_parameter_has_bounds_in_the_form_and_in_the_flow(flow: str, name: str) -> None:
    wanted = SCHEMAS[flow]["properties"][name]
    taken: TypeAdapter[Any] = TypeAdapter(get_type_hints(FLOWS[flow].fn, include_extras=True)[name])
    is_list = wanted.get("type") == "array"
    for leaf in leaves(wanted):
        if leaf.get("type") in NUMBERS:
            assert {"minimum", "maximum"} <= set(leaf), f"{flow}: {name} has no bounds"
            floats = FLOATS if leaf["type"] == "number" else []
            for value in [*EXTREMES, *floats]:
                if leaf["minimum"] <= value <= leaf["maximum"]:
                    continue
                given: Any = [value] if is_list else value
                problem = find_problem(SCHEMAS[flow], {name: given})
                assert problem is not None
                assert problem.startswith(f"{name}: must be ")
                with pytest.raises(ValidationError, match=r"must be |valid number"):
                    taken.validate_python(given)
        elif leaf.get("type") == "string" and not {"enum", "format"} & set(leaf) and not is_list:
            assert "maxLength" in leaf, f"{flow}: {name} has no longest length"
            problem = find_problem(SCHEMAS[flow], {name: LONG})
            assert problem is not None
            assert problem.startswith(f"{name}: has 100000 characters")


def test_there_are_numbers_to_be_looked_at() -> None:
    assert len(PARAMETERS) > 40
    assert len(OPTIONS) > 20


@pytest.mark.parametrize("option", OPTIONS, ids=lambda one: " ".join((*one.path, one.name)))
def test_an_option_has_bounds_and_says_them(option: Option) -> None:
    least, most = option.info.min, option.info.max
    assert least is not None, f"{option} has no bounds"
    assert most is not None, f"{option} has no bounds"
    for value in [*EXTREMES, *(FLOATS if option.kind is float else [])]:
        if least <= value <= most:
            continue
        written = "1" + 400 * "0" if value == EXTREMES[-1] else str(value)
        result = CliRunner(env={"COLUMNS": "300"}).invoke(app, option.written(written))
        assert (result.exit_code, "Invalid value for" in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    "model",
    [Settings, SerpApiCredentials, DifyWorkflow, ChatModel, VariantReview],
    ids=lambda one: one.__name__,
)
def test_a_number_of_the_settings_a_block_or_a_form_has_bounds(model: Any) -> None:  # noqa: ANN401
    properties = model.model_json_schema()["properties"]
    numbers = {
        name: leaf
        for name, wanted in properties.items()
        for leaf in leaves(wanted)
        if leaf.get("type") in NUMBERS
    }
    assert numbers
    for name, leaf in numbers.items():
        assert {"minimum", "maximum"} <= set(leaf), f"{name} has no bounds"


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "99999999999999999999"])
def test_a_setting_out_of_bounds_is_named_with_its_range(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ADSPARK_FETCH_TIME_LIMIT", value)
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match=r"ADSPARK_FETCH_TIME_LIMIT: must be .* to 604800"):
        get_settings()


@pytest.mark.parametrize(
    "number", [-1, 2**31, 10**20, 10**5000], ids=lambda n: f"{n.bit_length()} bits"
)
def test_values_refuse_numbers_before_a_database_sees_them(number: int) -> None:
    site = "example.com"
    checks: dict[str, Callable[[], object]] = {
        "page_size": lambda: parse_query(text=site, page_size=number),
        "max_pages": lambda: MAX_PAGES.check("max_pages", number),
        "user_id": lambda: parse_watch(name="shoes", text=site, user_id=number),
        "monthly_budget": lambda: parse_watch(name="shoes", text=site, monthly_budget=number),
        "days_old": lambda: check_retention(Retention(days_old=number)),
    }
    for field, check in checks.items():
        with pytest.raises(InvalidQueryError, match=f"^{field}: must be "):
            check()


def test_a_budget_of_nothing_is_told() -> None:
    _, warnings = parse_watch(name="shoes", text="example.com", monthly_budget=0)
    assert warnings == [
        "monthly_budget: at 0 it is never checked; to let it rest for a time, pause it instead."
    ]
