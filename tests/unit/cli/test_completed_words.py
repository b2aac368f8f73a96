"""Which kind of name a shell asks for, by the words that are typed."""

from collections.abc import Callable

import pytest

from deployments.cli.completion.words import Asked, find_asked


def bash(line: str) -> dict[str, str]:
    """What bash says where the cursor stands at the end of the line."""
    words = line.split(" ")
    return {
        "_ADSPARK_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }


def zsh(line: str) -> dict[str, str]:
    return {"_ADSPARK_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}


@pytest.mark.parametrize("shell", [bash, zsh])
@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("adspark run ", Asked("flows", "")),
        ("adspark run fet", Asked("flows", "fet")),
        ("adspark run fetch-creatives ", None),
        ("adspark pause da", Asked("pools", "da")),
        ("adspark scale default ", None),
        ("adspark worker default da", Asked("pools", "da")),
        ("adspark watch show ", Asked("watches", "")),
        ("adspark watch show --user ana hub", Asked("watches", "hub")),
        ("adspark watch show --user a", Asked("users", "a")),
        ("adspark watch show --user = a", Asked("users", "a")),
        ("adspark watch show --user=a", Asked("users", "a")),
        ("adspark watch show --us", None),
        ("adspark watch sh", None),
        ("adspark watch list ", None),
        ("adspark users rename ana ", None),
        ("adspark users lock ", Asked("users", "")),
        ("adspark ads search --watch h", Asked("watches", "h")),
        ("adspark failures --pool d", Asked("pools", "d")),
        ("adspark failures --flow ", Asked("flows", "")),
        ("adspark ", None),
        ("adspark", None),
    ],
)
def test_the_kind_of_name_follows_from_the_words(
    shell: Callable[[str], dict[str, str]], line: str, asked: Asked | None
) -> None:
    assert find_asked(shell(line)) == asked


def test_an_open_quote_is_a_word_that_is_only_begun() -> None:
    assert find_asked(zsh("adspark watch show 'New B")) == Asked("watches", "New B")


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"_ADSPARK_COMPLETE": "source_bash"},
        {"_ADSPARK_COMPLETE": "complete_bash"},
        {"_ADSPARK_COMPLETE": "complete_bash", "COMP_WORDS": "adspark run ", "COMP_CWORD": "x"},
    ],
)
def test_without_a_question_nothing_is_completed(variables: dict[str, str]) -> None:
    assert find_asked(variables) is None
