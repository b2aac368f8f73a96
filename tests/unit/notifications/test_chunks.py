"""Messages in chunks: all of a text is sent, whatever a service takes at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.notifications.chunks import measure, split_blocks
from adspark.notifications.dialects import Html, Markdown, Slack, Telegram, Text
from adspark.notifications.message import Block, BlockKind, Span

DIALECTS = [Text(), Markdown(), Slack(), Telegram(), Html()]
# Letters, blanks and lines, and what is drawn together with the character before or after it.
WORDS = st.text("ab &*👩é\u0301\u200d\ufe0f\n", max_size=12)
SPANS = st.builds(
    Span,
    text=WORDS,
    is_bold=st.booleans(),
    is_code=st.booleans(),
    address=st.none() | st.just("https://example.com/a"),
    picture=st.none() | st.just("a/b.png"),
)
BLOCKS = st.builds(
    Block, kind=st.sampled_from(BlockKind), spans=st.lists(SPANS, min_size=1, max_size=3).map(tuple)
)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_of_characters_that_belong_together_as_many_as_fit_are_sent(limit: int) -> None:
    word = "e\u0301" * 5
    chunks = split_blocks([Block(BlockKind.PARAGRAPH, (Span(word),))], Text(), limit)
    assert "".join(chunks) == word
    assert all(measure(chunk) <= limit for chunk in chunks)


@given(blocks=st.lists(BLOCKS, max_size=3), limit=st.integers(1, 90))
def test_every_message_ends_at_every_limit(blocks: list[Block], limit: int) -> None:
    characters = sum(len(span.text) + 1 for block in blocks for span in block.spans)
    for dialect in DIALECTS:
        assert len(split_blocks(blocks, dialect, limit)) <= characters
