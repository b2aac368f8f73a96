"""What the demo shows at its end: what was fetched, noticed and stored, an ad, a variant of it."""

from rich.markup import escape

from adspark.creatives.store import CreativeCount
from adspark.home.running_stack import StackState
from adspark.text.counts import counted
from deployments.cli.demo.documents import DemoDocument
from deployments.cli.demo.library import print_library_ad
from deployments.cli.demo.steps import PROMPT
from deployments.terminal.output import out, print_activation, print_line
from deployments.terminal.tables import table


def print_demo(report: DemoDocument, stored: list[CreativeCount], state: StackState) -> None:
    """Tables and sentences for a person.

    Args:
        report: of the demo.
        stored: ads by advertiser and format.
        state: of the stack, which may still run.
    """
    fetched = [
        {
            "fetch": step.name,
            "new": step.summary.new,
            "changed": step.summary.changed,
            "unchanged": step.summary.unchanged,
            "billed": step.summary.searches_billed,
            "cached": step.summary.searches_cached,
            "seconds": step.seconds,
        }
        for step in report.steps
    ]
    watched = [
        {
            "look": look.name,
            "baseline": look.summary.events.baseline,
            "new": look.summary.events.new,
            "changed": look.summary.events.changed,
            "coverage": look.summary.coverage.value,
            "billed": look.summary.searches_billed,
            "seconds": look.seconds,
        }
        for look in report.looks
    ]
    out.print(table("Fetched", fetched))
    out.print(table("Watched: New Balance", watched))
    kept = [
        {"advertiser": one.advertiser, "format": one.format.value, "ads": one.creatives}
        for one in stored
    ]
    out.print(table("Stored", kept))
    out.print(
        f"{report.stored} real ads (recorded in 2026) came through the sandbox, Prefect and its "
        f"workers into PostgreSQL; {counted(report.searches_billed, 'search')} would have been "
        f"billed. The "
        f"digest reports {counted(report.digest.news, 'new ad')}. "
        f"{report.seconds:.0f} s in all."
    )
    print_library_ad(report.ad)
    copy = report.variant.summary.description or ""
    out.print(f"\n[bold]A variant of it[/], by the sandbox: “{PROMPT}”")
    print_line(escape("\n".join(f"  {line}" for line in copy.splitlines())))
    print_line(f"  original  {escape(report.variant.original)}")
    print_line(f"  variant   {escape(report.variant.picture)}\n")
    if report.ui_url:
        out.print(
            f"The stack is still running. Gallery: {state.gallery_url} · Prefect's UI: "
            f"{state.ui_url} · sandbox: {state.sandbox_url} · stop: adspark down\n"
            "Pictures and words of all ads are there within half an hour."
        )
    else:
        out.print("To look around in the gallery and Prefect's UI: adspark demo --keep")
    print_activation()
