"""Whoever names no user is the same one everywhere: in every flow and every command."""

import inspect
from importlib import import_module

import pytest

from adspark.models import DEFAULT_USER
from adspark.variants.requests import VariantRequest
from adspark.watches.definition import WatchDefinition
from deployments.cli.boards import commands as board_commands
from deployments.cli.variants import requesting, reviewing
from deployments.cli.watches import commands as watch_commands
from deployments.queue_classes import QUEUE_CLASSES

FLOWS = [flow for one in QUEUE_CLASSES for flow in one.flows]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda one: one.name)
def test_a_flow_takes_the_same_user_where_none_is_given(flow: object) -> None:
    module = import_module(getattr(flow, "module"))  # noqa: B009
    function = getattr(module, module.__name__.rpartition(".")[2]).fn
    user = inspect.signature(function).parameters.get("user_id")
    assert user is None or user.default == DEFAULT_USER


@pytest.mark.parametrize(
    "command",
    [
        requesting.request,
        reviewing.review,
        watch_commands.create,
        board_commands.create,
        board_commands.add,
    ],
)
def test_a_command_takes_the_same(command: object) -> None:
    assert callable(command)
    parameters = inspect.signature(command).parameters
    user = parameters.get("user") or parameters["user_id"]
    assert user.default == DEFAULT_USER


def test_so_do_what_is_stored() -> None:
    assert VariantRequest(original_ad_id="CR1", prompt="p").user_id == DEFAULT_USER
    assert WatchDefinition.model_fields["user_id"].default == DEFAULT_USER
