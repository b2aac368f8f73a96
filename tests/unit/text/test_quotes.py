"""Names in quotation marks: as they are, and what cannot be seen of them as escapes."""

import pytest

from adspark.errors import InvalidQueryError
from adspark.text.quotes import in_quotes
from adspark.validation.names import check_visible
from adspark.variants.handover.files import Destination, check_destination


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        pytest.param("Größe é 😀 شعار", "'Größe é 😀 شعار'", id="letters of any script"),
        pytest.param("it's", '"it\'s"', id="the mark that it does not hold"),
        pytest.param("a\nb", r"'a\nb'", id="the end of a line"),
        pytest.param("Größe\u200bé", r"'Größe\u200bé'", id="a character of no width"),
        pytest.param("شعار\u202e", r"'شعار\u202e'", id="a mark of direction"),
        pytest.param("é\u2068a\u2069", r"'é\u2068a\u2069'", id="isolates"),
        pytest.param("é\u3164\u034fa", r"'é\u3164\u034fa'", id="what is drawn as nothing"),
    ],
)
def test_only_what_cannot_be_seen_is_escaped(name: str, quoted: str) -> None:
    assert in_quotes(name) == quoted


def test_a_refused_name_is_shown_as_it_was_written() -> None:
    with pytest.raises(InvalidQueryError, match=r"characters \('Größe\\u200bé'\)"):
        check_visible("name", "Größe\u200bé")


def test_a_refused_campaign_is_shown_as_it_was_written() -> None:
    given = Destination(campaign="=Sale 😀 شعار", ad_group="a", final_url="https://a.example")
    with pytest.raises(InvalidQueryError, match=r"^campaign: '=Sale 😀 شعار' has =, "):
        check_destination(given)
