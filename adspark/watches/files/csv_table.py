"""Tables of watches as spreadsheets save and open them: CSV with a heading and a line a watch."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from adspark.errors import ConfigurationError
from adspark.text.formulas import guard_cell, restore_cell
from adspark.validation.names import clean_name, clean_value
from adspark.validation.near_names import describe_unknown

_DELIMITERS = ",;\t"  # the first of those with which most headings are known
_MOST_NAMED, _LONGEST_SHOWN = 5, 40  # headings that are not known, and characters of one
_SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?[,;\t]*(\r\n|\r|\n|$)', re.IGNORECASE)


class Row(NamedTuple):
    """A watch as written, where it stands, and what is wrong with the row itself."""

    place: str
    cells: Mapping[str, object]
    problem: str = ""


def decode_table(content: bytes) -> str:
    """The text of a file as spreadsheets save it: UTF-8, or UTF-16 where it says or shows so."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    head = content[:200]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if zeros and not any(zeros):
            return content.decode(encoding)
    return content.decode("utf-8-sig")


def encode_table(written: str) -> bytes:
    """The content of a file of a table: UTF-8 with a byte order mark, for without one spreadsheets
    take it for another encoding and save other letters."""
    return written.encode("utf-8-sig")


def read_table(written: str, source: str, columns: Sequence[str]) -> Iterator[Row]:
    """The lines that hold something, with the cells under the columns that they belong to.

    Headings may be written in any case and with blanks; a first line `sep=;` is understood.

    Args:
        written: the text of the table.
        source: what to call it, in errors.
        columns: all that are known.

    Raises:
        ConfigurationError: it is no such table; names the line and the remedy.
    """
    body, skipped, delimiter = _find_delimiter(written, columns)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    headings: list[str] | None = None
    number = 0
    try:
        for cells in reader:
            cleaned = [clean_name(cell) for cell in cells]
            if not any(cleaned):
                continue
            if headings is None:
                headings = _headings(cleaned, source, columns)
                continue
            number += 1
            place = f"row {number} (line {reader.line_num + skipped})"
            yield _row(place, headings, cleaned)
    except csv.Error as error:
        where = f"{source}, line {reader.line_num + skipped}"
        raise ConfigurationError(f"{where}: is not CSV ({error}); correct it.") from None
    if headings is None:
        raise ConfigurationError(
            f"{source}: is empty; write a line of headings ({', '.join(columns[:4])}, …), and "
            "below it a line for each watch."
        )


def describe_unknown_field(field: str, columns: Sequence[str]) -> str:
    """What is wrong with a field of a watch that there is not, and which may be meant."""
    unknown = f"there is no such field; known are {', '.join(columns)}."
    return describe_unknown(unknown, field, columns)


def write_table(rows: Sequence[Mapping[str, str]], *, columns: Sequence[str]) -> str:
    """The rows below their headings; no cell is a formula to a spreadsheet, and `read_table` takes
    them back unchanged."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: guard_cell(cell) for name, cell in row.items()})
    return file.getvalue()


def _find_delimiter(written: str, columns: Sequence[str]) -> tuple[str, int, str]:
    """The table without what stands above it, how many lines that were, and its delimiter."""
    body = written.removeprefix("\ufeff").lstrip("\r\n")
    above = _count_lines(written) - _count_lines(body)
    if found := _SEPARATOR_LINE.match(body):
        return body[found.end() :], above + 1, found[1]
    first = next((line for line in body.splitlines() if line.strip(f'{_DELIMITERS}" ')), None)
    if first is None:
        return "", above, ","

    def known(delimiter: str) -> int:
        names = next(csv.reader([first], delimiter=delimiter), [])
        return sum(_column(name) in columns for name in names)

    return body, above, max(_DELIMITERS, key=known)


def _count_lines(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))


def _column(heading: str) -> str:
    """A heading as the columns are called: in small letters, joined by underscores."""
    return re.sub(r"[\s_-]+", "_", clean_value(heading).casefold())


def _headings(written: Sequence[str], source: str, columns: Sequence[str]) -> list[str]:
    names = [_column(name) if _column(name) in columns else clean_value(name) for name in written]
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ConfigurationError(f"{source}: two columns are headed {twice[0]!r}; keep one.")
    if unknown := [name[:_LONGEST_SHOWN] for name in names if name and name not in columns]:
        raise ConfigurationError(
            "\n".join(
                f"{source}, headings: {name}: {describe_unknown_field(name, columns)}"
                for name in unknown[:_MOST_NAMED]
            )
        )
    return names


def _row(place: str, headings: Sequence[str], cells: Sequence[str]) -> Row:
    named, problem = dict[str, str](), ""
    for heading, cell in zip_longest(headings, cells, fillvalue=""):
        if heading:
            named[heading] = restore_cell(cell)
        elif cell:
            problem = "(no heading): the row has more cells than headings."
    return Row(place, named, problem)
