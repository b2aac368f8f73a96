"""Text from outside, made safe to stand in Markdown."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&-])")


def escape_markdown(text: str) -> str:
    """`text` as it reads: on one line, nothing in it a mark-up, a link or a cell's border."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
