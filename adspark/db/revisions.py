"""Revisions of the schema: the one that this version of AdSpark needs, and what to do at another.

Files of migrations begin with the revision that they lead to: four digits, each one more.
"""

import re
from functools import cache
from importlib.resources import files

from adspark.errors import DatabaseSetupError

_OURS = re.compile(r"[0-9]{4}")


@cache
def newest() -> str:
    """The revision that this version needs."""
    versions = files("adspark").joinpath("migrations", "versions").iterdir()
    revisions = [name.partition("_")[0] for one in versions if (name := one.name).endswith(".py")]
    if not revisions:
        raise RuntimeError("AdSpark was packaged without its migrations.")
    return max(revisions)


def find_difference(at: str | None) -> tuple[str, str] | None:
    """How a database at this revision differs from what this version needs, and the remedy.

    Several revisions have commas between; None is before the first one.
    """
    if at == newest():
        return None
    return _find_obstacle(at) or (
        f"the database is at {at or 'no migration'}, AdSpark needs {newest()}",
        "adspark db upgrade",
    )


def _find_obstacle(at: str | None) -> tuple[str, str] | None:
    """Why a database at this revision cannot be upgraded by this version, and the remedy."""
    found = at.split(", ") if at else []
    if not all(map(_OURS.fullmatch, found)):
        return (
            f"the database belongs to another program (its migration is {at})",
            "name a database of AdSpark's own in ADSPARK_DATABASE_URL",
        )
    if len(found) > 1:
        return (
            f"the database is marked with several migrations ({at}), as after a restore of data "
            "without tables",
            "restore the whole dump into an empty database, or delete the row of the table "
            "alembic_version that its tables are not at; then: adspark db check",
        )
    if at and at > newest():
        newer = f"the database is of a newer AdSpark ({at}; this version knows {newest()})"
        return newer, "update AdSpark here too"
    return None


def check_upgradable(at: str | None) -> None:
    """Raise DatabaseSetupError where a database at this revision cannot be upgraded by this
    version; the error names the remedy."""
    _raise(_find_obstacle(at))


def check_newest(at: str | None) -> None:
    """Raise DatabaseSetupError where a database at this revision is not as this version needs it;
    the error names the remedy."""
    _raise(find_difference(at))


def _raise(difference: tuple[str, str] | None) -> None:
    if difference:
        what, remedy = difference
        raise DatabaseSetupError(f"{what[0].upper()}{what[1:]}.", command=remedy)
