"""SerpApi's key: the one that is there, else the one that is given; accepted before it is kept."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import SecretStr
from rich.markup import escape

from adspark.errors import ConfigurationError, InvalidCredentialsError, InvalidQueryError
from adspark.home.env_setting import check_env_setting, write_env_setting
from adspark.serpapi.client import SerpApiClient
from adspark.settings import ENV_FILE, Settings, get_settings
from adspark.text.counts import counted
from adspark.text.redaction import remember
from deployments.cli.setup.questions import ask, tell
from deployments.terminal.output import print_error

VARIABLE = "ADSPARK_SERPAPI_KEY"
KEY_OPTION = "--key-file"
_KEY = re.compile(r"[\w.-]+", re.ASCII)
_SHORTEST, _LONGEST = 8, 200  # characters of a key
_MOST_READ = 10_000  # characters of a file that should hold a key
_PAGE = "https://serpapi.com/manage-api-key"


@dataclass(frozen=True)
class CheckedKey:
    """A key that SerpApi accepts.

    Attributes:
        key: itself.
        is_new: whether it is yet to be written into `.env`.
        left: searches of the account; None where it does not say.
    """

    key: SecretStr
    is_new: bool
    left: int | None


def find_key(settings: Settings, key_file: str | None) -> CheckedKey:
    """The key of a file (`-` is standard input), else of the settings, else of whom is asked.

    It is checked through the account, which costs no search.

    Raises:
        ConfigurationError: there is none, it is not accepted, or `.env` cannot take it.
        AdSparkError: SerpApi cannot be asked.
    """
    if key_file is not None:
        checked = _check(settings, _parse(_read_file(key_file)), is_new=True)
        if settings.serpapi_key == checked.key:
            return CheckedKey(checked.key, is_new=False, left=checked.left)
        if os.environ.get(VARIABLE):
            raise ConfigurationError(f"{VARIABLE} is set in the environment, which wins; unset it.")
        check_env_setting(ENV_FILE, VARIABLE)
        return checked
    if settings.serpapi_key is not None:
        try:
            kept = _check(settings, settings.serpapi_key, is_new=False)
        except InvalidCredentialsError as error:
            if os.environ.get(VARIABLE):
                raise
            check_env_setting(ENV_FILE, VARIABLE)
            print_error(f"{error} Another one takes its place.")
        else:
            tell(f"SerpApi's key is set already ({_place()}), and accepted: it is kept.")
            return kept
    else:
        check_env_setting(ENV_FILE, VARIABLE)
        tell(f"AdSpark searches through SerpApi. Your private key: {_PAGE}")
    return ask(
        "SerpApi's key (not shown)",
        option=KEY_OPTION,
        parse=lambda given: _check(settings, _parse(given), is_new=True),
        is_hidden=True,
    )


def use_key(found: CheckedKey) -> None:
    """Let this process use a key that is not written yet."""
    if found.is_new:
        os.environ[VARIABLE] = found.key.get_secret_value()
        get_settings.cache_clear()


def keep_key(found: CheckedKey) -> None:
    """Write a new key into `.env`, and use it.

    Raises:
        ConfigurationError: it cannot be written; nothing was changed.
    """
    if not found.is_new:
        return
    write_env_setting(ENV_FILE, VARIABLE, found.key.get_secret_value())
    use_key(found)
    tell(f"Wrote the key into {escape(str(ENV_FILE.absolute()))}, which nobody else can read.")


@contextmanager
def telling_of_key(found: CheckedKey) -> Iterator[None]:
    """Say of a new key that it was not written, where what comes before that ends."""
    try:
        yield
    except BaseException as error:
        if found.is_new:
            if isinstance(error, typer.Abort):  # it stands behind the question
                tell("")
            tell(f"The key was not written into {escape(str(ENV_FILE))}; give it again next time.")
        raise


def _place() -> str:
    return "in the environment" if os.environ.get(VARIABLE) else f"in {ENV_FILE.absolute()}"


def _read_file(written: str) -> str:
    if written == "-":
        return sys.stdin.readline(_MOST_READ)
    try:
        with Path(written).open(encoding="utf-8") as file:
            return file.read(_MOST_READ)
    except UnicodeDecodeError:
        raise InvalidQueryError(KEY_OPTION, f"{written} is not UTF-8 text.") from None
    except OSError as error:
        raise InvalidQueryError(KEY_OPTION, f"{written}: {error.strerror}.") from None


def _parse(given: str) -> SecretStr:
    key = given.strip()
    remember(key)
    if (reason := _find_fault(key)) is not None:
        raise InvalidQueryError(KEY_OPTION, f"{reason}; see {_PAGE}")
    return SecretStr(key)


def _find_fault(key: str) -> str | None:
    if not key:
        return "it is empty; it holds one line, the key"
    if not _KEY.fullmatch(key):
        return "this is no key: a key has letters and digits only"
    if not _SHORTEST <= len(key) <= _LONGEST:
        length = counted(len(key), "character") + (" or more" if len(key) >= _MOST_READ else "")
        return f"this is no key: it has {length}, a key has {_SHORTEST} to {_LONGEST}"
    return None


def _check(settings: Settings, key: SecretStr, *, is_new: bool) -> CheckedKey:
    async def ask_account() -> CheckedKey:
        client = SerpApiClient(key, base_url=settings.serpapi_url, timeout=settings.serpapi_timeout)
        async with client:
            account = await client.account()
        left = account.total_searches_left
        of = f" of {account.searches_per_month:,}" if account.searches_per_month else ""
        known = "" if left is None else f"; left this month: {counted(left, 'search')}{of}"
        if is_new:
            tell(f"SerpApi accepts the key{known}.")
        return CheckedKey(key, is_new=is_new, left=left)

    return asyncio.run(ask_account())
