"""The words of a variant's copy that differ from its original's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.variants.differences import Passage, compare_copy

_TEXTS = st.text(st.sampled_from("ab é春夏 \n\t<&"), max_size=40)


def marked(passages: list[Passage]) -> list[str]:
    return [one.text for one in passages if one.is_changed]


@pytest.mark.parametrize(
    ("original", "variant", "removed", "added"),
    [
        ("Light shoes for the trail", "Warm shoes for the city", ["Light", "trail"],
         ["Warm", "city"]),
        ("Half price", "Half price", [], []),
        ("", "All new", [], ["All new"]),
        ("Gone", "", ["Gone"], []),
        ("Sale\nNow", "Sale\nNow only", [], ["only"]),
        ("COLOR, now.", "COLOR now!", [",", "."], ["!"]),
        ("春の靴", "夏の靴", ["春"], ["夏"]),  # no blanks between words
    ],
)  # fmt: skip
def test_what_one_text_lacks_is_marked_in_the_other(
    original: str, variant: str, removed: list[str], added: list[str]
) -> None:
    before, after = compare_copy(original, variant)

    assert (marked(before), marked(after)) == (removed, added)


def test_very_long_texts_are_not_compared_word_by_word() -> None:
    before, after = compare_copy("a b " * 5000, "c")

    assert (len(before), len(after)) == (1, 1)


@given(_TEXTS, _TEXTS)
def test_passages_are_the_texts_and_what_is_not_marked_is_in_both(
    original: str, variant: str
) -> None:
    before, after = compare_copy(original, variant)

    assert "".join(one.text for one in before) == original
    assert "".join(one.text for one in after) == variant
    kept = [
        "".join("".join(p.text for p in side if not p.is_changed).split())
        for side in (before, after)
    ]
    assert kept[0] == kept[1]
