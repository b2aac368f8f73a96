"""The words of the sandbox's variants."""

import pytest

from adspark.sandbox.dify.content.copywriting import MARK, write_copy
from adspark.sandbox.dify.content.originals import Original
from adspark.sandbox.dify.content.themes import read_theme

LULULEMON = Original("lululemon athletica inc.", "Hats for every run", "CR1")


@pytest.mark.parametrize(
    ("prompt", "headline"),
    [
        ("Create a summer-themed version", "Summer with lululemon athletica"),
        ("WINTER please", "Winter with lululemon athletica"),
        ("a black friday banner", "Black Friday at lululemon athletica"),
        ("black and white", "Black White: lululemon athletica"),
        ("for tired accountants anywhere", "Tired Accountants Anywhere: lululemon athletica"),
        ("make it", "A new look at lululemon athletica"),
        ("为夏天", "为夏天: lululemon athletica"),
        ("!", "A new look at lululemon athletica"),
    ],
)  # fmt: skip
def test_the_headline_comes_from_the_prompt(prompt: str, headline: str) -> None:
    assert write_copy(prompt, LULULEMON).headline == headline


def test_the_copy_is_marked_and_holds_what_the_original_said() -> None:
    lines = write_copy("Create a summer-themed version", LULULEMON).text.splitlines()
    assert lines[0] == f"{MARK} Summer with lululemon athletica"
    assert lines[1] == "Hats for every run. Made for long, bright days."
    assert lines[2] == "Shop summer →"
    assert lines[3].endswith("“Create a summer-themed version”")


def test_the_same_gives_the_same_and_another_prompt_or_original_another_copy() -> None:
    first = write_copy("sale", LULULEMON)
    assert write_copy("sale", LULULEMON) == first
    long = "sale " * 100
    texts = {
        write_copy(prompt, original).text
        for prompt in ("sale", "a sale", long, f"{long}!")
        for original in (LULULEMON, Original("lululemon athletica inc.", "", "CR2"))
    }
    assert len(texts) == 8


def test_a_copy_is_never_too_long() -> None:
    endless = "x" * 2000
    for prompt in (endless, "word " * 400, "summer " + endless):
        for brand in (endless, "Many Words " * 50):
            text = write_copy(prompt, Original(brand, endless)).text
            assert len(text) <= 400
            assert len(text.splitlines()) == 4


def test_braces_in_a_name_or_prompt_do_no_harm() -> None:
    copy = write_copy("{brand} {0}", Original("{brand} {x}"))
    assert copy.headline == "Brand 0: {brand} {x}"


def test_every_theme_has_a_call_that_fits_a_button() -> None:
    for prompt in ("summer", "eco", "gen z", "valentine's", "holidays", "nothing known"):
        theme = read_theme(prompt)
        assert "{brand}" in theme.headline
        assert 0 < len(theme.call) <= 16
        assert theme.phrase.endswith(".")
