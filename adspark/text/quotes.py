"""Names in quotation marks, as a person copies them."""

from adspark.text.visible import visible


def in_quotes(name: str) -> str:
    """The name as it is between quotation marks that it does not hold; with Python's escapes only
    where it has what cannot be seen."""
    if visible(name) != name or "\n" in name:
        return repr(name)
    mark = next((one for one in "'\"" if one not in name), None)
    return f"“{name}”" if mark is None else f"{mark}{name}{mark}"
