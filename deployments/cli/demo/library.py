"""What the demo shows of an ad in the library: its words, a search that finds it, its picture."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping

from pydantic import BaseModel, JsonValue
from rich.markup import escape

from adspark.errors import AdSparkError
from adspark.library.ads.report import AdReport, read_ad
from adspark.library.search.page import search_ads
from adspark.media.store import MediaStore
from adspark.models import DEFAULT_USER, ReadingStatus
from adspark.settings import Settings, media_url
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.words.reader_process import find_missing
from deployments.cli.database import open_database
from deployments.cli.runs.follow import RunFailedError, run_and_follow
from deployments.terminal.output import out, print_line

_PATIENCE = 1200.0  # seconds for runs of the schedule to make way, on a slow machine
_MOST_RUNS = 5  # that complete without doing it
_PAUSE = 1.0  # seconds between two tries
# A run by the schedule may have met the ad while it was missing.
_RETRYING: Mapping[str, JsonValue] = {"retry_failed": True}
_WORD = re.compile(r"[^\W\d_]{4,}")
_SEARCHED = 3  # words of the ad


class DemoFailedError(AdSparkError):
    """A step did not do what the demo is there to show."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The demo did not go as it should: {why}")


class LibraryAd(BaseModel):
    """An ad in the library.

    Attributes:
        words: its lines, from top to bottom; none where no words can be read here.
        described: whether they were read, and how sure that is.
        search: words of it.
        found: ads that have them.
        picture: where its picture lies.
    """

    words: list[str]
    described: str
    search: str
    found: int
    picture: str


def look_up(api_url: str, data: Settings, ad_creative_id: str) -> LibraryAd:
    """Archive and read the pictures that wait, and look an ad up.

    Args:
        api_url: of the stack that runs.
        data: its settings.
        ad_creative_id: the ad.

    Raises:
        DemoFailedError: its picture is not archived, or the search does not find it.
    """

    def run_until(deployment: str, is_done: Callable[[AdReport], bool]) -> AdReport:
        deadline = time.monotonic() + _PATIENCE
        runs, reason = 0, ""
        while not is_done(report := asyncio.run(_read(data, ad_creative_id))):
            if runs == _MOST_RUNS or time.monotonic() > deadline:
                raise DemoFailedError(f"{deployment} is not done. {reason}".strip())
            try:
                following = run_and_follow(api_url, deployment, _RETRYING)
                asyncio.run(asyncio.wait_for(following, deadline - time.monotonic()))
                runs, reason = runs + 1, _describe_failure(report)
            except (RunFailedError, TimeoutError) as error:
                reason = str(error)
                time.sleep(_PAUSE)
        return report

    run_until("archive-creatives", _is_archived)
    report = run_until("read-words", _is_read)
    picture, read = report.current_picture, report.read_words
    if picture is None or picture.path is None:
        raise DemoFailedError(f"{picture.failure if picture else 'no picture'}")
    lines = read.lines if read else []
    search = " ".join(_WORD.findall(" ".join(lines))[:_SEARCHED])
    return LibraryAd(
        words=lines,
        described=report.words,
        search=search,
        found=asyncio.run(_count_found(data, search, ad_creative_id)) if search else 0,
        picture=MediaStore(media_url(data)).locate(picture.path),
    )


def print_library_ad(ad: LibraryAd) -> None:
    """The ad's words, the search that finds it, and where its picture lies."""
    out.print("\n[bold]The new ad in the library[/]")
    if ad.words:
        print_line(f"  words     {escape(plain(' / '.join(ad.words)))}")
        print_line(f"            {escape(ad.described)}")
        print_line(
            f"  found by  adspark ads search {escape(plain(ad.search))} "
            f"({counted(ad.found, 'ad')}; while the stack runs: adspark demo --keep)"
        )
    else:
        print_line(f"  words     {escape(ad.described)}")
    print_line(f"  picture   {escape(ad.picture)}")


def _describe_failure(ad: AdReport) -> str:
    """Why there is no picture yet, where that is known."""
    picture = ad.current_picture
    return picture.failure or "" if picture else ""


def _is_archived(ad: AdReport) -> bool:
    picture = ad.current_picture
    return picture is not None and picture.path is not None


def _is_read(ad: AdReport) -> bool:
    read = ad.read_words
    return find_missing() is not None or (
        read is not None and read.status is not ReadingStatus.PENDING
    )


async def _read(data: Settings, ad_creative_id: str) -> AdReport:
    async with open_database(data) as database, database.session() as session:
        return await read_ad(session, ad_creative_id=ad_creative_id, user_id=DEFAULT_USER)


async def _count_found(data: Settings, search: str, ad_creative_id: str) -> int:
    async with open_database(data) as database, database.session() as session:
        page = await search_ads(session, query=search)
    if ad_creative_id not in {one.ad_creative_id for one in page.ads}:
        raise DemoFailedError(f"{search!r} does not find the ad.")
    return page.total
