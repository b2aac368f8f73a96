"""What is left of a text that is too long for its place."""

import pytest

from adspark.text.shortened import cut, shorten
from adspark.text.terminal import fit

JAPANESE = "春の新作コレクションがついに登場しました"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("", ""),
        ("one two", "one two"),
        ("one\n two  three", "one two…"),
        ("one, two three", "one, two…"),
        ("onetwo, three", "onetwo…"),
        ("one twothreefour", "one twoth…"),
        ("onetwothree", "onetwothr…"),
        (JAPANESE, f"{JAPANESE[:9]}…"),
        (f"夏版 {JAPANESE}", f"夏版 {JAPANESE[:6]}…"),
        ("e\u0301" * 6, "e\u0301" * 4 + "…"),  # no mark without its letter, nor the other way
        ("ชุดที่สวยที่สุด", "ชุดที่สวย…"),
    ],
    ids=str,
)
def test_as_much_is_left_as_there_is_room_after_a_word_where_that_is_not_far(
    text: str, short: str
) -> None:
    assert shorten(text, 10) == short


def test_a_text_that_is_cut_keeps_its_lines() -> None:
    assert cut("one\ntwo\nthree\nfour", 12) == "one\ntwo…"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("lululemon athletica inc.", "lululemon…"),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifff…"),
        (JAPANESE, f"{JAPANESE[:8]}…"),  # two columns each
        ("株式会社ユニクロ", "株式会社ユニクロ"),
        ("a\x1b[2Jb", "a [2Jb"),
        (f"{7 * '夏'}👨\u200d👩\u200d👧 冬", f"{7 * '夏'}…"),  # a family is not parted
    ],
)
def test_a_cell_of_a_table_is_cut_by_its_columns_on_the_terminal(name: str, shown: str) -> None:
    assert fit(name, 18) == shown
