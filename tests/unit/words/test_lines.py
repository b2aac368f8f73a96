"""What an engine saw is told apart: words, noise, and lines of a script that it does not know."""

import pytest

from adspark.words.lines import UNKNOWN_SCRIPT, SeenLine, find_script, judge_lines

SCRIPTS = {"latin", "han", "hiragana", "katakana"}


def line(
    text: str, confidence: float = 0.99, *, size: float = 16, room: int | None = None
) -> SeenLine:
    """A line of letters of a size; `room` is for how many letters it is long."""
    return SeenLine(text, confidence, size * (room or len(text)), 1.9 * size)


@pytest.mark.parametrize(
    ("seen", "lines", "script", "unread"),
    [
        ([line("Big sale"), line("Up to 70% off")], ["Big sale", "Up to 70% off"], "latin", 0),
        ([line("夏のセール", room=5)], ["夏のセール"], "katakana", 0),
        ([line("   ", room=20), line("", room=30)], [], UNKNOWN_SCRIPT, 2),  # Cyrillic, as it comes
        ([line("εγλε πσ", 0.82), line("τια", room=30)], [], "greek", 2),
        ([line("Nike"), line("  ", room=20), line("nike.com")], ["Nike", "nike.com"], "latin", 1),
        ([line("Y 77 D ni7n", 0.65, room=14)], [], UNKNOWN_SCRIPT, 1),  # Hebrew, as it comes
        ([line("~", 0.4)], [], None, 0),  # a corner of a photo
        ([], [], None, 0),
    ],
)
def test_words_are_told_from_what_cannot_be_read(
    seen: list[SeenLine], lines: list[str], script: str | None, unread: int
) -> None:
    judged = judge_lines(seen, scripts=SCRIPTS)
    assert (judged.lines, judged.script, judged.unread) == (lines, script, unread)
    assert (judged.confidence is None) == (not lines)


def test_the_headline_is_what_has_the_largest_letters_over_several_lines() -> None:
    seen = [
        line("newbalance.com"),
        line("Run your", size=30),
        line("way now", size=29),
        line("Shop"),
    ]
    judged = judge_lines(seen, scripts=SCRIPTS)
    assert judged.headline == "Run your way now"
    assert judged.confidence == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("text", "script"),
    [("70%", None), ("Große", "latin"), ("Скидки 70% off", "cyrillic"), ("大减价", "han")],
)
def test_the_script_is_that_of_most_letters(text: str, script: str | None) -> None:
    assert find_script(text) == script
