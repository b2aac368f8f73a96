"""Text from outside, made safe to stand in Markdown."""

import re
from html import escape

from adspark.text.visible import isolate

# What is mark-up anywhere, and the full stop of a number that begins a list.
_SPECIAL = re.compile(r"[\\`*_{}\[\]()#+!|~-]|(?<=^\d)\.|(?<=^\d\d)\.|(?<=^\d{3})\.|(?<=^\d{4})\.")


def escape_markdown(text: str) -> str:
    """`text` as it reads in CommonMark: on one line, nothing a mark-up, link or cell border.

    What a chat service shows is in its own mark-up: see `adspark.notifications`.
    """
    return _SPECIAL.sub(r"\\\g<0>", escape(isolate(text), quote=False))
