"""How flows end: in a state whose message says what they came to, in the UI and everywhere.

A flow that gives back a state ends in it, and its caller gets what the state holds.
"""

from contextlib import suppress
from typing import TypeVar, cast

from prefect.serializers import JSONSerializer, prefect_json_object_encoder
from prefect.states import Cancelled, Completed, Failed
from pydantic_core import to_jsonable_python

from adspark.text.redaction import redact

PLAIN_JSON: JSONSerializer[object] = JSONSerializer(object_encoder="flows.endings.encode_result")
"""Results as documents that any program reads, whether it has our classes or not."""

_Summary = TypeVar("_Summary")


def encode_result(value: object) -> object:
    """What JSON does not know, as a document; an exception as Prefect writes and reads it."""
    if isinstance(value, BaseException):
        return prefect_json_object_encoder(_readable(value))
    return to_jsonable_python(value)


def _readable(error: BaseException) -> BaseException:
    """The error as its nearest class that is made of a message alone, which is all that is kept."""
    message = redact(str(error))
    for kind in type(error).__mro__:
        with suppress(Exception):
            made = kind(message)
            if isinstance(made, BaseException) and str(made) == message:
                return made
    return RuntimeError(message)


def completed(summary: _Summary, message: str) -> _Summary:
    """End Completed; the caller gets the summary. Prefect logs the state with its message."""
    return cast("_Summary", Completed(message=message, data=summary))


def failed(_kind: type[_Summary], message: str, *, name: str = "Failed") -> _Summary:
    """End in a state of the type FAILED; the caller gets an exception with the message.

    Args:
        _kind: of the summary that the flow returns, for the type checker.
        message: of the state.
        name: of the state.
    """
    return cast("_Summary", Failed(name=name, message=message))


def cancelled(_kind: type[_Summary], message: str) -> _Summary:
    """End Cancelled; the caller gets an exception with the message."""
    return cast("_Summary", Cancelled(message=message))
