"""What a flow would say against the parameters of a run, asked before there is one."""

import inspect
from collections.abc import Mapping
from typing import Any

from prefect import Flow
from prefect.utilities.importtools import import_object
from pydantic import JsonValue

from adspark.errors import InvalidQueryError
from adspark.serpapi.search_query import parse_query
from orchestration.runs.parameter_errors import find_mistakes


def find_mistake(entrypoint: str, parameters: Mapping[str, JsonValue]) -> str | None:
    """The first mistake in all parameters of a run, its deployment's included; None where there is
    none, or where its flow, which is imported, is not installed here."""
    try:
        flow = import_object(entrypoint)
    except (ImportError, AttributeError, ValueError):
        return None
    if not isinstance(flow, Flow):
        return None
    given = dict(parameters)
    if mistake := next(find_mistakes(flow, given), None):
        return mistake
    try:
        if check := _CHECKS.get(flow.name):
            check(flow.validate_parameters(given))
    except InvalidQueryError as error:
        return str(error)
    return None


def _check_query(parameters: Mapping[str, Any]) -> None:
    """Raise InvalidQueryError where the parts of a search do not go together."""
    own = inspect.signature(parse_query).parameters
    parse_query(**{name: value for name, value in parameters.items() if name in own})


_CHECKS = {"fetch-creatives": _check_query}
