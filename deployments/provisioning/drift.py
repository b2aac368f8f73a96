"""What provisioning may change: its own work, and nothing that people have changed since.

Prefect's variables `adspark_provisioned…` hold what was put there last. A value that differs from
it was changed by hand, and stays until somebody asks for a reset.
"""

import hashlib
import json
from collections.abc import Mapping
from textwrap import shorten

from prefect.variables import Variable
from pydantic import JsonValue

_VARIABLE = "adspark_provisioned"
_MOST_CHARACTERS = 4900  # of a variable, as it is sent; Prefect takes 5000
_LONGEST_KEPT = 60  # characters of a text; of a longer one the fingerprint is kept
_TOLD = 60  # characters of a value in a message


class Merge:
    """One provisioning: what it changes, and what it leaves alone.

    Args:
        before: what was put there the last time, by thing.
        dry_run: change nothing, only say what would be.
        reset: put back also what was changed by hand.
    """

    def __init__(self, before: Mapping[str, JsonValue], *, dry_run: bool, reset: bool) -> None:
        self._before = dict(before)
        self._after = dict(before)
        self.dry_run = dry_run
        self.is_reset = reset
        self.changes: list[str] = []
        self.kept: list[str] = []

    @classmethod
    async def begin(cls, *, dry_run: bool, reset: bool) -> "Merge":
        """With what the last provisioning left."""
        before: dict[str, JsonValue] = {}
        number = 1
        while text := await Variable.aget(_name(number), default=""):
            before |= json.loads(str(text))
            number += 1
        return cls(before, dry_run=dry_run, reset=reset)

    async def finish(self) -> None:
        """Leave for the next one what was put there."""
        if self.dry_run or self._after == self._before:
            return
        texts = _split(self._after)
        for number, text in enumerate(texts, start=1):
            await Variable.aset(_name(number), text, overwrite=True)
        number = len(texts) + 1
        while await Variable.aunset(_name(number)):
            number += 1

    def remembers(self, thing: str) -> bool:
        """Whether an earlier provisioning put it there."""
        return thing in self._before

    def remembered(self, thing: str) -> JsonValue:
        """What was put there last, as it is remembered."""
        return self._before.get(thing)

    def forget(self, thing: str) -> None:
        """Leave it to people from now on."""
        self._after.pop(thing, None)

    def forget_all(self, prefix: str) -> None:
        """The same for everything that begins like this."""
        for thing in [one for one in self._after if one.startswith(prefix)]:
            self.forget(thing)

    def keeps(self, told: str) -> None:
        """Tell of something that was changed by hand and stays."""
        self.kept.append(told)

    def does(self, told: str) -> bool:
        """Tell of a change; returns whether it is to be made."""
        return self._does(told)

    def creates(self, thing: str, values: Mapping[str, JsonValue], told: str = "") -> bool:
        """Note that a thing is missing; returns whether it is to be made, with these values."""
        self._after |= {f"{thing} {name}": _kept(value) for name, value in values.items()}
        return self._does(f"{thing}: is made{told}")

    def changes_to(self, thing: str, *, current: JsonValue, wanted: JsonValue) -> bool:
        """Whether a thing's value is to be changed to the wanted one."""
        if current == wanted:
            self._after[thing] = _kept(wanted)
            return False
        before = self._before.get(thing, _kept(wanted))
        if not self.is_reset and before not in (current, _kept(current)):
            self.kept.append(f"{thing}: {_told(current)} was set by hand (ours: {_told(wanted)})")
            return False
        self._after[thing] = _kept(wanted)
        return self._does(f"{thing}: {_told(current)} -> {_told(wanted)}")

    def notes(self, thing: str, value: JsonValue) -> None:
        """Remember what was made, or its fingerprint."""
        self._after[thing] = _kept(value)

    def is_new(self, thing: str, mark: str) -> bool:
        """Whether a thing of which only the fingerprint is kept is to be put there again."""
        if self._before.get(thing) == mark and not self.is_reset:
            return False
        self.notes(thing, mark)
        reason = "as asked" if self._before.get(thing) == mark else "for its definition changed"
        return self._does(f"{thing}: is made anew, {reason}")

    def gone(self, prefix: str, still_there: set[str]) -> list[str]:
        """Things with this prefix that an earlier provisioning made and that are no longer ours."""
        names = {key.removeprefix(prefix) for key in self._before if key.startswith(prefix)}
        names = {name for name in names if " " not in name}  # others are of fields of theirs
        gone = sorted(names - still_there)
        for name in gone:
            del self._after[f"{prefix}{name}"]
            self.changes.append(f"{prefix}{name}: is removed, for the project no longer has it")
        return [] if self.dry_run else gone

    def _does(self, change: str) -> bool:
        self.changes.append(change)
        return not self.dry_run


def fingerprint(text: str) -> str:
    """What tells a definition from another one; short, for the variable holds 5,000 characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _kept(value: JsonValue) -> JsonValue:
    """What is remembered of a value; the variable is short."""
    is_long = isinstance(value, str) and len(value) > _LONGEST_KEPT
    if isinstance(value, dict) or is_long:
        return fingerprint(json.dumps(value, sort_keys=True))
    return value


def _told(value: JsonValue) -> str:
    return "no limit" if value is None else shorten(str(value), _TOLD, placeholder=" …")


def _name(number: int) -> str:
    return _VARIABLE if number == 1 else f"{_VARIABLE}_{number}"


def _split(things: Mapping[str, JsonValue]) -> list[str]:
    """JSON objects, each of which a variable holds, so that each is whole by itself."""
    groups: list[dict[str, JsonValue]] = [{}]
    size = 0
    for thing, value in sorted(things.items()):
        length = len(json.dumps(json.dumps({thing: value})))
        if size + length > _MOST_CHARACTERS and groups[-1]:
            groups.append({})
            size = 0
        groups[-1][thing] = value
        size += length
    return [json.dumps(group) for group in groups]
