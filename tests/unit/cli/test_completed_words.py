"""Which kind of name a shell asks for, by the words that are typed."""

from collections.abc import Callable

import pytest

from deployments.cli.completion.words import Asked, find_asked


def bash(line: str) -> dict[str, str]:
    """What bash says where the cursor stands at the end of the line."""
    words = line.split(" ")
    return {
        "_ADSPARK_COMPLETE": "complete_bash",
        "COMP_WORDS": line.replace(" ", "\n"),
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
    found = find_asked(shell(line))
    assert (found and Asked(found.kind, found.begun)) == asked


@pytest.mark.parametrize(
    ("typed", "begun", "quote"),
    [
        ("'New B", "New B", "'"),
        ('"do\\$lar', "do$lar", '"'),
        ('"a\\b', "a\\b", '"'),
        ("a\\ ", "a ", ""),
        ("it\\'s", "it's", ""),
        ("New' 'B", "New B", ""),
    ],
)
def test_a_word_is_read_without_its_quotes_and_escapes(typed: str, begun: str, quote: str) -> None:
    found = Asked("watches", begun, quote=quote, takes_options=True)
    assert find_asked(zsh(f"adspark watch show {typed}")) == found


@pytest.mark.parametrize(
    ("pieces", "begun", "fixed"),
    [
        (["watch", "show", "co", ":"], "co:", "co:"),
        (["watch", "show", "co", ":", "lo"], "co:lo", "co:"),
        (["watch", "show", "a", "=", "b", ":", "c"], "a=b:c", "a=b:"),
        (["watch", "show", "--watch", "=", "co", ":", "l"], "co:l", "co:"),
        (["watch", "show", "--watch", "="], "", ""),
        (["watch", "show", "--watch", "=", "a"], "a", ""),
    ],
)
def test_what_bash_cuts_at_its_breaks_is_one_name(
    pieces: list[str], begun: str, fixed: str
) -> None:
    found = find_asked(bash(" ".join(["adspark", *pieces])))
    assert found
    assert (found.kind, found.begun, found.fixed) == ("watches", begun, fixed)


def test_a_name_behind_a_finished_one_is_not_its_end() -> None:
    assert find_asked(bash("adspark watch show co : ")) is None


@pytest.mark.parametrize(
    ("line", "takes_options"),
    [
        ("adspark watch show ", True),
        ("adspark watch show -- --d", False),
        ("adspark ads search --watch ", False),
    ],
)
def test_it_is_known_where_a_name_with_a_dash_would_be_an_option(
    line: str, takes_options: bool
) -> None:
    found = find_asked(bash(line))
    assert found
    assert found.takes_options == takes_options


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
