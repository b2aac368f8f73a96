"""Every code block of the README and of `docs/` is run, in its order, as a newcomer would.

The README comes first: its blocks start the stack on the sandbox that all pages then use.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documentation.pages import Block, page_names, read_blocks
from tests.support.documentation.session import open_session
from tests.support.folders import open_folder
from tests.support.stack import Stack, surroundings
from tests.support.warm_command import warm_command

pytestmark = pytest.mark.timeout(1800)  # a page has many commands
RUN = {"bash", "console", "python", "sql"}  # other kinds are read: tests/unit/documentation
README, *PAGES = (
    (page, [block for block in read_blocks(page) if block.kind in RUN and not block.not_run])
    for page in page_names()
)


def run_blocks(stack: Stack, folder: Path, blocks: list[Block]) -> None:
    """Run the blocks of a page; each has to succeed."""
    with open_session(stack, folder) as session:
        for block in blocks:
            session.run(block)


@pytest.fixture(scope="module")
def newcomer() -> Iterator[tuple[Stack, Path]]:
    """Who has read the README, with the installed command: their stack, the folder they work in."""
    with open_folder() as folder, surroundings() as stack:
        run_blocks(stack, folder, README[1])
        with warm_command(stack) as warm:
            yield warm, folder


@pytest.mark.parametrize(
    "blocks", [pytest.param(blocks, id=page) for page, blocks in PAGES if blocks]
)
def test_the_code_blocks_of_a_page_run_in_their_order(
    newcomer: tuple[Stack, Path], blocks: list[Block]
) -> None:
    run_blocks(*newcomer, blocks)
