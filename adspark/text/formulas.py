"""Cells of CSV that no spreadsheet takes for a formula (OWASP, "CSV injection").

An apostrophe goes before what begins a formula at the start of a cell, or after what another
country's spreadsheet takes for the end of one. One that stood there already is doubled, so that
`restore_cell` gives back what was written.
"""

import re

_ENDS = r";,\t\r\n"  # of cells, in one country or another
_CELL = re.compile(f"((?:^|[{_ENDS}])\"*)('*)(?=[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])")
_GUARDED = re.compile(f"((?:^|[{_ENDS}])\"*)'('*)(?=[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])")
# The same on UTF-8; without the start of a text, by which a search would be slow.
_ROWS = re.compile(f"([{_ENDS}]\"*)('*)(?=[=+@\t\r\n-]|".encode() + rb"\xef\xbc[\x8b\x8d\x9d\xa0])")


def guard_cell(cell: str) -> str:
    """The cell as a spreadsheet shows it and never computes it."""
    return _CELL.sub(r"\1'\2", cell)


def restore_cell(cell: str) -> str:
    """What `guard_cell` was given."""
    return _GUARDED.sub(r"\1\2", cell)


def guard_rows(rows: bytes) -> bytes:
    """The same for whole rows of CSV in UTF-8, whose texts stand in quotation marks.

    The last cell of a row is none of them, and is not empty.
    """
    return _ROWS.sub(rb"\1'\2", b"\n" + rows)[1:]
