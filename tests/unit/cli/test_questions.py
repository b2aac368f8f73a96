"""Questions fit on a terminal: no word of them is cut by its edge."""

import io

import pytest
from rich.console import Console

from deployments.terminal.questions import wrap_question

QUESTION = "Delete watch 3025 (summer-sandals) with its links to 4,000 ads? The ads stay."


@pytest.mark.parametrize("width", [30, 40, 80])
def test_a_question_is_wrapped_at_words_with_room_for_the_answer(width: int) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    lines = wrap_question(QUESTION, console).split("\n")
    assert " ".join(lines) == QUESTION
    assert all(len(line) <= width - len(" [y/N]: y") for line in lines)


def test_what_is_no_terminal_gets_a_question_whole() -> None:
    assert wrap_question(QUESTION, Console(file=io.StringIO(), width=20)) == QUESTION
