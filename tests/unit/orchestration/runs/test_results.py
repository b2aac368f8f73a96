"""Results of runs as documents, whichever version has stored them."""

import json

import pytest
from prefect.serializers import JSONSerializer
from pydantic import BaseModel

from adspark.errors import ConfigurationError, InvalidQueryError, UnknownWatchError
from flows.endings import PLAIN_JSON
from orchestration.runs.results import to_document


class Part(BaseModel):
    """What a flow gives back."""

    number: int


DOCUMENT = {"number": 1}
FORMER = {"__class__": "adspark.fetching.Part", "data": DOCUMENT}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        pytest.param(PLAIN_JSON.dumps(Part(number=1)), DOCUMENT, id="today"),
        pytest.param(JSONSerializer().dumps(Part(number=1)), DOCUMENT, id="earlier"),
        pytest.param(json.dumps(FORMER), DOCUMENT, id="of a class that has moved since"),
        pytest.param(json.dumps([FORMER, 2]), [DOCUMENT, 2], id="in a list"),
        pytest.param(json.dumps({"parts": {"one": FORMER}}), {"parts": {"one": DOCUMENT}}, id="in"),
        pytest.param('{"data": {"number": 1}}', {"data": DOCUMENT}, id="a field of this name"),
        pytest.param("null", None, id="nothing"),
    ],
)
def test_a_result_is_the_same_document_whichever_version_has_stored_it(
    stored: bytes | str, shown: object
) -> None:
    blob = stored if isinstance(stored, bytes) else stored.encode()
    assert to_document(JSONSerializer().loads(blob)) == shown
    assert to_document(PLAIN_JSON.loads(blob)) == shown


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnknownWatchError("There is no watch 9."), UnknownWatchError),
        (InvalidQueryError("text", "is empty."), ConfigurationError),  # it is made of two
        (KeyError("missing"), LookupError),  # it quotes its message
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), UnicodeError),
    ],
)
def test_a_failed_run_gives_its_error_with_its_message(error: Exception, kind: type) -> None:
    read = PLAIN_JSON.loads(PLAIN_JSON.dumps(error))
    assert (type(read), str(read)) == (kind, str(error))
