"""Names: what nobody sees around them goes, and what looks alike has one key."""

import pytest

from adspark.validation.names import clean_name, name_key


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        pytest.param("  shoes\t", "shoes", id="blanks"),
        pytest.param("\u200bshoes\u200b \ufeff", "shoes", id="zero-width characters"),
        pytest.param("\u2060\u00adshoes\u3164", "shoes", id="joiners, soft hyphens, fillers"),
        pytest.param("Cafe\u0301", "Café", id="a composed character"),
        pytest.param("\u200b \u200e", "", id="nothing that can be seen"),
        pytest.param("👩\u200d👧", "👩\u200d👧", id="what joins an emoji stays"),
        pytest.param(
            "🏴\U000e0067\U000e007f", "🏴\U000e0067\U000e007f", id="so does the end of a flag"
        ),
    ],
)
def test_what_is_invisible_around_a_name_goes(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@pytest.mark.parametrize(
    "alike",
    [
        pytest.param("new balance", id="case"),
        pytest.param("New  Balance", id="blanks"),
        pytest.param("New\u00a0Balance", id="a blank that does not break"),
        pytest.param("NewBalance", id="no blank"),
        pytest.param("New Bal\u200bance", id="a zero-width blank"),
        pytest.param("New Bal\u00adance", id="a soft hyphen"),
        pytest.param("\uff2eew \uff22alance", id="wide letters"),
        pytest.param("New Balance\ufe0f", id="a variation selector"),
        pytest.param("\u202eNew Balance", id="a mark of direction"),
    ],
)
def test_names_that_look_alike_have_one_key(alike: str) -> None:
    assert name_key(alike) == name_key("New Balance")


def test_folding_knows_more_than_lower_case() -> None:
    assert name_key("STRASSE") == name_key("straße")
    assert name_key("CAFÉ") == name_key("cafe\u0301")


def test_names_that_differ_have_different_keys() -> None:
    assert len({name_key(one) for one in ("On", "Onn", "O.n", "Café", "Cafe")}) == 5
