"""Cells of CSV: no spreadsheet computes them, one by one or in whole rows."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from adspark.text.formulas import guard_cell, guard_rows, restore_cell

CELLS = st.text(st.sampled_from(";,\t\r\n\"'=+@-aé\uff1d\uff1e"), min_size=1)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_whole_rows_are_guarded_as_their_cells_are(rows: list[tuple[str, str]]) -> None:
    plain, guarded = io.StringIO(), io.StringIO()
    for file, change in ((plain, str), (guarded, guard_cell)):
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerows([*map(change, row), 1] for row in rows)
    assert guard_rows(plain.getvalue().encode()).decode() == guarded.getvalue()
    assert all(restore_cell(guard_cell(cell)) == cell for row in rows for cell in row)
