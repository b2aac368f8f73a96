"""The one error tree: what went wrong, and whether a retry can help.

Messages are one sentence for a person, say what to do, and never carry a secret. What is to be done
on a command line or in a setting stands apart, for pages are read by people who have neither.
"""

import errno

from adspark.text.redaction import redact
from adspark.text.sentences import without_full_stop
from adspark.text.storable import clean_text

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the OSErrors that say that a disk, a quota or a file is full."""

_LONGEST = 500  # characters of an error that is not ours
_LONGEST_MESSAGE = 5000  # characters of a message that quotes without an end


class AdSparkError(Exception):
    """Anything AdSpark raises on purpose; its message can be stored, whatever it quotes.

    Secrets that this process knows are redacted in it.

    Args:
        message: what went wrong.
        command: what helps on the command line or in a setting; ends the text of the error.

    Attributes:
        sentence: the message alone, for pages.
        command: what helps, or None.
    """

    def __init__(self, message: str = "", *, command: str | None = None) -> None:
        self.sentence = _storable(message)
        self.command = command
        super().__init__(_storable(message if command is None else _joined(message, command)))


def _joined(message: str, command: str) -> str:
    if message.endswith("?"):
        return f"{message} {command[:1].upper()}{command[1:]}"
    return f"{without_full_stop(message)}{', ' if command.startswith('or ') else '; '}{command}"


class TemporaryError(AdSparkError):
    """A retry can help."""


class ServiceUnavailableError(TemporaryError):
    """A service failed on its side or did not answer in time."""


class ServiceDownError(ServiceUnavailableError):
    """A service failed without a response; the request is not the reason."""


class NoRoomError(ServiceUnavailableError):
    """A disk or a quota is full: somebody has to make room, for which no attempt waits."""


class RateLimitedError(TemporaryError):
    """A service asks to slow down; the hour's quota is used up."""


class BusyError(TemporaryError):
    """Another run holds the same query, watch or variant."""


class ChangedMeanwhileError(TemporaryError):
    """Somebody else changed the same thing since it was shown; what they did stays."""


class SupersededError(BusyError):
    """Another run took over the same fetch; this one ends and writes nothing."""


class PostponedError(TemporaryError):
    """Nothing went wrong; time, searches or a budget for it have to come first."""


class DatabaseUnavailableError(TemporaryError):
    """Postgres does not answer, or the connection was lost."""


class StatementLimitError(DatabaseUnavailableError):
    """Postgres answers, but ended a statement that took longer than its setting allows."""


class PermanentError(AdSparkError):
    """A retry gives the same result."""


class QuotaExhaustedError(PermanentError):
    """The plan's searches are used up until it renews."""


class UnknownWatchError(PermanentError):
    """There is no such watch, or it is paused."""


class UnknownVariantError(PermanentError):
    """There is no such variant, or there is nothing to be done on it."""


class UnknownBatchError(UnknownVariantError):
    """The same of a batch of variants."""


class PausedError(PermanentError):
    """Somebody has paused it; nothing of it is done until somebody lets it go on."""


class UnusableContentError(PermanentError):
    """A page or picture is empty, broken, too large, too slow, or at an address not allowed."""


class DeliveryUnknownError(PermanentError):
    """A message was sent, and nobody knows whether it arrived; once more it might arrive twice."""


class GenerationFailedError(PermanentError):
    """The generator ran and failed; another attempt is paid for again."""


class ServiceRefusedError(PermanentError):
    """The service understood the request and refuses it."""


class InvalidRequestError(ServiceRefusedError):
    """The service says what is wrong with the request itself, as with a page token that expired."""


class ConfigurationError(PermanentError):
    """Somebody has to change a setting, a right or a parameter first."""


class InvalidQueryError(ConfigurationError):
    """The parameter `field` of a flow or command is wrong; raised before anything is spent.

    Its message is one line, whatever it quotes of what was written.

    Args:
        field: its name, with which the text of the error begins.
        message: what is wrong with it; alone it is the `sentence`, to stand beside the field.
        command: as of every error.
    """

    def __init__(self, field: str, message: str, *, command: str | None = None) -> None:
        line = " ".join(message.splitlines())
        super().__init__(f"{field}: {line}", command=command)
        self.field = field
        self.sentence = _storable(line)

    def beside(self, field: str) -> "InvalidQueryError":
        """The same error of another field."""
        return InvalidQueryError(field, self.sentence, command=self.command)


class InvalidCredentialsError(ConfigurationError):
    """A service does not accept the key."""


class DatabaseSetupError(ConfigurationError):
    """The database cannot be used as it is: address, version, rights or migrations."""


def describe_error(error: Exception) -> str:
    """An error in one line that a database can store: in its own words where it has good ones."""
    if isinstance(error, AdSparkError):
        message = str(error)
    else:
        reason = redact((str(error).strip().splitlines() or [""])[0])[:_LONGEST]
        message = f"unforeseen {type(error).__name__}: {reason}; the log has its traceback"
    return clean_text(message)


def _storable(message: str) -> str:
    said = redact(clean_text(message))
    return said if len(said) <= _LONGEST_MESSAGE else f"{said[: _LONGEST_MESSAGE - 1]}…"
