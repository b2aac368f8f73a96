"""Health check: look at everything that AdSpark needs, and say the remedy of what is wrong.

Blocks: all. Limits: 15 s a check, one at a time. Tables: picture_version, ad_variant, and the
schema's version.
"""

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import BaseModel

from adspark.maintenance.check import Check, CheckState
from adspark.markdown import escape_markdown
from flows.endings import PLAIN_JSON, completed, failed
from tasks.check_health import check_health

ARTIFACT_KEY = "health"


class HealthSummary(BaseModel):
    """What was looked at; the result of `health-check`."""

    checks: list[Check]

    @property
    def headline(self) -> str:
        """What a person should do or know, in one line."""
        wrong = self.in_state(CheckState.FAILED)
        warnings = self.in_state(CheckState.WARNING)
        problems = [f"{one.name}: {one.what}" for one in (*wrong, *warnings)]
        return "; ".join(problems) or f"{len(self.checks)} checks, all is well"

    def in_state(self, state: CheckState) -> list[Check]:
        """The checks that came to this."""
        return [one for one in self.checks if one.state is state]


@flow(name="health-check", persist_result=True, result_serializer=PLAIN_JSON)
async def health_check() -> HealthSummary:
    """Look at database, Prefect, pools, SerpApi, Dify, browser, media store, disk, archive and
    whether the stored pictures are there.

    It ends Failed where a person should act; the remedies are under Artifacts (`health`).
    """
    summary = HealthSummary(checks=await check_health())
    await show_health(summary)
    if summary.in_state(CheckState.FAILED):
        return failed(HealthSummary, summary.headline)
    return completed(summary, summary.headline)


async def show_health(summary: HealthSummary) -> None:
    """The checks as a table, under Artifacts in the UI."""
    lines = ["| | check | what | remedy |", "| --- | --- | --- | --- |"]
    signs = {CheckState.OK: "✅", CheckState.WARNING: "⚠️", CheckState.FAILED: "❌"}
    for one in summary.checks:
        remedy = f"`{one.remedy}`" if one.remedy else ""
        cells = (signs.get(one.state, "–"), one.name, escape_markdown(one.what), remedy)
        lines.append(f"| {' | '.join(cells)} |")
    await acreate_markdown_artifact(
        key=ARTIFACT_KEY, markdown="\n".join(lines), description=summary.headline
    )
