"""How flows end: in a state whose message says what they came to, in the UI and everywhere.

A flow that gives back a state ends in it, and its caller gets what the state holds.
"""

from typing import TypeVar, cast

from prefect.serializers import JSONSerializer
from prefect.states import Cancelled, Completed, Failed

PLAIN_JSON: JSONSerializer[object] = JSONSerializer(
    object_encoder="pydantic_core.to_jsonable_python", object_decoder=None
)
"""Results as documents that any program reads, whether it has our classes or not."""

_Summary = TypeVar("_Summary")


def completed(summary: _Summary, message: str) -> _Summary:
    """End Completed; the caller gets the summary."""
    return cast("_Summary", Completed(message=message, data=summary))


def failed(_kind: type[_Summary], message: str, *, name: str = "Failed") -> _Summary:
    """End in a state of the type FAILED; the caller gets an exception with the message."""
    return cast("_Summary", Failed(name=name, message=message))


def cancelled(_kind: type[_Summary], message: str) -> _Summary:
    """End Cancelled; the caller gets an exception with the message."""
    return cast("_Summary", Cancelled(message=message))
