"""Whom a command that an error names has to be called for."""

from adspark.models import DEFAULT_USER


def for_user(user_id: int) -> str:
    """The option that names a user, after a blank; empty for the default user, who needs none."""
    return "" if user_id == DEFAULT_USER else f" --user {user_id}"
