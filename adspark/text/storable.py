"""Text that a database and JSON can hold: without NUL, and without halves of a character."""

import re

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no text of PostgreSQL holds, and no UTF-8."""


def clean_text(text: str) -> str:
    """`text` with U+FFFD in place of what no database can hold."""
    return UNSTORABLE.sub("\ufffd", text)
