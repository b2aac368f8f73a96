"""Every code block of the README and of `docs/` is run, in its order, as a newcomer would.

The README comes first: its blocks start the stack on the sandbox that all pages then use.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documentation.pages import page_names, read_blocks
from tests.support.documentation.session import open_session
from tests.support.stack import Stack, surroundings

RUN = {"bash", "console", "python", "sql"}


def run_page(stack: Stack, folder: Path, page: str) -> None:
    """Run what can be run of a page; each block has to succeed."""
    with open_session(stack, folder) as session:
        for block in read_blocks(page):
            if block.kind in RUN and not block.not_run:
                session.run(block)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """Who has read the README: their stack, and the folder in which they work."""
    folder = tmp_path_factory.mktemp("newcomer")
    with surroundings() as stack:
        run_page(stack, folder, "README.md")
        yield stack, folder


@pytest.mark.parametrize("page", page_names()[1:])
def test_the_code_blocks_of_a_page_run_in_their_order(
    newcomer: tuple[Stack, Path], page: str
) -> None:
    if not any(block.kind in RUN and not block.not_run for block in read_blocks(page)):
        return
    run_page(*newcomer, page)
