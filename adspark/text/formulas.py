"""Cells of CSV that no spreadsheet takes for a formula (OWASP, "CSV injection").

An apostrophe goes before what begins a formula at the start of a cell, or after what another
country's spreadsheet takes for the end of one. One that stood there already is doubled, so that
`restore_cell` gives back what was written.
"""

import re
from urllib.parse import quote

_ENDS = ";,\t\r\n"  # of cells, in one country or another
_CELL = re.compile(f"((?:^|[{_ENDS}])\"*)('*)(?=[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])")
_GUARDED = re.compile(f"((?:^|[{_ENDS}])\"*)'('*)(?=[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])")
# The same on UTF-8: what begins a formula behind what may be the end of a cell. It is looked for
# first, for there are far more ends.
_BEGINNING = re.compile(
    rb"""[=+@\t\r\n\xef-](?<=[;,\t\r\n"'].)(?:(?<!\xef)|(?=\xbc[\x8b\x8d\x9d\xa0]))""", re.DOTALL
)


def guard_cell(cell: str) -> str:
    """The cell as a spreadsheet shows it and never computes it."""
    return _CELL.sub(r"\1'\2", cell)


def guard_address(address: str) -> str:
    """The same for the address of a page, which stays valid: ends of cells are percent-encoded."""
    return _CELL.sub(lambda found: quote(found[1]) + found[2], address)


def restore_cell(cell: str) -> str:
    """What `guard_cell` was given."""
    return _GUARDED.sub(r"\1\2", cell)


def guard_rows(rows: bytes) -> bytes:
    """The same for whole rows of CSV in UTF-8, whose texts stand in quotation marks.

    The last cell of a row is none of them, and is not empty.
    """
    whole, parts, at = b"\n" + rows, list[bytes](), 1
    for found in _BEGINNING.finditer(whole):
        begin = _back_over(whole, found.start(), b"'")
        if whole[_back_over(whole, begin, b'"') - 1] in _ENDS.encode():
            parts += [whole[at:begin], b"'"]
            at = begin
    return b"".join([*parts, whole[at:]])


def _back_over(text: bytes, end: int, mark: bytes) -> int:
    """Where the marks begin that stand before `end`."""
    while text[end - 1 : end] == mark:
        end -= 1
    return end
