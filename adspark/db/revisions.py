"""Revisions of the schema: the one that this version of AdSpark needs, and what to do at another.

Files of migrations begin with the revision that they lead to: four digits, each one more.
"""

from functools import cache
from importlib.resources import files

from adspark.errors import DatabaseSetupError


@cache
def newest() -> str:
    """The revision that this version needs."""
    versions = files("adspark").joinpath("migrations", "versions").iterdir()
    revisions = [name.partition("_")[0] for one in versions if (name := one.name).endswith(".py")]
    if not revisions:
        raise RuntimeError("AdSpark was packaged without its migrations.")
    return max(revisions)


def is_newer(at: str | None) -> bool:
    """Whether a database at this revision is of a newer version; None is before the first one."""
    return at is not None and at > newest()


def find_difference(at: str | None) -> tuple[str, str] | None:
    """How a database at this revision differs from what this version needs, and the remedy."""
    if at == newest():
        return None
    if is_newer(at):
        newer = f"the database is of a newer AdSpark ({at}; this version knows {newest()})"
        return newer, "update AdSpark here too"
    return (
        f"the database is at {at or 'no migration'}, AdSpark needs {newest()}",
        "adspark db upgrade",
    )


def check_newest(at: str | None) -> None:
    """Raise DatabaseSetupError where a database at this revision is not as this version needs it;
    the error names the remedy."""
    if difference := find_difference(at):
        what, remedy = difference
        raise DatabaseSetupError(f"{what[0].upper()}{what[1:]}.", command=remedy)
