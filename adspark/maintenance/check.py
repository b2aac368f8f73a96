"""One thing that AdSpark needs, looked at: how it is, and what mends it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum

from pydantic import BaseModel

from adspark.errors import (
    AdSparkError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    InvalidCredentialsError,
    TemporaryError,
)
from adspark.text.sentences import without_full_stop

SLOW = 15.0
"""Seconds for one check above which it is reported as slow."""

AWAY = 60.0
"""Seconds without an answer after which a service counts as down."""

DATABASE_REMEDY = "PostgreSQL and its log"
"""What mends a database that does not answer, whichever check meets it."""


class CheckState(StrEnum):
    """How a thing is; `failed` is for a person to mend, `warning` for one to know."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_SET_UP = "not set up"


class Check(BaseModel):
    """One thing that was checked; `remedy` is the command or the setting that mends it."""

    name: str
    state: CheckState
    what: str
    remedy: str = ""

    @classmethod
    def ok(cls, name: str, what: str) -> "Check":
        """It is as it should be."""
        return cls(name=name, state=CheckState.OK, what=what)

    @classmethod
    def warning(cls, name: str, what: str, remedy: str) -> "Check":
        """It works, but not for long.

        Args:
            name: of what was checked.
            what: was found.
            remedy: what to do about it.
        """
        return cls(name=name, state=CheckState.WARNING, what=what, remedy=remedy)

    @classmethod
    def failed(cls, name: str, what: str, remedy: str) -> "Check":
        """It does not work.

        Args:
            name: of what was checked.
            what: was found.
            remedy: what to do about it.
        """
        return cls(name=name, state=CheckState.FAILED, what=what, remedy=remedy)

    @classmethod
    def not_set_up(cls, name: str, what: str, remedy: str = "") -> "Check":
        """It is not there yet.

        Args:
            name: of what was checked.
            what: is lacking.
            remedy: what sets it up.
        """
        return cls(name=name, state=CheckState.NOT_SET_UP, what=what, remedy=remedy)


async def look_at(
    name: str,
    look: Callable[[], Awaitable[Check]],
    *,
    remedy: str,
    slow: float = SLOW,
    away: float = AWAY,
) -> Check:
    """Make one check; an error becomes a check that has failed.

    Args:
        name: of what is checked.
        look: makes the check.
        remedy: for errors that name none of their own.
        slow: seconds above which an answer comes with a warning.
        away: seconds after which no answer is expected any more.
    """
    asked_at = time.monotonic()
    try:
        async with asyncio.timeout(away):
            check = await look()
    except TimeoutError:
        return Check.failed(name, f"no answer in {away:g} s", remedy)
    except AdSparkError as error:
        return _failed(name, error, remedy)
    except OSError as error:
        return Check.failed(name, f"{error.filename or name}: {error.strerror or error}", remedy)
    except Exception as error:  # whatever it is, the other checks are made; it may hold a secret
        return Check.failed(name, f"failed ({type(error).__name__})", remedy)
    seconds = time.monotonic() - asked_at
    if check.state is CheckState.OK and seconds > slow:
        what = f"is slow: {check.what}, after {seconds:.0f} s"
        return Check.warning(name, what, "look what keeps its machine busy")
    return check


def _failed(name: str, error: AdSparkError, remedy: str) -> Check:
    if error.command is not None:
        return Check.failed(name, without_full_stop(error.sentence), error.command)
    remedy = find_remedy(error, remedy)
    is_said = isinstance(error, InvalidCredentialsError) or (
        not isinstance(error, TemporaryError) and remedy in str(error)
    )
    return Check.failed(name, str(error), "" if is_said else remedy)


def find_remedy(error: AdSparkError, remedy: str) -> str:
    """What mends an error: what it says itself, the database where that is at fault, else this."""
    if error.command is not None:
        return error.command
    is_database = isinstance(error, DatabaseUnavailableError | DatabaseSetupError)
    return DATABASE_REMEDY if is_database else remedy
