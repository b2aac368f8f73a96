"""Ads on the terminal: a page of a search, all about one, and tags."""

from collections.abc import Iterator, Sequence

from rich.markup import escape

from adspark.library.ads.parts import (
    AdDetails,
    AdEvent,
    AdPicture,
    AdRegion,
    AdVariantLine,
    AdWatch,
)
from adspark.library.ads.report import AdReport
from adspark.library.ads.similar import SimilarAds
from adspark.library.marks.tags import TagRow
from adspark.library.search.page import AdPage, FoundAd
from adspark.media.store import MediaStore
from adspark.models import PictureStatus
from adspark.serpapi.regions import region_name
from adspark.text.counts import counted
from adspark.text.terminal import fit, plain
from adspark.users.remedies import for_user
from adspark.watches.news import EVENT_WORDS
from deployments.terminal.output import out, print_facts, print_line, print_warning
from deployments.terminal.tables import day, moment, table

_NAME_WIDTH = 18  # characters of an advertiser's name, so that a row fits on a line
_WORDS_WIDTH = 100  # of its copy; all of it is shown by: adspark ads show
_MOST_REGIONS = 6
_STATUS = {
    PictureStatus.PENDING: "it waits for the archive",
    PictureStatus.FAILED: "it was given up",
    PictureStatus.REMOVED: "it was removed for want of room",
}
_MOST_VARIATIONS = 5


def print_page(page: AdPage) -> None:
    """The ads, how many there are in all, and how to go on."""
    if page.searched_instead:
        words = escape(plain(page.searched_instead))
        print_line(f"Nothing has the words as written; these were searched: [bold]{words}[/]")
    for note in page.notes:
        print_warning(note)
    if not page.ads:
        print_line("No stored ad matches; what is stored: adspark advertisers list")
        return
    out.print(table("Ads", [_cells(ad) for ad in page.ads], cuts="words"))
    formats = ", ".join(f"{number:,} {name}" for name, number in page.formats.items())
    total = counted(page.total, "ad") + ("" if page.is_total_exact else " or more")
    shown = f", {len(page.ads)} shown" if page.total > len(page.ads) else ""
    print_line(f"{total}{shown}{formats and f' ({formats})'}.")
    if page.next:
        print_line(f"More of them: --after {page.next}")


def print_ad(ad: AdReport, media: MediaStore) -> None:
    """Everything about one ad; `media` is where its pictures are kept."""
    title = f" – {escape(plain(ad.title))}" if ad.title else ""
    out.print(f"[bold]{ad.ad_creative_id}[/]{title}", soft_wrap=True)
    for what, value in _facts(ad):
        print_facts({what: value})
    for one in ad.pictures:
        print_facts({"kept" if one.is_current else "before": _picture(one, media)})
    for title, rows in (
        ("Events", [_event(one) for one in ad.events]),
        ("Watches", [_watch(one) for one in ad.watches]),
        ("Variants", [_variant(one) for one in ad.variants]),
    ):
        if rows:
            out.print(table(title, rows, wraps="watch"))


def print_similar(found: SimilarAds) -> None:
    """The ads that are like one, and why."""
    for note in found.notes:
        print_warning(note)
    if not found.ads:
        print_line("No stored ad looks like it or has most of its words.")
        return
    rows = [
        {
            "ad": one.ad_creative_id,
            "advertiser": fit(one.advertiser, _NAME_WIDTH),
            "last shown": day(one.last_shown),
            "why": one.why,
        }
        for one in found.ads
    ]
    out.print(table("Similar ads", rows, wraps="why"))


def print_tags(tags: Sequence[TagRow], user: int) -> None:
    """A user's tags, and those that others share."""
    if not tags:
        make = f"make one with: adspark ads tag TAG CR…{for_user(user)}"
        print_line(f"User {user} sees no tag; {make}")
        return
    rows = [{"tag": plain(one.tag), "ads": one.ads, "whose": _whose(one)} for one in tags]
    out.print(table("Tags", rows, wraps="tag"))


def _whose(tag: TagRow) -> str:
    if tag.is_own:
        return "own, shared" if tag.is_shared else "own"
    return plain(tag.user or f"user {tag.user_id}")


def _cells(ad: FoundAd) -> dict[str, object]:
    copy = (ad.snippet,) if ad.words_source == "read" else (ad.headline, ad.snippet)
    words = ad.title or " – ".join(filter(None, copy))
    return {
        "ad": ad.ad_creative_id,
        "advertiser": fit(ad.advertiser, _NAME_WIDTH),
        "format": ad.format.value,
        "last shown": day(ad.last_shown),
        "days shown": ad.days_shown,
        "words": fit(words, _WORDS_WIDTH) or None,
    }


def _facts(ad: AdReport) -> Iterator[tuple[str, str]]:
    size = f", {ad.width} × {ad.height}" if ad.width and ad.height else ""
    yield "advertiser", f"{ad.advertiser} ({ad.advertiser_id})"
    yield "format", f"{ad.format.value}{size}"
    yield "shown", _shown(ad)
    yield "words", ad.words
    if ad.words_source == "read" and ad.read_words:
        yield "headline", ad.read_words.headline or ""
        yield "read", "\n".join(ad.read_words.lines)
    yield from _details(ad)
    if ad.domain:
        yield "domain", ad.domain
    if ad.regions:
        named = [_region(one) for one in ad.regions[:_MOST_REGIONS]]
        yield "regions", "; ".join(named) + _more(len(ad.regions), _MOST_REGIONS)
    elif ad.searched_regions:
        yield "regions", ", ".join(map(region_name, ad.searched_regions)) + " (searched)"
    if ad.platforms:
        yield "platforms", f"{', '.join(ad.platforms)} (searched)"
    if ad.views_min is not None or ad.budget_min is not None:
        yield "political", _political(ad)
    for what, value in (
        ("picture", ad.image_url), ("preview", ad.video_link), ("link", ad.link),
        ("tags", ", ".join(ad.tags)), ("boards", ", ".join(ad.boards)), ("note", ad.note),
    ):  # fmt: skip
        if value:
            yield what, value
    for one in ad.shared_notes:
        yield "shared note", f"{one.note} ({one.user or f'user {one.user_id}'})"
    yield "stored", f"since {moment(ad.stored_at)}"


def _details(ad: AdReport) -> Iterator[tuple[str, str]]:
    details = ad.details
    if details is None:
        yield "details", f"for one search: adspark ads details {ad.ad_creative_id}"
        return
    for what, value in (
        ("headline", details.headline), ("body", details.snippet),
        ("action", details.call_to_action), ("leads to", details.landing_url),
        ("payer", details.funded_by), ("shown as", _shown_as(details)),
    ):  # fmt: skip
        if value:
            yield what, value
    for place, one in enumerate(details.variations[1:_MOST_VARIATIONS], 2):
        copy = [one.get(name) for name in ("headline", "title", "long_headline", "snippet")]
        if words := " – ".join(dict.fromkeys(str(part) for part in copy if part)):
            yield f"copy {place}", words
    if len(details.variations) > _MOST_VARIATIONS:
        yield "", f"and {len(details.variations) - _MOST_VARIATIONS} more variations: --json"
    billed, cached = details.searches_billed, details.searches_cached
    yield "cost", f"searches for its details: {billed} billed, {cached} from SerpApi's cache"


def _shown_as(details: AdDetails) -> str:
    """The advertiser, the link and the further links that the ad shows, in its first variation."""
    first = details.variations[0] if details.variations else {}
    shown = [first.get("advertiser_name"), first.get("visible_link")]
    return ", ".join(str(part) for part in [*shown, *first.get("sitelink_texts", [])] if part)


def _picture(picture: AdPicture, media: MediaStore) -> str:
    size = f", {picture.width} × {picture.height}" if picture.width and picture.height else ""
    since = f"seen since {moment(picture.first_seen_at)}"
    if picture.path is not None:
        return f"{media.locate(picture.path)} ({since}{size})"
    why = f": {picture.failure}" if picture.failure else ""
    return f"not kept, {_STATUS[picture.status]}{why} ({since}{size})"


def _shown(ad: AdReport) -> str:
    first, last = (day(one) or "an unknown day" for one in (ad.first_shown, ad.last_shown))
    days = f", shown on {counted(ad.days_shown, 'day')}" if ad.days_shown else ""
    return f"{first} to {last}{days}"


def _political(ad: AdReport) -> str:
    views = f"{ad.views_min or 0:,} to {ad.views_max or '?'} views"
    return f"{views}, spent {ad.budget_min or '?'} to {ad.budget_max or '?'}"


def _region(region: AdRegion) -> str:
    until = f" until {region.last_shown}" if region.last_shown else ""
    return f"{region.name}{until}"


def _more(number: int, shown: int) -> str:
    return f"; and {number - shown} more" if number > shown else ""


def _event(event: AdEvent) -> dict[str, object]:
    return {
        "when": moment(event.occurred_at),
        "event": EVENT_WORDS[event.kind],
        "watch": plain(event.watch),
    }


def _watch(watch: AdWatch) -> dict[str, object]:
    return {
        "id": watch.id,
        "watch": plain(watch.name),
        "first found": moment(watch.first_matched_at),
        "last found": moment(watch.last_matched_at),
        "ended": None if watch.ended_at is None else moment(watch.ended_at),
    }


def _variant(variant: AdVariantLine) -> dict[str, object]:
    return {
        "id": variant.id,
        "status": variant.status.value,
        "requested": moment(variant.requested_at),
    }
