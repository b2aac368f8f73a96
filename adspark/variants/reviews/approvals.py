"""Every statement on approvals by group, and on the agreement between reviewers.

By prompt and advertiser a variant counts once, by who decided last; by rule once for each verdict
that one has of it; by reviewer each person's own decisions count.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.variants.reviews.decisions import IS_APPROVED
from adspark.variants.reviews.share import Share

MOST = 50
"""Groups of a kind that are listed, those with the most cases first."""


class Group(StrEnum):
    """By what approvals are counted."""

    PROMPT = "prompt"
    RULE = "rule"
    ADVERTISER = "advertiser"
    REVIEWER = "reviewer"


_VARIANTS = f"""(
    SELECT v.prompt, v.original_ad_id, v.rule_check, {IS_APPROVED} AS is_approved FROM ad_variant v
    WHERE v.status = 'completed' AND (CAST(:user_id AS int) IS NULL OR v.user_id = :user_id)
) AS v"""  # noqa: S608  (put together from a constant)
_COUNTED = {
    Group.PROMPT: f"SELECT left(v.prompt, 500) AS name, v.is_approved FROM {_VARIANTS}",  # noqa: S608
    Group.RULE: f"""
        SELECT one.name, v.is_approved FROM {_VARIANTS} CROSS JOIN LATERAL (
            SELECT DISTINCT translate(concat(rule, ': ', verdict), '_', ' ') AS name
            FROM jsonb_to_recordset(v.rule_check->'verdicts') AS told (rule text, verdict text)
        ) AS one
    """,  # noqa: S608  (put together from a constant)
    Group.ADVERTISER: f"""
        SELECT a.name, v.is_approved FROM {_VARIANTS}
            JOIN creative c ON c.ad_creative_id = v.original_ad_id
            JOIN advertiser a USING (advertiser_id)
    """,  # noqa: S608  (put together from a constant)
    Group.REVIEWER: """
        SELECT coalesce(u.name, 'user ' || f.user_id) AS name, f.is_approved
        FROM variant_feedback f JOIN ad_variant v ON v.id = f.variant_id
            LEFT JOIN app_user u ON u.user_id = f.user_id
        WHERE v.status = 'completed' AND (CAST(:user_id AS int) IS NULL OR v.user_id = :user_id)
    """,
}


def _statement(counted: str) -> TextClause:
    return text(f"""
        SELECT name, count(*) FILTER (WHERE is_approved) AS hits, count(*) AS cases
        FROM ({counted}) AS one WHERE is_approved IS NOT NULL
        GROUP BY name ORDER BY cases DESC, hits DESC, name LIMIT {MOST}
    """)  # noqa: S608  (put together from constants)


_BY_GROUP = {group: _statement(counted) for group, counted in _COUNTED.items()}
_AGREEMENT = text("""
    SELECT count(*) FILTER (WHERE a.is_approved = b.is_approved) AS hits, count(*) AS cases
    FROM variant_feedback a
        JOIN variant_feedback b ON b.variant_id = a.variant_id AND a.user_id < b.user_id
        JOIN ad_variant v ON v.id = a.variant_id
    WHERE a.is_approved IS NOT NULL AND b.is_approved IS NOT NULL
        AND (CAST(:user_id AS int) IS NULL OR v.user_id = :user_id)
""")


class Approvals(BaseModel):
    """How many decided variants, or decisions, of a group are approvals."""

    group: Group
    name: str
    approved: Share


class Outcomes(BaseModel):
    """What people approved, by group, and how far they agree."""

    approvals: list[Approvals]
    agreement: Annotated[
        Share, Field(description="Pairs of people who decided on one variant, and did so alike.")
    ]

    def by(self, group: Group) -> list[Approvals]:
        """Those of a group, with the most cases first."""
        return [one for one in self.approvals if one.group is group]


async def read_outcomes(session: AsyncSession, *, user_id: int | None = None) -> Outcomes:
    """The figures over the variants that one user, or anybody, has requested."""
    whose = {"user_id": user_id}
    approvals = [
        Approvals(group=group, name=row.name, approved=Share.of(row.hits, row.cases))
        for group, statement in _BY_GROUP.items()
        for row in await session.execute(statement, whose)
    ]
    pairs = (await session.execute(_AGREEMENT, whose)).one()
    return Outcomes(approvals=approvals, agreement=Share.of(pairs.hits, pairs.cases))
