"""Options that exclude each other."""

from adspark.errors import InvalidQueryError


def one_of(yes: str, is_yes: bool, no: str, is_no: bool) -> bool | None:
    """What two options say together: yes, no, or nothing.

    Args:
        yes: the option that says yes, as people type it.
        is_yes: whether it was given.
        no: its opposite.
        is_no: whether that was given.

    Raises:
        InvalidQueryError: both were given.
    """
    if is_yes and is_no:
        raise InvalidQueryError(yes, f"contradicts {no}; give one of them.")
    if is_yes or is_no:
        return is_yes
    return None
