"""Every code block of the README and of `docs/` is run, in its order, as a newcomer would.

The README comes first: its blocks start the stack on the sandbox that all pages then use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.documentation.pages import Block, page_names, read_blocks
from tests.support.documentation.session import open_session
from tests.support.documentation.warm_command import warm_command
from tests.support.folders import open_folder
from tests.support.stack import Stack, surroundings

pytestmark = pytest.mark.timeout(1800)  # a page has many commands
RUN = {"bash", "console", "python", "sql"}  # other kinds are read: tests/unit/documentation
README, *PAGES = (
    (page, [block for block in read_blocks(page) if block.kind in RUN and not block.not_run])
    for page in page_names()
)


@dataclass(frozen=True)
class Newcomer:
    """Who reads: their stack, the folder in which they work, and where their `adspark` is."""

    stack: Stack
    folder: Path
    programs: Path | None = None

    def run(self, blocks: list[Block]) -> None:
        """Run the blocks of a page in one shell; each has to succeed."""
        with open_session(self.stack, self.folder, self.programs) as session:
            for block in blocks:
                session.run(block)


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Newcomer]:
    """Who has read the README, with the command as it is installed; from then on it is warm."""
    with open_folder() as folder, open_folder() as programs, surroundings() as stack:
        Newcomer(stack, folder).run(README[1])
        with warm_command(stack, programs):
            yield Newcomer(stack, folder, programs)


@pytest.mark.parametrize(
    "blocks", [pytest.param(blocks, id=page) for page, blocks in PAGES if blocks]
)
def test_the_code_blocks_of_a_page_run_in_their_order(
    newcomer: Newcomer, blocks: list[Block]
) -> None:
    newcomer.run(blocks)
