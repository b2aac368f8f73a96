"""Names: what nobody sees around them goes, and what looks alike has one key."""

import pytest

from adspark.errors import InvalidQueryError
from adspark.text.terminal import escape_unprintable, plain
from adspark.text.visible import visible
from adspark.validation.names import check_new_name, clean_name, name_key

END = "\U000e007f"
ENGLAND, WALES = (
    "🏴" + "".join(chr(0xE0000 + ord(one)) for one in code) + END for code in ("gbeng", "gbwls")
)
TAGS = ENGLAND[1:-1]  # without their end


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        pytest.param("  shoes\t", "shoes", id="blanks"),
        pytest.param("\u200bshoes\u200b \ufeff", "shoes", id="zero-width characters"),
        pytest.param("\u2060\u00adshoes\u3164", "shoes", id="joiners, soft hyphens, fillers"),
        pytest.param("Cafe\u0301", "Café", id="a composed character"),
        pytest.param("\u200b \u200e", "", id="nothing that can be seen"),
        pytest.param("👩\u200d👧", "👩\u200d👧", id="what joins an emoji stays"),
        pytest.param(f"{WALES}\u200b ", WALES, id="so does the end of a flag"),
        pytest.param(f"🏴{TAGS}", "🏴", id="tags that make no flag go"),
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


def test_flags_of_parts_of_a_country_are_names_that_differ() -> None:
    names = [f"{flag} shoes" for flag in (ENGLAND, WALES, "🏴", "🏴\u200d☠\ufe0f", "🇬🇧")]
    assert [check_new_name(one, "board") for one in names] == names
    assert len({name_key(one) for one in names}) == len(names)


def test_a_flag_is_shown_wherever_a_name_is() -> None:
    assert visible(f"{ENGLAND} a") == plain(f"{ENGLAND} a") == f"{ENGLAND} a"
    assert escape_unprintable(f'"{ENGLAND}\u202e"') == f'"{ENGLAND}\\u202e"'


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(f"shoes{TAGS}{END}", id="behind no flag"),
        pytest.param(f"🏴{TAGS} shoes", id="without an end"),
        pytest.param(f"🏴{TAGS}{TAGS}{END} shoes", id="longer than any code"),
        pytest.param(f"{ENGLAND}{TAGS}{END}", id="behind a flag that has ended"),
        pytest.param(f"🏴{TAGS}\U000e0041{END} x", id="other than letters and digits"),
    ],
)
def test_tags_hide_nothing_elsewhere(hidden: str) -> None:
    with pytest.raises(InvalidQueryError, match="invisible characters"):
        check_new_name(f"a {hidden} b", "board")
    assert not set(visible(hidden).replace(ENGLAND, "")) & set(TAGS + END)
