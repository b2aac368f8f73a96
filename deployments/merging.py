"""What provisioning may change: its own work, and nothing that people have changed since.

Prefect's variable `adspark_provisioned` holds what was put there last. A value that differs from it
was changed by hand, and stays until somebody asks for a reset.
"""

import hashlib
import json
from collections.abc import Mapping

from prefect.variables import Variable
from pydantic import JsonValue

_VARIABLE = "adspark_provisioned"


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
        text = await Variable.aget(_VARIABLE, default="{}")
        return cls(json.loads(str(text)), dry_run=dry_run, reset=reset)

    async def finish(self) -> None:
        """Leave for the next one what was put there."""
        if not self.dry_run and self._after != self._before:
            await Variable.aset(_VARIABLE, json.dumps(self._after, sort_keys=True), overwrite=True)

    def creates(self, thing: str, values: Mapping[str, JsonValue], told: str = "") -> bool:
        """Note that a thing is missing; returns whether it is to be made, with these values."""
        self._after |= {f"{thing} {name}": _kept(value) for name, value in values.items()}
        return self._does(f"{thing}: is made{told}")

    def changes_to(self, thing: str, *, current: JsonValue, wanted: JsonValue) -> bool:
        """Whether a thing's value is to be changed to the wanted one."""
        if current == wanted:
            self._after[thing] = _kept(wanted)
            return False
        if not self.is_reset and self._before.get(thing, _kept(wanted)) != _kept(current):
            self.kept.append(f"{thing}: {_told(current)} was set by hand (ours: {_told(wanted)})")
            return False
        self._after[thing] = _kept(wanted)
        return self._does(f"{thing}: {_told(current)} -> {_told(wanted)}")

    def notes(self, thing: str, mark: str) -> None:
        """Remember the fingerprint of what was made."""
        self._after[thing] = mark

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
    return fingerprint(json.dumps(value, sort_keys=True)) if isinstance(value, dict) else value


def _told(value: JsonValue) -> str:
    return "no limit" if value is None else str(value)
