"""What keeps a flow from taking the parameters of a run, said before it begins."""

import inspect
import logging
from collections.abc import Iterator
from typing import Any

from prefect import Flow
from prefect.exceptions import ParameterTypeError
from pydantic import ValidationError

from adspark.text.redaction import redact_foreign
from adspark.text.sentences import with_full_stop
from adspark.text.terminal import plain
from adspark.validation.messages import describe_validation_error
from adspark.validation.near_names import describe_unknown

_MOST_CHARACTERS = 500
_LONGEST_NAME = 60  # characters
# What may be given instead, by the kind of mistake, or by the parameter where it has a form.
_EXAMPLES = {
    "int": "3",
    "float": "0.5",
    "string": '"text"',
    "list": '["one", "two"]',
    "advertiser_ids": '["AR01234567890123456789"]',
    "ads": '["CR01234567890123456789"]',
    "original_ad_id": '"CR01234567890123456789"',
    "text": '"example.com"',
    "region": '"US"',
}


# Prefect's report of invalid parameters quotes them: they may hold a secret.
logging.getLogger("prefect.flows").addFilter(
    lambda record: not record.getMessage().startswith("Parameter validation failed")
)


def find_mistakes(flow: Flow[..., Any], parameters: dict[str, Any]) -> Iterator[str]:
    """What keeps a flow from taking these parameters: a line a field, which it names."""
    known = inspect.signature(flow.fn).parameters
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
    wrong = False
    for name in parameters:
        if name not in known and not takes_any:
            wrong = True
            its = ", ".join(known) or "none"
            has_no = f"{flow.name} has no such parameter; it has {its}."
            yield f"{show_name(name)}: {describe_unknown(has_no, name, known)}"
    for name, one in known.items():
        is_needed = one.default is inspect.Parameter.empty and one.kind in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        )
        if is_needed and name not in parameters:
            wrong = True
            yield f"{name}: is missing."
    if not wrong and flow.should_validate_parameters:
        yield from _find_invalid(flow, parameters)


def _find_invalid(flow: Flow[..., Any], parameters: dict[str, Any]) -> Iterator[str]:
    try:
        flow.validate_parameters(parameters)
    except ParameterTypeError as error:
        cause = error.__cause__ or error.__context__
        if not isinstance(cause, ValidationError):
            yield show_error(str(error))
            return
        mistakes: dict[str, str] = {}
        for one in cause.errors(include_url=False, include_input=False):
            # Of the kinds that a field may be, the first one's mistake.
            name = str(one["loc"][0]) if one["loc"] else "parameters"
            mistakes.setdefault(name, describe_validation_error(one) + _remedy(name, one["type"]))
        yield from (
            with_full_stop(f"{name}: {show_error(message)}") for name, message in mistakes.items()
        )


def _remedy(name: str, mistake: str) -> str:
    """What to give instead of a value of another type; empty where the mistake says it."""
    kind = mistake.partition("_")[0]
    example = _EXAMPLES.get(name, _EXAMPLES.get(kind))
    return f"; give it as {example}" if kind in _EXAMPLES and example else ""


def show_error(message: str) -> str:
    """An error on one line, without secrets and what a terminal obeys, and not too long."""
    return _one_line(message)[:_MOST_CHARACTERS]


def show_name(name: str) -> str:
    """A name that somebody has chosen, for a message in which a remedy follows."""
    line = _one_line(name)
    return line if len(line) <= _LONGEST_NAME else f"{line[:_LONGEST_NAME]}…"


def _one_line(text: str) -> str:
    return redact_foreign(" ".join(plain(text).split()))
