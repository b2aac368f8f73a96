"""How complete an answer is: what was looked at, when, and what was not."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import BaseModel, Field

from adspark.library.coverage import ScopeCoverage, ScopeLook
from adspark.library.filters.definition import RUNNING_DAYS
from adspark.text.counts import counted
from adspark.text.moments import utc_minute
from adspark.text.visible import isolate
from adspark.validation.days import today
from adspark.watches.reports.looks import LookState, WatchLooks

_MOST_NAMED = 20  # looks, each in a sentence
_STATES = {
    LookState.PAUSED: "is paused: nobody looks",
    LookState.NEVER: "was never looked at",
    LookState.FAILED: "could not be looked at the last time",
    LookState.PARTIAL: "was looked at in part only",
    LookState.WAITING: "was not looked at since",
    LookState.COMPLETE: "was looked at completely",
}


class Coverage(BaseModel):
    """What an answer rests on. Only where it `is_complete` does "none" mean that there is none."""

    is_complete: bool = Field(description="False: what is missing is not known to be missing.")
    as_of: datetime | None = Field(default=None, description="When this was so.")
    looked_at: list[str] = Field(default_factory=list)
    not_looked_at: list[str] = Field(default_factory=list)

    @property
    def meaning(self) -> str:
        """What the absence of something means, in a sentence."""
        if self.is_complete:
            return "What is on none of the pages is not there, as of the time said."
        return (
            "What is on none of the pages may exist: it is NOT KNOWN, because not everything was "
            "looked at. "
            "Say so, and what was not looked at, in place of 'none'."
        )

    def lacking(self, sentence: str) -> "Coverage":
        """The same, but not complete, for the reason in this sentence."""
        not_looked_at = [*self.not_looked_at, sentence]
        return self.model_copy(update={"is_complete": False, "not_looked_at": not_looked_at})


def own_records(*looked_at: str) -> Coverage:
    """Of an answer from AdSpark's own records, which nothing is missing from."""
    return Coverage(is_complete=True, as_of=datetime.now(UTC), looked_at=list(looked_at))


def running_since() -> date:
    """The day since which somebody has to have looked for what runs today to be known."""
    return today() - timedelta(days=RUNNING_DAYS)


def cover_scope(
    found: ScopeCoverage, *, subjects: Sequence[str], since: date | None = None
) -> Coverage:
    """Of ads that were looked for, or not; without a subject they are those of anybody.

    Args:
        found: who has looked.
        subjects: ids of advertisers, or a domain.
        since: the day from which on something is asked for; None: of any time.
    """
    not_looked_at = [*_describe_uncovered(found)]
    is_late = since is not None and found.as_of is not None and found.as_of.date() < since
    if is_late:
        not_looked_at.append(f"Nobody has looked on {since} or later.")
    if not subjects:
        not_looked_at.append(
            "Only stored ads were searched. Ads of advertisers that no watch and no fetch looked "
            "for are not stored."
        )
    return Coverage(
        is_complete=bool(subjects) and not found.uncovered and not is_late,
        as_of=found.as_of,
        looked_at=[_describe_look(one) for one in found.looks[:_MOST_NAMED]],
        not_looked_at=not_looked_at,
    )


def cover_watches(
    watches: Iterable[tuple[int, str, WatchLooks]],
    *,
    since: datetime | None = None,
    ads_since: date | None = None,
) -> Coverage:
    """Of what watches noticed since a moment, or of the ads that they found up to their last look.

    Args:
        watches: number, name and looks of each.
        since: the moment; None: their ads are asked for, not their news.
        ads_since: the day from which on ads are asked for; None: of any time.
    """
    looked_at, lacking, latest = list[str](), list[str](), list[datetime]()
    for number, name, looks in watches:
        sentence, is_enough = _describe_watch(number, name, looks, since, ads_since)
        (looked_at if is_enough else lacking).append(sentence)
        if is_enough and looks.complete_at is not None:
            latest.append(looks.complete_at)
    return Coverage(
        is_complete=bool(looked_at) and not lacking,
        as_of=min(latest, default=None),
        looked_at=_shorten(looked_at),
        not_looked_at=_shorten(lacking)
        or ([] if looked_at else ["There is no watch: nobody looks."]),
    )


def _describe_uncovered(found: ScopeCoverage) -> Iterator[str]:
    for subject in found.uncovered[:_MOST_NAMED]:
        tried = [one for one in found.looks if subject in one.subjects]
        if not tried:
            yield f"No watch and no complete fetch has looked for all ads of {subject}."
        for one in tried:
            yield f"{_name(one)} has not seen all ads of {subject}: {_reason(one)}."
    if (more := len(found.uncovered) - _MOST_NAMED) > 0:
        yield f"Nor were all ads of {counted(more, 'more advertiser')} looked for."


def _describe_look(look: ScopeLook) -> str:
    late = "; the next look is late" if look.is_overdue else ""
    when = f", last completely at {utc_minute(look.complete_at)}" if look.complete_at else ""
    return f"{_name(look)} {_STATES[look.state]}{when}{late}."


def _describe_watch(
    number: int, name: str, looks: WatchLooks, since: datetime | None, ads_since: date | None
) -> tuple[str, bool]:
    """What is known of a watch, and whether that is everything since the moment, or of the ads."""
    begin = None if ads_since is None else datetime.combine(ads_since, time(), UTC)
    looked_since = begin if since is None else since
    state = looks.state(looked_since)
    parts = [_STATES[state]]
    if state is LookState.WAITING and looked_since is not None:
        parts[0] += f" {utc_minute(looked_since)}"
    if looks.complete_at is not None:
        parts.append(f"last completely at {utc_minute(looks.complete_at)}")
    is_late = looks.is_overdue
    if is_late:
        parts.append("the next look is late")
    is_young = since is not None and looks.begins_after(since)
    if is_young and looks.baseline_at is not None:
        if state is LookState.COMPLETE:
            parts[0] += ", but only since its first look"
        parts.append(
            f"first at {utc_minute(looks.baseline_at)}, and what was before that is not known"
        )
    if looks.has_gaps and looks.baseline_at is not None:
        parts.append("some of its older ads were perhaps never seen")
    has_all = since is not None or not looks.has_gaps  # what was never seen is old, and no news
    is_enough = state is LookState.COMPLETE and not is_late and not is_young and has_all
    return f"Watch {number} ({isolate(name)}) {'; '.join(parts)}.", is_enough


def _reason(look: ScopeLook) -> str:
    reasons = [] if look.state is LookState.COMPLETE else [f"it {_STATES[look.state]}"]
    if look.has_gaps:
        reasons.append("some older ads were perhaps never seen")
    return "; ".join([*reasons, *look.lacks])


def _name(look: ScopeLook) -> str:
    if look.watch_id is None:
        return "A fetch by hand"
    return f"Watch {look.watch_id} ({isolate(look.name)})"


def _shorten(sentences: list[str]) -> list[str]:
    if len(sentences) <= _MOST_NAMED:
        return sentences
    more = counted(len(sentences) - _MOST_NAMED, "more watch")
    return [*sentences[:_MOST_NAMED], f"And {more}; see list_watches."]
