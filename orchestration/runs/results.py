"""Results of runs as JSON documents, whichever version has stored them."""

from prefect.client.schemas.objects import State
from pydantic import JsonValue, TypeAdapter

_ANYTHING: TypeAdapter[object] = TypeAdapter(object)


async def read_result(state: State[object]) -> JsonValue:
    """What a completed run gave back; None where nothing was kept, or it cannot be read here."""
    if state.data is None:
        return None
    try:
        return to_document(await state.aresult(raise_on_failure=False))
    except Exception:  # a result is foreign: of another machine, another version, any class
        return None


def to_document(value: object) -> JsonValue:
    """A value as JSON, pydantic's models included; what JSON does not know, as it reads."""
    document: JsonValue = _ANYTHING.dump_python(unwrap(value), mode="json", fallback=str)
    return document


def unwrap(value: object) -> object:
    """A stored value without the names of classes that earlier versions wrote beside the data."""
    if isinstance(value, list):
        return [unwrap(one) for one in value]
    if isinstance(value, dict):
        if value.keys() == {"__class__", "data"}:
            return unwrap(value["data"])
        return {key: unwrap(one) for key, one in value.items()}
    return value
