"""The text of a digest: its subject line and its Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from adspark.creatives.store import NewCreative
from adspark.markdown import escape_markdown
from adspark.models import Coverage, EventKind
from adspark.notifications.message import safe_address
from adspark.notifications.pictures import write_picture
from adspark.serpapi.regions import region_name
from adspark.text.counts import counted
from adspark.text.moments import utc_minute
from adspark.text.sentences import without_full_stop

MOST_NAMED = 20
"""Creatives and countries that a list names; it counts the others."""
MOST_WATCHES = 100
"""Watches that a section of the digest names; it counts the others."""

_STUCK = (
    "They are not sent any more: they have failed too often, their address is no longer "
    "configured, or they may have arrived already. What they tell is in the artifact of the run "
    "that wrote them, on the day that stands with each."
)
_MOST_WORDS = 160  # characters of an ad's copy
_MOST_CHARACTERS = 300  # of an untrusted text; a name that is longer is no name
# Singular, plural and heading, in the order of the digest.
_WORDS = {
    EventKind.NEW: ("launch", "launches", "Launches"),
    EventKind.CHANGED: ("change", "changes", "Changed"),
    EventKind.REACTIVATED: ("reactivation", "reactivations", "Shown again after an end"),
    EventKind.ENDED: ("ending", "endings", "Ended"),
}


class AdContent(BaseModel):
    """What an ad shows, as far as it is known."""

    thumbnail: str | None = Field(None, description="Its path in the media store.")
    headline: str | None = None
    words: str | None = None
    is_read: bool = Field(False, description="The words were read from the picture.")
    landing_url: str | None = None

    @property
    def copy_text(self) -> str:
        """Headline and words, in Markdown; empty where none are known."""
        words, headline = self.words or "", self.headline or ""
        if self.is_read or words == headline:  # all that was read has the headline too
            words = " ".join(words.replace(headline, " ", 1).split())
        parts = [
            f"**{_escape(headline)}**" if headline else "",
            _escape(words[:_MOST_WORDS] + "…" * (len(words) > _MOST_WORDS)) if words else "",
        ]
        said = " ".join(part for part in parts if part)
        return f"{said} (read from the picture)" if said and self.is_read else said


class ReportedCreative(NewCreative):
    """A creative in the digest."""

    content: AdContent = AdContent()


class EventList(BaseModel):
    """The events of one kind: how many, and the first creatives."""

    number: int
    creatives: list[ReportedCreative]


class WatchDigest(BaseModel):
    """What a digest reports of one watch."""

    watch_id: int
    name: str
    is_active: bool
    interval_minutes: int
    coverage: Coverage | None
    problem: str | None
    checked_at: datetime | None
    complete_at: datetime | None
    is_overdue: bool = Field(description="Its next check is long overdue.")
    is_unreported: bool = Field(description="No recent digest has it as it is now.")
    events: dict[EventKind, EventList] = Field(default_factory=dict)
    new_regions: list[str] = Field(default_factory=list, description="SerpApi codes.")
    longest: list[ReportedCreative] = Field(
        default_factory=list, description="Running the longest."
    )

    @property
    def news(self) -> int:
        """The number of new events and countries."""
        return sum(one.number for one in self.events.values()) + len(self.new_regions)

    @property
    def is_unseen(self) -> bool:
        """Whether there may be more news, since not all of it was checked."""
        return self.is_active and (
            self.checked_at is None or self.coverage != Coverage.COMPLETE or self.is_overdue
        )

    @property
    def coverage_text(self) -> str:
        """How far it was checked, in Markdown."""
        last = f"last complete look: {_moment(self.complete_at)}"
        problem = _escape(without_full_stop(self.problem or "no reason is known"))
        if not self.is_active:
            return f"paused; {last}"
        if self.coverage == Coverage.NONE:
            return f"could not be looked at: {problem}; {last}"
        if self.checked_at is None:
            return f"not looked at yet; {last}"
        if self.coverage == Coverage.PARTIAL:
            return f"only partly looked at: {problem}; {last}"
        if self.is_overdue:
            every = counted(self.interval_minutes, "minute")
            return f"not looked at as it should be, every {every}; {last}"
        return last

    @property
    def title(self) -> str:
        """Its name and number, in Markdown."""
        return f"{_escape(self.name)} (watch {self.watch_id})"


class Digest(BaseModel):
    """What happened since the last digest, and which watches could not be checked.

    A watch has news, or is quiet (all of it was checked), or is unseen; one may have news and be
    unseen, and then says so in both places.
    """

    at: datetime
    watches: list[WatchDigest]
    event_ids: list[int] = Field(description="All events that it reports.")
    seen_regions: list[tuple[str, str]] = Field(
        default_factory=list, description="Ads and countries that no digest has seen before."
    )
    undelivered: list[str] = Field(
        default_factory=list, description="Earlier digests that may not have arrived, a line each."
    )

    @property
    def news(self) -> int:
        """The number of new events and countries."""
        return sum(watch.news for watch in self.watches)

    @property
    def counts(self) -> dict[EventKind, int]:
        """The number of events of each kind that there is."""
        counts: Counter[EventKind] = Counter()
        for watch in self.watches:
            counts.update({kind: one.number for kind, one in watch.events.items()})
        return dict(counts)

    @property
    def new_regions(self) -> int:
        """The number of new countries, counted by watch."""
        return sum(len(watch.new_regions) for watch in self.watches)

    @property
    def with_news(self) -> list[WatchDigest]:
        """The watches that have news."""
        return [watch for watch in self.watches if watch.news]

    @property
    def unseen(self) -> list[WatchDigest]:
        """The watches that may have more news."""
        return [watch for watch in self.watches if watch.is_unseen]

    @property
    def quiet(self) -> list[WatchDigest]:
        """The watches that were checked completely and have no news."""
        return [watch for watch in self.watches if not watch.news and not watch.is_unseen]

    @property
    def is_worth_sending(self) -> bool:
        """Whether it has anything that no recent digest has."""
        return bool(self.news) or any(watch.is_unreported for watch in self.unseen)

    @property
    def headline(self) -> str:
        """The digest in one line."""
        if not self.watches:
            return "no active watches"
        total = len(self.watches)
        unseen = f"{len(self.unseen)} of {_count(total, 'watch', 'watches')} not fully looked at"
        if self.news:
            news = describe_news(self.counts, self.new_regions)
            return f"{news}; {unseen}" if self.unseen else news
        if self.unseen:
            return f"nothing new found, but {unseen}"
        return f"nothing new, {_count(total, 'watch', 'watches')} looked at completely"

    @property
    def subject(self) -> str:
        """The line above a message."""
        return f"AdSpark: {self.headline}"

    def markdown(self) -> str:
        """The digest as a page."""
        lines = [f"# AdSpark digest, {_moment(self.at)}", "", f"**{self.headline}**"]
        lines += _watch_list("Could not be looked at, or not fully", self.unseen)
        for watch in self.with_news[:MOST_WATCHES]:
            lines += _watch_section(watch)
        if more := self.with_news[MOST_WATCHES:]:
            lines += [
                "",
                f"… and {sum(one.news for one in more)} more of {counted(len(more), 'watch')}",
            ]
        lines += _watch_list("Nothing new, looked at completely", self.quiet)
        if self.undelivered:
            lines += ["", f"## Messages that are stuck: {len(self.undelivered)}", "", _STUCK, ""]
            lines += [f"- {_escape(line)}" for line in self.undelivered]
        return "\n".join(lines)


def describe_news(events: Mapping[EventKind, int], new_regions: int) -> str:
    """How many events of each kind and new countries, in words; "nothing new" for none."""
    counts = [(events.get(kind, 0), one, many) for kind, (one, many, _) in _WORDS.items()]
    counts.append((new_regions, "new country", "new countries"))
    return ", ".join(_count(*each) for each in counts if each[0]) or "nothing new"


def _watch_section(watch: WatchDigest) -> list[str]:
    lines = ["", f"## {watch.title}"]
    if watch.is_unseen or not watch.is_active:
        lines += ["", f"**There may be more:** {watch.coverage_text}."]
    for kind, (_, _, heading) in _WORDS.items():
        if events := watch.events.get(kind):
            items = [_creative(one, kind) for one in events.creatives]
            lines += _named(f"{heading}: {events.number}", items, events.number)
    if watch.new_regions:
        names = sorted(_escape(region_name(code)) for code in watch.new_regions)
        lines += _named(f"New countries: {len(names)}", names[:MOST_NAMED], len(names))
    if watch.longest:
        items = [_creative(one, None) for one in watch.longest]
        lines += _named("Running the longest", items, len(items))
    return lines


def _watch_list(heading: str, watches: Sequence[WatchDigest]) -> list[str]:
    if not watches:
        return []
    lines = ["", f"## {heading}: {len(watches)}", ""]
    lines += [f"- **{watch.title}**: {watch.coverage_text}" for watch in watches[:MOST_WATCHES]]
    return lines + _rest(len(watches) - MOST_WATCHES)


def _named(heading: str, items: Sequence[str], number: int) -> list[str]:
    lines = ["", f"**{heading}**", "", *(f"- {item}" for item in items)]
    return lines + _rest(number - len(items))


def _rest(number: int) -> list[str]:
    return [f"- … and {number} more"] if number > 0 else []


def _creative(creative: ReportedCreative, kind: EventKind | None) -> str:
    """A creative on one line, with the day or the time that matters for `kind`."""
    shown = creative.days_shown
    days = f"shown on {_count(shown, 'day', 'days')}" if shown else None
    times: list[str | None]
    if kind in (EventKind.NEW, EventKind.CHANGED):
        times = [f"first shown {_day(creative.first_shown)}"]
    elif kind is None:
        times = [days, f"since {_day(creative.first_shown)}"]
    else:
        times = [f"last shown {_day(creative.last_shown)}", days]
    domain = creative.target_domain and _escape(creative.target_domain)
    content = creative.content
    picture = write_picture(creative.ad_creative_id, content.thumbnail)
    fields = [_escape(creative.advertiser), creative.format, creative.size, domain, *times]
    joined = ", ".join(field for field in fields if field)
    landing = f"to {_link(content.landing_url, content.landing_url)}" if content.landing_url else ""
    more = "; ".join(part for part in (content.copy_text, landing) if part)
    link = _link(creative.ad_creative_id, creative.link)
    return f"{picture}{joined}: {link}" + (f"; {more}" if more else "")


def _link(label: str, address: str | None) -> str:
    """A link, or the label alone where a browser should not open the address."""
    safe = safe_address(address or "")
    return f"[{_escape(label)}]({safe})" if safe else _escape(label)


def _escape(text: str) -> str:
    """An untrusted text, shortened and escaped."""
    short = text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"
    return escape_markdown(short)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _day(moment: datetime | None) -> str:
    return moment.astimezone(UTC).date().isoformat() if moment else "on an unknown day"


def _moment(moment: datetime | None) -> str:
    return utc_minute(moment) if moment else "never"
