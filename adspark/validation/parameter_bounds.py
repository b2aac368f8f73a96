"""Validate a run's parameters by the bounds in its deployment's schema, before the run exists.

Only bounds: types and missing parameters are validated by the flow.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from adspark.validation.bounds import Length, Range


def find_problem(
    schema: Mapping[str, JsonValue], parameters: Mapping[str, JsonValue]
) -> str | None:
    """The first parameter that is out of bounds, by name and with its range; None where none is."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return None
    for name, value in parameters.items():
        wanted = properties.get(name)
        if isinstance(wanted, dict) and (problem := _problem_of(wanted, value)):
            return f"{name}: {problem}."
    return None


def _problem_of(wanted: Mapping[str, JsonValue], value: JsonValue) -> str | None:
    if isinstance(value, bool):
        return None
    least, most = wanted.get("minimum"), wanted.get("maximum")
    if isinstance(least, int | float) and isinstance(most, int | float):
        number = _number(value)
        return None if number is None else Range(least, most).problem_of(number)
    longest = wanted.get("maxLength")
    if isinstance(longest, int) and isinstance(value, str):
        return Length(longest).problem_of(value)
    items = wanted.get("items")
    if isinstance(items, dict) and isinstance(value, list):
        return next(filter(None, (_problem_of(items, one) for one in value)), None)
    return None


def _number(value: JsonValue) -> float | None:
    """A number, also one that is written as text, which flows take too."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) and value.strip() else None
    except ValueError:
        return None
