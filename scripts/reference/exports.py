"""The reference of exports: the columns of every format."""

from adspark.export.columns import COLUMNS
from scripts.reference.markdown import code, make_document, make_table

_ABOUT = """
The columns of `adspark ads export`, of the flow `export-creatives` and of the gallery's exports,
in their order, the same in every format. How to export: [The
library](../marketers/library.md#taking-it-out).
"""
_NOTES = {
    "words_source": "`bought`, or `read` from the picture",
    "words_confidence": "of words that were read",
    "picture": "in the media store or, with `--pictures`, beside the file",
}


def make_page() -> str:
    rows = [(code(one.name), one.kind.value, _NOTES.get(one.name, "")) for one in COLUMNS]
    table = make_table(("column", "type", "meaning"), rows)
    return make_document("Columns of exports", _ABOUT, table)
