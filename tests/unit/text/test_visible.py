"""Text from outside, as a person sees it."""

import pytest

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
