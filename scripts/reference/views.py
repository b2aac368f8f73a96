"""The reference of SQL views for tools that draw figures."""

from adspark.insight.views import VIEWS, View
from scripts.reference.markdown import code, make_document, make_table

_ABOUT = """
Tools that draw figures may read these views; columns are added to them, never renamed or removed.
Days are in UTC, and ads without them are in none but `insight_ad` and `insight_mix`. How to read
them, and how to let a tool read nothing else:
[Insight](../marketers/insight.md#for-tools-that-draw-figures).
"""


def make_page() -> str:
    return make_document("SQL views", _ABOUT, *map(_view, VIEWS))


def _view(view: View) -> str:
    rows = [
        (code(name), code(kind), view.notes.get(name, "")) for name, kind in view.columns.items()
    ]
    table = make_table(("column", "type", "meaning"), rows)
    return f"## {view.name}\n\nA row is {view.row}.\n\n{table}"
