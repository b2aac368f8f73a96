"""Notes and comments: line breaks and joiners stay, what turns other text is refused."""

import pytest

from adspark.errors import InvalidQueryError
from adspark.validation.notes import check_note, clean_note


@pytest.mark.parametrize(
    "written",
    ["one\n\n two\tthree", "👩\u200d👧", "\u0645\u06cc\u200c\u062e", "שלום\u200f!", "co\u00adop"],
)
def test_a_note_is_kept_as_it_is_written(written: str) -> None:
    check_note("note", written)
    assert clean_note(f" {written}\r\n") == written


@pytest.mark.parametrize("written", ["", " \n", "\u200b", "\u3164\u2800", "\u200d\ufeff\U000e0041"])
def test_a_note_of_which_nothing_is_seen_is_empty(written: str) -> None:
    assert clean_note(written) == ""


@pytest.mark.parametrize("turning", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_what_turns_the_text_behind_a_note_is_refused(turning: str) -> None:
    with pytest.raises(InvalidQueryError) as failed:
        check_note("comment", f"one\ntwo{turning}")
    told = f"comment: holds a character that turns the text behind it ({turning!a}); remove it."
    assert str(failed.value) == told
