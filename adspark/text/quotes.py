"""Names in quotation marks, as a person copies them."""

import re

from adspark.text.visible import HIDDEN, drop_hidden, visible

_UNSEEN = re.compile(f"[{HIDDEN}]")


def in_quotes(name: str) -> str:
    """The name as it is between quotation marks that it does not hold; where it has what cannot be
    seen, that is written as Python's escapes."""
    if drop_hidden(visible(name)) != name or "\n" in name:
        # Of letters and marks that are drawn as nothing, `repr` leaves some as they are.
        return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], repr(name))
    mark = next((one for one in "'\"" if one not in name), None)
    return f"“{name}”" if mark is None else f"{mark}{name}{mark}"
