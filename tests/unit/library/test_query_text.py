"""What is typed to search is taken apart; whatever it is, it is never refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.library.search.query_text import MOST_TERMS, Term, parse_query_text


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        ("running shoes", [Term("running"), Term("shoes")]),
        ('"trail running" shoes', [Term("trail running", is_phrase=True), Term("shoes")]),
        ("sho*", [Term("sho", is_prefix=True)]),
        ('"trail run"*', [Term("trail run", is_prefix=True, is_phrase=True)]),
        ("-sale", [Term("sale", is_excluded=True)]),
        ('-"last sale"', [Term("last sale", is_excluded=True, is_phrase=True)]),
        ("-sal*", [Term("sal", is_excluded=True, is_prefix=True)]),
        ('"never closed', [Term("never"), Term("closed")]),
        ('shoe"laces', [Term("shoe"), Term("laces")]),
        ("Jetzt \u201350 % 55\u201d TV, 43\u201d", [Term("Jetzt"), Term("\u201350"), Term("55"),
                                                  Term("TV,"), Term("43")]),
        ("\u201cnever closed, \u201cNike 90\u201d l\u2019\xe9t\xe9", [
            Term("never closed,", is_phrase=True), Term("Nike"), Term("90"),
            Term("l\u2019\xe9t\xe9")]),
        ("wi-fi 2019\u20132020", [Term("wi-fi"), Term("2019\u20132020")]),
        ("\u201ctrail run\u201d* \u2212\u201elast sale\u201c \u2013\xabsoldes\xbb \uff0dkids",
            [Term("trail run", is_prefix=True, is_phrase=True),
             Term("last sale", is_excluded=True, is_phrase=True),
             Term("soldes", is_excluded=True, is_phrase=True), Term("kids", is_excluded=True)]),
        ("50%", [Term("50%")]),
        ("https://www.example.com/shoes?a=1", [Term("example.com")]),
        ("www.example.com", [Term("example.com")]),
        ("a & (b | !c) <-> d:*", [Term("a"), Term("(b"), Term("!c)", is_alternative=True),
                                  Term("d:", is_prefix=True)]),
        ("shoes OR boots red|blue", [Term("shoes"), Term("boots", is_alternative=True),
                                     Term("red"), Term("blue", is_alternative=True)]),
        ("OR shoes OR", [Term("shoes")]),
        ("https://user:pw@newbalance.com/", [Term("newbalance.com")]),
        ("or shoes or", [Term("or"), Term("shoes"), Term("or")]),
        ('shoes or -boots "or"', [Term("shoes"), Term("or"), Term("boots", is_excluded=True),
                                  Term("or", is_phrase=True)]),
        ("- * \" -- '", []),
        ("", []),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_words_phrases_prefixes_and_exclusions(written: str, terms: list[Term]) -> None:
    assert parse_query_text(written) == tuple(terms)


def test_of_very_many_words_the_first_are_searched() -> None:
    assert parse_query_text("word " * 10_000) == (Term("word"),) * MOST_TERMS


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_is_refused_and_none_is_left_that_no_database_holds(written: str) -> None:
    for term in parse_query_text(written):
        assert term.text
        term.text.encode()
        assert "\x00" not in term.text


@given(st.lists(st.text("abcxyzäж", min_size=1), min_size=1, max_size=10))
def test_plain_words_are_searched_as_they_are(words: list[str]) -> None:
    assert parse_query_text(" ".join(words)) == tuple(map(Term, words))
