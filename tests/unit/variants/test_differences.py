"""The words of a variant's copy that differ from its original's."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.variants.differences import Passage, compare_copy

_TEXTS = st.text(st.sampled_from("ab é春夏 \n\t<&"), max_size=40)


def is_subsequence(words: Sequence[str], text: Sequence[str]) -> bool:
    rest = iter(text)
    return all(word in rest for word in words)


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
        ("Shoes. adidas.com Shop", "SANDBOX Shoes. adidas.com Shop now", [], ["SANDBOX", "now"]),
        ("春の靴", "夏の靴", ["春"], ["夏"]),  # no blanks between words
    ],
)  # fmt: skip
def test_what_one_text_lacks_is_marked_in_the_other(
    original: str, variant: str, removed: list[str], added: list[str]
) -> None:
    before, after = compare_copy(original, variant)

    assert (marked(before), marked(after)) == (removed, added)


def test_of_very_long_texts_only_how_they_begin_and_end_is_compared() -> None:
    before, after = compare_copy("Now " + "a b " * 5000 + "end", "Now c end")

    assert (len(marked(before)), marked(after)) == (1, ["c"])


@given(st.text(st.sampled_from("ab ,\n"), max_size=4000))
def test_equal_texts_mark_nothing(text: str) -> None:
    assert not any(marked(side) for side in compare_copy(text, " ".join(text.split(" "))))


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcd"), max_size=8))
def test_no_more_words_could_stay_unmarked(original: list[str], variant: list[str]) -> None:
    before, _ = compare_copy(" ".join(original), " ".join(variant))

    unmarked = "".join(one.text for one in before if not one.is_changed).split()
    subsequences = (
        chosen
        for length in range(len(original), -1, -1)
        for chosen in combinations(original, length)
    )
    longest = next(one for one in subsequences if is_subsequence(one, variant))
    assert len(unmarked) == len(longest)


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
