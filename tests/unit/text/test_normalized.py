"""Normal forms of hostile text: no heap of marks is sorted, whose time grows with its square."""

import ast
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adspark.text.normalized import LONGEST_WHOLE, NormalForm, normalize, normalize_whole

ROOT = Path(__file__).parents[3]
PACKAGES = ("adspark", "blocks", "deployments", "flows", "orchestration", "tasks")
DOOR = "adspark/text/normalized.py"
FORMS: tuple[NormalForm, ...] = get_args(NormalForm)
MOST = 50  # marks that are sorted at once; eight characters may each stand for several

# Characters that are marks, become some in a normal form, or are left out between marks.
PIECES = (
    pytest.param("\u0301\u0316", id="accents above and below"),
    pytest.param("\u302e\u0301", id="marks of tone, which take room"),
    pytest.param("\U0001d165\U0001d16d", id="stems and dots of notes"),
    pytest.param("\uff9e\u0301", id="half-width sound marks"),
    pytest.param("\u0301\u0316\u200d", id="joiners between marks"),
    pytest.param("\u0f73\u0f75", id="vowels of Tibetan"),
    pytest.param("\u0344\u0316", id="one mark that is two"),
)


def longest_heap(text: str) -> int:
    """The most marks in a row that a normal form sorts."""
    decomposed = unicodedata.normalize("NFKD", text)
    heaps = groupby(decomposed, key=lambda one: unicodedata.combining(one) != 0)
    return max((len(list(heap)) for is_marks, heap in heaps if is_marks), default=0)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("form", FORMS)
def test_of_a_heap_of_marks_a_few_are_left(piece: str, form: NormalForm) -> None:
    assert longest_heap(normalize(form, "a" + piece * 1000)) <= MOST


@given(st.text(max_size=60), st.sampled_from(FORMS))
def test_ordinary_text_is_normalized_as_unicode_says(text: str, form: NormalForm) -> None:
    if longest_heap(text) <= 8:
        assert normalize(form, text) == unicodedata.normalize(form, text)


@given(st.text(st.sampled_from("ae\u00e9\u1ebf\u0301\u0316\u0344\u0f73\uff9e\u200d"), max_size=40))
@example("ana" + "\u0344" * 5)
def test_what_was_normalized_once_stays_as_it_is(text: str) -> None:
    for form in FORMS:
        once = normalize(form, text)
        assert normalize(form, once) == once


def test_a_password_keeps_each_of_its_marks() -> None:
    password = "a" + "\u0316" * (LONGEST_WHOLE - 1)
    assert normalize_whole("NFC", password) == password

    with pytest.raises(ValueError, match="1001 characters"):
        normalize_whole("NFC", password + "b")


def test_nothing_else_in_the_product_normalizes_text() -> None:
    found = [one for package in PACKAGES for one in _normalizing(ROOT / package)]
    assert found == []


def _normalizing(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.py")):
        if str(file.relative_to(ROOT)) == DOOR:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Attribute() if ast.unparse(node) == "unicodedata.normalize":
                    yield f"{file.relative_to(ROOT)}:{node.lineno}"
                case ast.ImportFrom(module="unicodedata"):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}"
