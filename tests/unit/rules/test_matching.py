"""Words in texts: found wherever they stand between the ends of words, and nowhere else."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.rules.checks import CheckedAd, check_ad
from adspark.rules.conflicts import find_conflicts
from adspark.rules.copy_lines import Field
from adspark.rules.definition import DisclaimerPlace, Rules
from adspark.rules.matching.folding import fold
from adspark.rules.matching.phrases import MOST_BETWEEN, Phrase, check_phrase, find_place
from adspark.rules.matching.readings import read_text
from adspark.rules.surfaces import count_characters, split_copy
from adspark.rules.verdicts import Verdict

TEXT = st.text(max_size=60)
# Letters of several scripts that write with blanks; none is taken for one of another.
LETTERS = string.ascii_lowercase + "äéñшжюλθψबकअבגד"
WORD = st.text(LETTERS, min_size=2, max_size=10).filter(lambda one: check_phrase(one) is None)
AROUND = st.sampled_from([" ", "\n", ". ", ", ", " – ", "(", "!", "“", "\u00a0", " * ", "/"])
UNSEEN = st.sampled_from(["\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u034f", "\ufe0f"])


@given(TEXT)
def test_a_folded_text_folds_to_itself(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXT)
def test_case_and_composition_never_count(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(TEXT)
def test_any_text_is_read_without_an_error(text: str) -> None:
    for reading in read_text(text).readings:
        assert all(word.text for word in reading.words)


@given(TEXT.filter(lambda one: "*" not in one and check_phrase(one) is None))
def test_a_phrase_stands_in_itself(text: str) -> None:
    assert find_place(Phrase(text), read_text(text))


@given(WORD, AROUND, AROUND, st.lists(WORD, max_size=3), st.lists(WORD, max_size=3))
def test_a_word_is_found_wherever_it_stands_between_ends_of_words(
    word: str, before: str, behind: str, left: list[str], right: list[str]
) -> None:
    text = f"{' '.join(left)}{before}{word.upper()}{behind}{' '.join(right)}"
    assert find_place(Phrase(word), read_text(text))


@given(st.text(string.ascii_lowercase, min_size=2, max_size=10), UNSEEN, st.data())
def test_what_is_not_seen_hides_no_word(word: str, unseen: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word)))
    text = f"now {word[:at]}{unseen}{word[at:]} here"
    assert find_place(Phrase(word), read_text(text))


@given(
    st.text(string.ascii_lowercase, min_size=2, max_size=10),
    st.text(string.ascii_lowercase, min_size=1, max_size=5),
)
def test_a_word_is_not_found_inside_a_longer_one(word: str, more: str) -> None:
    text = read_text(f"9 {word}{more}")
    assert find_place(Phrase(word), text) is None
    assert find_place(Phrase(f"{word}*"), text)


@given(st.lists(WORD, min_size=2, max_size=4), st.lists(WORD, max_size=MOST_BETWEEN))
def test_a_claim_is_found_with_few_words_between(words: list[str], between: list[str]) -> None:
    text = f"{words[0]} {' '.join([*between, *words[1:]])}"
    assert find_place(Phrase(" ".join(words), MOST_BETWEEN), read_text(text))


@pytest.mark.parametrize(
    ("word", "other"),
    [
        pytest.param("ফ্রি", "নতুন ফ্রিজ কিনুন", id="Bengali: free, fridge"),
        pytest.param("বিনা", "সুন্দর বন ভ্রমণ", id="Bengali: without, forest"),
        pytest.param("கல்", "காலி இடம்", id="Tamil: stone, empty"),
        pytest.param("ఉచితం", "ఉచతం", id="Telugu"),
        pytest.param("സൗജന്യം", "സജനയ", id="Malayalam"),
        pytest.param("મફત", "મફતિયો", id="Gujarati: free, freeloader"),
        pytest.param("ਮੁਫ਼ਤ", "ਮਫਤ", id="Gurmukhi"),
        pytest.param("නොමිලේ", "නමල", id="Sinhala"),
        pytest.param("ಉಚಿತ", "ಉಚತ", id="Kannada"),
        pytest.param("ମାଗଣା", "ମଗଣ", id="Odia"),
        pytest.param("मुफ्त", "मफत", id="Hindi"),
        pytest.param("ក", "កា", id="Khmer, without blanks"),
    ],
)
def test_a_mark_belongs_to_its_word(word: str, other: str) -> None:
    assert find_place(Phrase(word), read_text(other)) is None
    assert find_place(Phrase(word), read_text(f"9 {word}, 9"))


def test_a_disclaimer_with_other_vowels_is_another_one() -> None:
    written, other = "শর্ত প্রযোজ্য", "শরত পরযজয"
    rules = Rules(disclaimers=[written, other])
    assert find_conflicts(rules) == []  # it does not stand there twice
    rules = Rules(disclaimers=[written], disclaimer_place=DisclaimerPlace.COPY)
    for copy, verdict in ((other, Verdict.FAILED), (f"{written}।", Verdict.PASSED)):
        (one,) = check_ad(rules, CheckedAd(copy=copy, picture=None, similarity=None))
        assert one.verdict is verdict


def test_thai_is_found_behind_any_letter() -> None:
    assert find_place(Phrase("เกม"), read_text("ฟรีเกม"))


def test_a_word_is_found_that_a_hyphen_divides_between_two_lines() -> None:
    for written in ("che-\nap", "che\u2010 \r\n  ap", "CHE-\nAP."):
        assert find_place(Phrase("cheap"), read_text(written)), written
    for written in ("che - ap", "che\nap"):
        assert find_place(Phrase("cheap"), read_text(written)) is None, written


def test_no_text_is_looked_at_for_ever() -> None:
    claim = Phrase("a a a a a a a a a a a b", MOST_BETWEEN)  # three ways to go on at each word
    assert find_place(claim, read_text("a " * 2000)) is None


def test_the_place_is_quoted_with_what_stands_around_it() -> None:
    text = read_text(f"{'Long before that. ' * 9}Get it FREE\nnow.{' Long after.' * 9}")
    place = find_place(Phrase("free"), text)
    assert place
    assert place.quote == "…before that. get it free now. long after. lo…"


def test_fields_are_told_by_their_names_else_by_their_lines() -> None:
    named = "**Headline 1:** Warm\nDescription: Dry: all day\nPath: boots/winter\nShop now"
    assert [(one.field, one.text) for one in split_copy(named)] == [
        (Field.HEADLINE, "Warm"),
        (Field.DESCRIPTION, "Dry: all day"),
        (Field.PATH, "boots"),
        (Field.PATH, "winter"),
        (Field.DESCRIPTION, "Shop now"),
    ]
    plain = "# Warm boots\n\nDry all day.\n- Shop now"
    assert [(one.field, one.text) for one in split_copy(plain)] == [
        (Field.HEADLINE, "Warm boots"),
        (Field.DESCRIPTION, "Dry all day."),
        (Field.DESCRIPTION, "Shop now"),
    ]
    below = "Headlines:\n- Warm\n\n**Description:**\nDry all day.\n## Path\nboots/winter"
    assert [(one.field, one.text) for one in split_copy(below)] == [
        (Field.HEADLINE, "Warm"),
        (Field.DESCRIPTION, "Dry all day."),
        (Field.PATH, "boots"),
        (Field.PATH, "winter"),
    ]
    assert count_characters(" cafe\u0301 \u200b冬 ") == 7
