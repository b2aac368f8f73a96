"""`adspark advertisers`: who is stored, found by name or domain, shown and compared.

They are those of the running stack, else of the configured database. Only `find --search` spends a
search, to find who advertises for a domain.
"""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.errors import InvalidQueryError
from adspark.library.advertisers.named import (
    find_advertisers,
    read_advertiser,
    resolve_compared,
)
from adspark.library.advertisers.stored import (
    LAUNCHED_DAYS,
    AdvertiserReport,
    AdvertiserRow,
    list_advertisers,
    read_report,
)
from adspark.library.search.page import LIMIT
from adspark.text.counts import counted
from adspark.text.terminal import fit, plain
from deployments.cli.ads.documents import (
    AdvertiserDocument,
    AdvertiserList,
    AdvertisersCompared,
    AdvertisersFound,
    AdvertisersSearched,
)
from deployments.cli.ads.domain_search import DomainAdvertisers, search_domain
from deployments.cli.database import in_session
from deployments.cli.options import EndsWithJsonOption, JsonOption, YesOption
from deployments.cli.ranges import ranged
from deployments.terminal.output import out, print_json, print_line, print_warning
from deployments.terminal.tables import day, table

_SHOWN = 20
_MOST_COMPARED = 4  # that fit beside each other
_COLUMN = 15  # characters of a name above a column

Name = Annotated[str, Argument(help="Name, domain or id (AR and 20 digits).")]
LimitOption = Annotated[int, ranged(LIMIT, help="How many.")]

app = typer.Typer()


@app.command("list")
def list_all(limit: LimitOption = _SHOWN, as_json: JsonOption = False) -> None:
    """List the stored advertisers, those with the most ads first."""
    rows = in_session(lambda session: list_advertisers(session, limit=limit))
    if as_json:
        print_json(AdvertiserList(advertisers=rows))
    elif rows:
        out.print(_listed(rows))
    else:
        out.print("There are none; fetch ads with: adspark fetch --text example.com")


@app.command()
def find(
    name: Name,
    search: Annotated[
        bool, Option("--search", help="Spend one search on who advertises for this domain.")
    ] = False,
    yes: YesOption = False,
    limit: LimitOption = _SHOWN,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Find stored advertisers by name or domain, also where it is misspelled.

    With --search their ads are searched for first, and stored: one search, as a fetch, and none
    where the same was searched within the hour.
    """
    if search:
        _print_searched(search_domain(name, limit=limit, yes=yes), as_json=as_json)
        return
    found = in_session(lambda session: find_advertisers(session, name=name, limit=limit))
    if as_json:
        print_json(AdvertisersFound.of(found))
        return
    for note in found.notes:
        print_warning(note)
    if not found.advertisers:
        print_line(
            "None is stored; find who advertises for a domain, for one search: "
            "adspark advertisers find example.com --search"
        )
        return
    if found.is_similar:
        out.print("None has this name or domain; these are spelled like it:")
    out.print(_listed(found.advertisers))


@app.command()
def show(name: Name, as_json: JsonOption = False) -> None:
    """Show everything that is stored about an advertiser."""
    report = in_session(lambda session: read_advertiser(session, name=name))
    if as_json:
        print_json(AdvertiserDocument.of(report))
        return
    print_line(f"[bold]{escape(plain(report.name))}[/] ({report.advertiser_id})")
    facts = _facts(report) | {
        "domains": ", ".join(report.domains) or "–",
        "watches": ", ".join(report.watches) or "–",
    }
    for what, value in facts.items():
        print_line(f"  {what:<20}{escape(plain(value).replace(chr(10), ', '))}")


@app.command()
def compare(
    names: Annotated[list[str], Argument(metavar="NAME...", help="Two to four of them.")],
    as_json: JsonOption = False,
) -> None:
    """Compare stored advertisers side by side."""
    if not 1 < len(names) <= _MOST_COMPARED:
        raise InvalidQueryError(
            "names", f"{counted(len(names), 'advertiser')} cannot be compared; name two to four."
        )

    async def act(session: AsyncSession) -> list[AdvertiserReport]:
        ids = await resolve_compared(session, names=names, field="names")
        return [await read_report(session, one) for one in ids]

    reports = in_session(act)
    if as_json:
        print_json(AdvertisersCompared(advertisers=reports))
    else:
        out.print(_compared(reports))


def _print_searched(found: DomainAdvertisers, *, as_json: bool) -> None:
    if as_json:
        print_json(AdvertisersSearched.of(found))
        return
    if found.advertisers:
        out.print(_listed(found.advertisers))
    else:
        print_line(f"The search shows no advertiser for {escape(found.domain)}.")
    print_line(found.cost)


def _listed(rows: Sequence[AdvertiserRow]) -> RenderableType:
    cells = [
        {
            "id": row.advertiser_id,
            "advertiser": plain(row.name),
            "ads": row.ads,
            "running": row.running,
            "last shown": day(row.last_seen_at),
        }
        for row in rows
    ]
    return table("Advertisers", cells)


def _facts(report: AdvertiserReport) -> dict[str, str]:
    """What an advertiser is compared by."""
    return {
        "ads": f"{report.ads:,}",
        "running": f"{report.running:,}",
        f"launched, {LAUNCHED_DAYS} d": f"{report.launched:,}",
        "formats": _mix(report.formats),
        "running ones": _mix(report.running_formats),
        "platforms": _mix(report.platforms),
        "median days shown": "–"
        if report.median_days_shown is None
        else f"{report.median_days_shown:.0f}",
        "most days shown": "–" if report.most_days_shown is None else f"{report.most_days_shown}",
        "words known": f"{report.with_words:,}",
        "first shown": day(report.first_seen_at) or "–",
        "last shown": day(report.last_seen_at) or "–",
    }


def _compared(reports: Sequence[AdvertiserReport]) -> RenderableType:
    """A row for each figure, a column for each advertiser."""
    facts = [_facts(report) for report in reports]
    names = [f"{place}. {fit(one.name, _COLUMN)}" for place, one in enumerate(reports, 1)]
    rows = [
        {"": what, **{name: one[what].split("\n") for name, one in zip(names, facts, strict=True)}}
        for what in facts[0]
    ]
    return table("Advertisers", rows, wraps=names[-1])


def _mix(counts: dict[str, int]) -> str:
    return "\n".join(f"{number:,} {name}" for name, number in counts.items()) or "–"
