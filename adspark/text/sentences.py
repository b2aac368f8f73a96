"""The full stop behind words that others wrote, who may have written one themselves."""

_ENDS = (".", "?", "!", "…")


def with_full_stop(said: str) -> str:
    """Words as a sentence, which has one full stop whether or not they had it."""
    return said if said.endswith(_ENDS) else f"{said}."


def without_full_stop(said: str) -> str:
    """Words that stand within a sentence of ours."""
    return said.rstrip(".")
