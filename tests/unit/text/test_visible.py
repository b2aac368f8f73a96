"""Text from outside, as a person sees it."""

import pytest

from adspark.text.terminal import plain
from adspark.text.visible import isolate, visible


@pytest.mark.parametrize(
    "name",
    ["Müller", "Mu\u0308ller", "Tiếng Việt", "שָׁלוֹם", "हिन्दी", "ก็ที่", "👩‍👩‍👧‍👦 ❤️"],
)
def test_names_of_any_language_stay(name: str) -> None:
    assert visible(name) == name
    assert isolate(name).strip("\u2068\u2069") == name


@pytest.mark.parametrize("mark", ["\u0301", "\u0489", "\u20dd"])
def test_a_heap_of_marks_on_one_character_is_cut(mark: str) -> None:
    assert visible("B" + 299 * mark + "rand") == "B" + 8 * mark + "rand"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("می\u200cخ", "می\u200cخ"),
        ("👨\u200d👩\u200d👧 🏳️\u200d🌈", "👨\u200d👩\u200d👧 🏳️\u200d🌈"),
        ("क्\u200dष", "क्\u200dष"),
        ("f\u200dr\u200cee", "free"),  # beside Latin letters they only hide
        ("می\u200c\u200cخ \u200d", "میخ "),
        ("f\u200bree \u202eon\u2066e\u2069 \u200d", "free one "),
    ],
)
def test_joiners_stay_where_they_join_in_every_way_out(text: str, shown: str) -> None:
    assert plain(text) == visible(text.replace("\u2069", "")) == shown
