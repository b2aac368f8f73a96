"""The reference of Prefect events: what automations may hang on."""

from adspark.models import Coverage, EventKind
from adspark.watches.news import News
from orchestration.limits import spending_events
from scripts.reference.docstrings import field_docs
from scripts.reference.markdown import code, make_document, make_paragraph, make_table, sentence

_ABOUT = """
Emitted once each to Prefect, for automations (Automations in the UI). What a watch finds at
first, its baseline, is stored and shown, and no event. Of an ad's event the resource is the
creative (`adspark.creative.CR…`); related are the watch (`adspark.watch.ID`, role `watch`) and
the flow run.
"""


def make_page() -> str:
    kinds = field_docs(EventKind)
    told = [
        (code(f"adspark.creative.{one}"), sentence(kinds[one.name]))
        for one in EventKind
        if one is not EventKind.BASELINE
    ]
    spent = [
        (code(spending_events.BUDGET_SPENT), spending_events.announce_spent_budget.__doc__ or ""),
        (
            code(spending_events.SEARCHES_USED_UP),
            spending_events.announce_used_up_searches.__doc__ or "",
        ),
    ]
    rows = [*told, *((name, sentence(text)) for name, text in spent)]
    payload = ", ".join(code(name) for name in News.model_fields)
    coverage = field_docs(Coverage)
    return make_document(
        "Events",
        _ABOUT,
        make_table(("event", "when"), rows),
        make_paragraph(f"The payload of an ad's event; what is not known is left out: {payload}."),
        "## What a watch notices",
        make_table(("kind", "when"), [(code(one), sentence(kinds[one.name])) for one in EventKind]),
        "## How much a check has covered",
        make_table(
            ("coverage", "what it says about silence"),
            [(code(one), sentence(coverage[one.name])) for one in Coverage],
        ),
    )
