"""The form of a watch: its fields as they were written, what is wrong with them, and the watch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.advertisers.choice import choose_advertiser
from adspark.library.advertisers.named import find_advertisers
from adspark.library.advertisers.stored import AdvertiserRow
from adspark.serpapi.search_query import CreativeQuery, find_bare_domain, parse_query
from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    INTERVAL_MINUTES,
    MONTHLY_BUDGET,
    WATCH_PAGES,
    Range,
)
from adspark.validation.numbers import read_whole
from adspark.watches.definition import (
    CLEARABLE,
    WatchDefinition,
    WatchFields,
    change_definition,
    pick_fields,
)
from deployments.gallery.forms import Form
from deployments.gallery.texts import Texts

NUMBERS: dict[str, Range] = {
    "interval_minutes": INTERVAL_MINUTES,
    "max_pages": WATCH_PAGES,
    "monthly_budget": MONTHLY_BUDGET,
    "ended_after_days": ENDED_AFTER_DAYS,
    "details_per_sweep": DETAILS_PER_SWEEP,
}
"""Fields that are whole numbers, with their bounds."""

TEXTS = ("name", "text", "region", "platform", "creative_format")
_SHOWN = 60  # characters of a name in a problem
_MOST_FOUND = 8  # advertisers that are offered for a name


@dataclass
class WatchForm:
    """A form as it was sent.

    Attributes:
        given: text of each field, as it was typed.
        advertiser_ids: that are chosen.
        found: advertisers of whom one may be meant by a name.
        problems: what is wrong, by the field's name.
        definition: the watch; None where anything is wrong.
        warnings: about a watch that can be used.
    """

    given: dict[str, str] = field(default_factory=dict)
    advertiser_ids: list[str] = field(default_factory=list)
    found: list[AdvertiserRow] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    definition: WatchDefinition | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def is_political(self) -> bool:
        """Whether only political ads are looked for."""
        return "political_ads" in self.given

    @property
    def query(self) -> CreativeQuery | None:
        """What is to be looked for; None where any of that is wrong or missing yet."""
        if self.problems.keys() & {"advertiser", *CreativeQuery.model_fields}:
            return None
        try:
            return parse_query(
                advertiser_ids=self.advertiser_ids,
                text=self.given.get("text"),
                region=self.given.get("region"),
                platform=self.given.get("platform"),
                creative_format=self.given.get("creative_format"),
                political_ads=self.is_political,
            )[0]
        except InvalidQueryError:
            return None

    def fields(self) -> WatchFields:
        """The fields as they were written; what is empty is not given."""
        written: dict[str, object] = {name: self.given.get(name) or None for name in TEXTS}
        written |= {name: self.number(name) for name in NUMBERS}
        written |= {"advertiser_ids": self.advertiser_ids, "political_ads": self.is_political}
        return pick_fields(written)

    def cleared(self) -> list[str]:
        """Fields that the form leaves empty."""
        filled = {name: value for name, value in self.fields().items() if value not in (None, [])}
        return [name for name in CLEARABLE if name not in filled]

    def number(self, name: str) -> int | None:
        """The whole number in a field; None where none is."""
        return read_whole(self.given.get(name, ""))


def empty_form() -> WatchForm:
    """The form of a new watch, with the values that it has at first."""
    fields = WatchDefinition.model_fields
    given = {name: fields[name].default for name in NUMBERS}
    return WatchForm(given={k: "" if v is None else str(v) for k, v in given.items()})


def form_of(definition: WatchDefinition) -> WatchForm:
    """The form with the fields of a watch."""
    stored = definition.model_dump(mode="json", exclude_none=True)
    given = {name: str(stored[name]) for name in (*TEXTS, *NUMBERS) if name in stored}
    if definition.political_ads:
        given["political_ads"] = "yes"
    return WatchForm(given=given, advertiser_ids=list(definition.advertiser_ids))


def differences(stored: WatchForm, written: WatchForm) -> list[tuple[str, str, str]]:
    """Fields that differ: name, what is stored and what was typed, empty where there is nothing."""
    pairs = [
        (name, stored.given.get(name, ""), written.given.get(name, ""))
        for name in (*TEXTS, *NUMBERS, "political_ads")
    ]
    now, typed = (", ".join(sorted(one.advertiser_ids)) for one in (stored, written))
    pairs.append(("advertiser", now, typed))
    return [(name, now, typed) for name, now, typed in pairs if now != typed]


async def read_watch_form(
    session: AsyncSession, form: Form, present: WatchDefinition | None, user_id: int, texts: Texts
) -> WatchForm:
    """A form that was sent, and the watch that comes of it.

    Args:
        session: of the database, where advertisers are found by name.
        form: as it was sent.
        present: the watch as it is; None: a new one.
        user_id: whose a new one is.
        texts: in which is said what is wrong.
    """
    names = (*TEXTS, *NUMBERS, "political_ads", "advertiser", "version")
    given: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name in names:
        try:
            value = form.text(name)
        except InvalidQueryError as error:
            problems[name] = error.sentence
            continue
        if value or name in NUMBERS:
            given[name] = value
    chosen = list(dict.fromkeys(form.texts("advertiser_id")))
    written = WatchForm(given=given, advertiser_ids=chosen, problems=problems)
    await _find_advertiser(session, written, texts)
    _check_whose(written, present, texts)
    check_numbers(written)
    _define(written, present, user_id)
    written.warnings = [_in_words(one, texts) for one in written.warnings]
    return written


async def _find_advertiser(session: AsyncSession, form: WatchForm, texts: Texts) -> None:
    """Choose the advertiser that was typed, or offer those who may be meant."""
    name = form.given.get("advertiser", "")
    if not name:
        return
    try:
        one = await choose_advertiser(session, name=name)
    except InvalidQueryError as error:
        form.problems["advertiser"] = error.sentence
        try:
            found = await find_advertisers(session, name=name, limit=_MOST_FOUND)
        except InvalidQueryError:
            return
        rows = found.advertisers
        said = "not_stored" if not rows else "spelled_like" if found.is_similar else "several"
        form.problems["advertiser"] = texts(f"watch_form.{said}", name=repr(name[:_SHOWN]))
        form.found = [row for row in rows if row.advertiser_id not in form.advertiser_ids]
        return
    del form.given["advertiser"]
    if one.advertiser_id not in form.advertiser_ids:
        form.advertiser_ids.append(one.advertiser_id)


def _check_whose(form: WatchForm, present: WatchDefinition | None, texts: Texts) -> None:
    """Note where neither advertisers nor a bare domain are given, or both; what is stored stays."""
    written = form.given.get("text", "")
    if "text" in form.problems or "advertiser" in form.problems:
        return
    if not written:
        if not form.advertiser_ids:
            form.problems["advertiser"] = texts("watch_form.no_one")
        return
    if present is not None and written == present.text:
        return
    domain = find_bare_domain(written)
    if domain is None:
        form.problems["text"] = texts("watch_form.no_domain")
    elif domain != written.lower():
        form.problems["text"] = texts("watch_form.bare_domain", domain=domain)
    elif form.advertiser_ids:
        form.problems["text"] = texts("watch_form.both")


def _in_words(warning: str, texts: Texts) -> str:
    """A warning with the field as the form calls it."""
    name, _, said = warning.partition(": ")
    return f"{texts(f'watch_form.{name}')}: {said}" if name in (*TEXTS, *NUMBERS) else warning


def check_numbers(form: WatchForm) -> None:
    """Note which numbers are none, or out of their bounds; an empty field is neither."""
    for name, bounds in NUMBERS.items():
        written = form.given.get(name, "")
        if not written:
            continue
        if (number := read_whole(written)) is None:
            form.problems[name] = f"{written[:40]!r} is not a whole number."
        elif problem := bounds.problem_of(number):
            form.problems[name] = f"{problem}."


def _define(form: WatchForm, present: WatchDefinition | None, user_id: int) -> None:
    """Define the watch; every field that is wrong is left out in turn, so that all are named."""
    fields = {name: value for name, value in form.fields().items() if name not in form.problems}
    if present is None:
        fields["user_id"] = user_id
    if form.problems.keys() & {"advertiser", "text"}:
        fields |= _STAND_INS["advertiser_ids"]
    while True:
        empty = [one for one in form.cleared() if one not in form.problems]
        clear = [one for one in empty if fields.get(one) in (None, [])]
        try:
            definition, form.warnings = change_definition(present, pick_fields(fields), clear)
        except InvalidQueryError as error:
            name = "advertiser" if error.field == "advertiser_ids" else error.field
            if name in form.problems:
                return
            form.problems[name] = error.sentence
            fields.pop(error.field, None)
            fields |= _STAND_INS.get(error.field, {})
        else:
            form.definition = None if form.problems else definition
            return


# What stands in for a field that has to be given, while the others are checked.
_STAND_INS: Mapping[str, Mapping[str, object]] = {
    "name": {"name": "unnamed"},
    "advertiser_ids": {"advertiser_ids": [f"AR{1:020d}"]},
}
