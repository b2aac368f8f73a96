"""What is said of a file, or a store, that cannot be written."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adspark.errors import (
    NO_SPACE,
    AdSparkError,
    InvalidQueryError,
    NoRoomError,
    ServiceUnavailableError,
)
from adspark.text.redaction import redact, safe_cause

_PERMANENT = (FileNotFoundError, PermissionError, NotADirectoryError)
_TEMPORARY = (
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.EAGAIN,
    errno.ETIMEDOUT,
    errno.EBUSY,
    errno.EREMOTEIO,  # of s3fs, as the one before: the store has failed
)
_STORES = ("botocore", "aiobotocore", "aiohttp")  # libraries with errors of their own
_NO_KEYS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError")
_KEYS = (
    "set the keys of an account that may write there, as for s3: AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY; where runs write it, in the environment of the worker."
)


@contextmanager
def translated_errors(place: str) -> Iterator[None]:
    """Say what to do about a file, or a store, that cannot be written."""
    try:
        yield
    except OSError as error:
        raise _explain(error, place) from safe_cause(error)
    except AdSparkError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _STORES:
            raise
        if type(error).__name__ in _NO_KEYS:
            raise InvalidQueryError("file", f"{place} takes keys; {_KEYS}") from safe_cause(error)
        raise ServiceUnavailableError(
            f"{place}: the store does not answer: {type(error).__name__}."
        ) from safe_cause(error)


def _explain(error: OSError, place: str) -> AdSparkError:
    reason = redact(error.strerror or str(error) or type(error).__name__)
    if error.errno in NO_SPACE:
        return NoRoomError(f"{place}: {reason}; make some room. Nothing was kept.")
    # A store's error without a number is permanent where its class says so.
    if error.errno in _TEMPORARY or (error.errno is None and not isinstance(error, _PERMANENT)):
        return ServiceUnavailableError(f"{place} cannot be written right now ({reason}).")
    if isinstance(error, FileNotFoundError) and not Path(place).parent.is_dir():
        return InvalidQueryError("file", f"{place}: there is no such folder; make it first.")
    if isinstance(error, PermissionError) and "://" in place:
        return InvalidQueryError("file", f"{place}: the store refuses ({reason}); {_KEYS}")
    return InvalidQueryError("file", f"{place} cannot be written ({reason}); name another file.")
