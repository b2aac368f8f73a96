"""Whether somebody has looked for the ads that a question is about, so that "none" is no guess."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.filters.definition import AdFilters
from adspark.models import CreativeFormat, Platform
from adspark.serpapi.regions import region_name
from adspark.serpapi.search_query import CreativeQuery
from adspark.watches.budgets import NEXT_LOOK
from adspark.watches.reports.looks import LookState, WatchLooks

LOOKS_AT = """
    (advertiser_ids && CAST(:advertiser_ids AS text[]) OR text IS NOT NULL AND EXISTS (
        SELECT FROM creative c JOIN watch_creative f USING (ad_creative_id)
        WHERE f.watch_id = w.id AND c.advertiser_id = ANY (CAST(:advertiser_ids AS text[]))
    ))
"""
"""Of a `watch w`: it looks for ads of advertisers, or has found some that lead to its domain."""

_WATCHES = text(f"""
    SELECT id, name, advertiser_ids, text, region, platform, creative_format, political_ads,
        is_active, {NEXT_LOOK} AS next_look, checked_at, coverage, problem,
        baseline_at, complete_at, has_gaps
    FROM watch w
    WHERE {LOOKS_AT} OR text = ANY (CAST(:texts AS text[]))
    ORDER BY id
""")  # noqa: S608  (put together from constants)
# Those by hand that came to the end of what their search finds, each the last of its query. A list
# without ads proves nothing, and one with rows that could not be read is not all.
_FETCHES = text("""
    SELECT query, max(started_at) AS at FROM "fetch"
    WHERE watch_id IS NULL AND status = 'completed' AND stop_reason = 'end' AND NOT is_dry_run
        AND new_count + changed_count + unchanged_count > 0 AND rejected_count = 0
        AND (query -> 'advertiser_ids' ?| CAST(:advertiser_ids AS text[])
            OR query ->> 'text' = ANY (CAST(:texts AS text[])))
    GROUP BY query
""")
_SEARCHED = CreativeQuery.model_fields.keys()


class Scope(BaseModel):
    """The ads that a question is about: of these advertisers, or leading to this domain.

    With a domain the advertisers do not count: whoever looks for the domain looks for theirs.
    """

    model_config = ConfigDict(frozen=True)

    advertiser_ids: tuple[str, ...] = ()
    domain: str | None = None
    region: str | None = None
    platform: Platform | None = None
    creative_format: CreativeFormat | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """What has to be looked for, each by itself; none: the ads of anybody."""
        return self.advertiser_ids if self.domain is None else (self.domain,)


class ScopeLook(BaseModel):
    """A watch, or a fetch by hand, that looks for some of the ads."""

    watch_id: int | None = Field(description="None: a fetch by hand.")
    name: str
    subjects: list[str]
    state: LookState
    complete_at: datetime | None
    has_gaps: bool
    is_overdue: bool
    lacks: list[str] = Field(description="What it leaves out of the question.")

    @property
    def is_enough(self) -> bool:
        """Whether it has seen all ads of its subjects that the question is about."""
        return self.state is LookState.COMPLETE and not self.has_gaps and not self.lacks


class ScopeCoverage(BaseModel):
    """Who has looked for the ads of a question, and for which of its subjects nobody has."""

    looks: list[ScopeLook]
    uncovered: list[str] = Field(description="Subjects without a look that saw all their ads.")
    as_of: datetime | None = Field(description="The oldest of the looks that count.")


def scope_of(filters: AdFilters) -> Scope:
    """The ads that a search with these filters is about."""
    return Scope(
        advertiser_ids=filters.advertiser_ids or (),
        domain=filters.domain,
        region=filters.region,
        platform=filters.platform,
        creative_format=filters.format,
    )


async def read_coverage(session: AsyncSession, scope: Scope) -> ScopeCoverage:
    """Who has looked for these ads; nobody can have looked for those of anybody."""
    values = {
        "advertiser_ids": [] if scope.domain else list(scope.advertiser_ids),
        "texts": list(_parents(scope.domain)) if scope.domain else [],
    }
    looks: list[ScopeLook] = []
    for row in (await session.execute(_WATCHES, values)).mappings():
        watch = WatchLooks.model_validate({k: row[k] for k in WatchLooks.model_fields})
        query = CreativeQuery(**{k: row[k] for k in _SEARCHED if k in row})
        looks.append(
            ScopeLook(
                watch_id=row["id"],
                name=row["name"],
                subjects=_subjects(scope, query),
                state=watch.state(),
                complete_at=watch.complete_at,
                has_gaps=watch.has_gaps,
                is_overdue=watch.is_overdue,
                lacks=list(_lacks(scope, query)),
            )
        )
    for fetch in await session.execute(_FETCHES, values):
        query = CreativeQuery.model_validate(fetch.query)
        looks.append(
            ScopeLook(
                watch_id=None,
                name="a fetch by hand",
                subjects=_subjects(scope, query),
                state=LookState.COMPLETE,
                complete_at=fetch.at,
                has_gaps=False,
                is_overdue=False,
                lacks=list(_lacks(scope, query)),
            )
        )
    return _judge(scope, looks)


def _judge(scope: Scope, looks: Sequence[ScopeLook]) -> ScopeCoverage:
    """By the latest sufficient look at each subject."""
    latest: dict[str, datetime] = {}
    for look in looks:
        if look.is_enough and look.complete_at is not None:
            for subject in look.subjects:
                latest[subject] = max(look.complete_at, latest.get(subject, look.complete_at))
    return ScopeCoverage(
        looks=list(looks),
        uncovered=[one for one in scope.subjects if one not in latest],
        as_of=min(latest.values(), default=None),
    )


def _subjects(scope: Scope, query: CreativeQuery) -> list[str]:
    """Those that a search looks for: the domain, or advertisers of which it has found ads."""
    if query.text is not None:
        return list(scope.subjects)
    return [one for one in scope.subjects if one in query.advertiser_ids]


def _lacks(scope: Scope, query: CreativeQuery) -> Iterator[str]:
    """What a search leaves out of the ads of a question.

    An ad is known to be of a country or platform by the search for that one which found it.
    """
    if scope.region != query.region:
        yield (
            "it does not search by country, so in which an ad ran is not known"
            if query.region is None
            else f"it searches in {region_name(query.region)} only"
        )
    if scope.platform != query.platform:
        yield (
            "it does not search by platform, so on which an ad ran is not known"
            if query.platform is None
            else f"it searches on {query.platform} only"
        )
    if query.creative_format not in (None, scope.creative_format):
        yield f"it searches for ads of the format {query.creative_format} only"
    if query.start_date is not None or query.end_date is not None:
        yield "it searches a part of the time only"
    if query.political_ads:
        yield "it searches for political ads only"
    if query.text is not None and scope.domain is None:
        yield f"it searches for ads that lead to {query.text} only"
    if query.advertiser_ids and scope.domain is not None:
        yield "it searches for ads of some advertisers only"


def _parents(domain: str) -> Iterator[str]:
    """The domain, and those that it is below: whoever looks for one of them looks for it."""
    labels = domain.split(".")
    yield from (".".join(labels[at:]) for at in range(len(labels) - 1))
