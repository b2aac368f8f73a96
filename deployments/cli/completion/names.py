"""The names of flows, pools, watches and users that begin like what is typed."""

import os
import re
import threading

from adspark.home.running_stack import running_stack
from adspark.settings import get_settings
from adspark.text.terminal import plain
from deployments.cli.completion.words import Asked
from deployments.queue_classes import POOL_NAMES, QUEUE_CLASSES

_PATIENCE = 1.5  # seconds; nobody waits longer for a completion
_SPECIAL = re.compile(r"([^\w%+,./-])")  # to bash; what breaks words (:, =, @) too
_LOST_IN_ZSH = set("'\"")  # Typer's completion drops them, and another name is worse than none
_SPECIAL_IN_QUOTES = re.compile(r'([$`"\\])')


def list_names(asked: Asked) -> list[str]:
    """The names that begin like this in any case, as the shell takes them; none at an error."""
    begun = asked.begun.casefold()
    names = [name for name in _read(asked.kind) if name.casefold().startswith(begun)]
    shell = os.environ.get("_ADSPARK_COMPLETE", "").removeprefix("complete_")
    if shell == "bash":
        names = [_write(name, asked) for name in names if name.startswith(asked.fixed)]
        return [name for name in names if name]
    lost = _LOST_IN_ZSH if shell == "zsh" else set()
    return [name for name in names if not _is_option(name, asked) and not lost & set(name)]


def _is_option(name: str, asked: Asked) -> bool:
    return asked.takes_options and name.startswith("-")


def _write(name: str, asked: Asked) -> str:
    """What bash is to put for what is typed of the name; nothing where that cannot be done."""
    rest = name.removeprefix(asked.fixed)
    if asked.quote:
        if _is_option(name, asked):
            return ""
        if asked.quote == "'":
            return rest.replace("'", r"'\''")
        return _SPECIAL_IN_QUOTES.sub(r"\\\1", rest).replace("!", "\"'!'\"")
    written = _SPECIAL.sub(r"\\\1", rest)
    return f"-- {written}" if _is_option(name, asked) else written


def _read(kind: str) -> list[str]:
    if kind == "pools":
        return list(POOL_NAMES)
    if kind == "flows":
        return [flow.name for one in QUEUE_CLASSES for flow in one.flows]
    return _read_stored(kind)


def _read_stored(kind: str) -> list[str]:
    """Names of the database, where it answers in time; a server is never started for them."""
    found: list[str] = []

    def read() -> None:
        try:
            from adspark.db.name_lists import read_names  # noqa: PLC0415  (slow)

            settings = get_settings()
            stack = running_stack(settings.home)
            own = settings.database_url and settings.database_url.get_secret_value()
            embedded = stack.database_url if stack else None
            url = embedded or own
            if url:
                found.extend(read_names(url, kind, is_ours=embedded is not None))
        except Exception:  # whoever presses Tab wants no error
            found.clear()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(_PATIENCE)
    return [name for name in list(found) if plain(name) == name]
