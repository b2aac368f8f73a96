"""What provisioning may change: its own work, and nothing that people have changed since.

A three-way merge: a value on the server that differs from the one that was applied last was changed
by hand, and stays until a reset. What was applied last is kept in a block.
"""

import hashlib
import json
from collections.abc import Mapping

from prefect.blocks.core import Block
from prefect.variables import Variable
from pydantic import Field, JsonValue

from adspark.text.shortened import shorten
from blocks.configured import DOCUMENT

_FORMER_VARIABLE = "adspark_provisioned"
_LONGEST_RECORDED = 60  # characters of a text; of a longer one the fingerprint is recorded
_LONGEST_SHOWN = 60  # characters of a value in a message


class LastApplied(Block):
    """What provisioning applied last, by thing; it is not for people to edit."""

    _block_type_name = "AdSpark Provisioning"
    _block_type_slug = "adspark-provisioning"
    _description = "What adspark provision applied last; it edits this itself."

    values: dict[str, JsonValue] = Field(default_factory=dict)


class Merge:
    """One provisioning: what it changes, and what it keeps.

    Args:
        applied: what was applied last, by thing.
        dry_run: change nothing, only say what would change.
        reset: reset also what was changed by hand.
    """

    def __init__(self, applied: Mapping[str, JsonValue], *, dry_run: bool, reset: bool) -> None:
        self._before = dict(applied)
        self._after = dict(applied)
        self.dry_run = dry_run
        self.is_reset = reset
        self.changes: list[str] = []
        self.kept: list[str] = []
        self.added: list[str] = []

    @classmethod
    async def load(cls, *, dry_run: bool, reset: bool) -> "Merge":
        """With what the last provisioning has recorded, also where its version used variables."""
        applied: dict[str, JsonValue] = {}
        for text in (await _read_variables()).values():
            applied |= json.loads(text)
        try:
            block: LastApplied = await LastApplied.aload(DOCUMENT)
            applied |= block.values
        except ValueError as error:
            if "Unable to find block document" not in str(error):
                raise
        return cls(applied, dry_run=dry_run, reset=reset)

    async def save(self) -> None:
        """Record for the next provisioning what was applied."""
        if self.dry_run:
            return
        variables = await _read_variables()
        if variables or self._after != self._before:
            await LastApplied(values=self._after).save(DOCUMENT, overwrite=True)
        for name in reversed(variables):  # so that none is left where this is killed
            await Variable.aunset(name)

    def was_applied(self, thing: str) -> bool:
        """Whether an earlier provisioning applied it."""
        return thing in self._before

    def last_applied(self, thing: str) -> JsonValue:
        """What was applied last, as it was recorded."""
        return self._before.get(thing)

    def record(self, thing: str, value: JsonValue) -> None:
        """Record what is applied."""
        self._after[thing] = _recorded(value)

    def discard(self, thing: str) -> None:
        """Record nothing of it any more: from now on it is people's."""
        self._after.pop(thing, None)

    def discard_all(self, thing: str) -> None:
        """The same for a thing and its fields."""
        for name in [one for one in self._after if f"{one} ".startswith(f"{thing} ")]:
            del self._after[name]

    def rename(self, former: str, thing: str) -> None:
        """Let what is recorded of a thing and its fields be that of another; its own goes first."""
        for values in (self._before, self._after):
            for name in [one for one in values if f"{one} ".startswith(f"{former} ")]:
                values.setdefault(f"{thing}{name.removeprefix(former)}", values.pop(name))

    def keep(self, what: str) -> None:
        """Report what was changed by hand and stays."""
        self.kept.append(what)

    def add(self, what: str) -> None:
        """Report what people added to a thing of ours; a reset leaves it too."""
        self.added.append(what)

    def change(self, what: str) -> bool:
        """Report a change; returns whether it is to be made."""
        self.changes.append(what)
        return not self.dry_run

    def create(self, thing: str, values: Mapping[str, JsonValue], detail: str = "") -> bool:
        """Report that a thing is made with these values; returns whether it is to be made.

        Args:
            thing: its name in the report.
            values: what it gets, by field.
            detail: for the report.
        """
        for name, value in values.items():
            self.record(f"{thing} {name}", value)
        return self.change(f"{thing}: is made{detail}")

    def update(self, thing: str, *, current: JsonValue, wanted: JsonValue) -> bool:
        """Compare a value with the wanted one and the last one; returns whether to change it.

        Args:
            thing: its name in the report.
            current: the value on the server.
            wanted: the value of this version.
        """
        last = self._before.get(thing, _recorded(wanted))
        if current == wanted:
            self.record(thing, wanted)
            return False
        if not self.is_reset and last not in (current, _recorded(current)):
            self.keep(f"{thing}: {_shown(current)} was set by hand (ours: {_shown(wanted)})")
            return False
        self.record(thing, wanted)
        return self.change(f"{thing}: {_shown(current)} -> {_shown(wanted)}")

    def redefine(self, thing: str, mark: str) -> bool:
        """Compare a definition's fingerprint with the last one; returns whether to apply it."""
        is_same = self._before.get(thing) == mark
        if is_same and not self.is_reset:
            return False
        self.record(thing, mark)
        reason = "as requested" if is_same else "for its definition changed"
        return self.change(f"{thing}: is made anew, {reason}")

    def find_removed(self, kind: str, names: set[str]) -> list[str]:
        """Names of things of a kind that were applied and that are none of these any more."""
        applied = {
            one.removeprefix(f"{kind} ") for one in self._before if one.startswith(f"{kind} ")
        }
        # A name with a space is a field's.
        return sorted(one for one in applied - names if " " not in one)


def fingerprint(text: str) -> str:
    """What tells a definition from another one, in ten characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _recorded(value: JsonValue) -> JsonValue:
    """What is recorded of a value: of a long one its fingerprint."""
    is_long = isinstance(value, str) and len(value) > _LONGEST_RECORDED
    if isinstance(value, dict) or is_long:
        return fingerprint(json.dumps(value, sort_keys=True))
    return value


def _shown(value: JsonValue) -> str:
    return "no limit" if value is None else shorten(str(value), _LONGEST_SHOWN)


async def _read_variables() -> dict[str, str]:
    """What versions before the block have recorded: texts of JSON, by the variable's name."""
    texts: dict[str, str] = {}
    name = _FORMER_VARIABLE
    while text := await Variable.aget(name, default=""):
        texts[name] = str(text)
        name = f"{_FORMER_VARIABLE}_{len(texts) + 1}"
    return texts
