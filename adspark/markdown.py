"""Text from outside, made safe to stand in Markdown."""

import re
from html import escape

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


def escape_markdown(text: str) -> str:
    """`text` as it reads: on one line, nothing in it a mark-up, a link or a cell's border.

    Where a backslash would be shown by converters that know none there, as in mail, entities stand.
    """
    return _SPECIAL.sub(r"\\\1", escape(" ".join(text.split()), quote=False))
