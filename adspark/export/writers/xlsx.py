"""Ads as XLSX: a heading that stays, times as times, no formulas, and a thumbnail in each row.

Limits: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3: 32,767 characters
of a cell, and days from 1900 to 9999; a time beyond those is a text.

A sheet holds 1,048,576 rows; what is more goes on in the next one. Rows are not kept in memory;
what is known of each thumbnail is, by the library, so they are only of the first ads.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from adspark.concurrency import in_thread
from adspark.export.columns import COLUMNS, Column, Kind
from adspark.export.reading import Values
from adspark.export.writers.thumbnails import HEIGHT, MOST_THUMBNAILS, ThumbnailSource
from adspark.text.counts import counted
from adspark.text.visible import blank_controls, drop_hidden

ROWS = 1_048_576
"""That a sheet holds, its heading among them."""

_LONGEST = 32_767  # characters of a cell, counted as UTF-16 does
_FIRST_MOMENT = datetime(1900, 3, 1, tzinfo=UTC)  # Excel counts a 29 February before it
_LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_WIDTHS = {
    Kind.TEXT: 24,
    Kind.TEXTS: 16,
    Kind.NUMBER: 9,
    Kind.SHARE: 9,
    Kind.MOMENT: 17,
    Kind.FLAG: 9,
}
_PICTURE_WIDTH = 16
_MARGIN = 4  # pixels
_POINTS = 0.75  # of a pixel
_OPTIONS = {"constant_memory": True, "remove_timezone": True, "use_zip64": True}


class XlsxWriter:
    """Writes rows of all columns, and behind them the thumbnail's path and its picture's size.

    Args:
        file: is written over.
        scratch: a folder for what is put together at the end.
        thumbnails: where they come from.
        sheet_rows: of a sheet at most, its heading among them.

    Attributes:
        notes: what the file does not hold; whole once it is closed.
    """

    def __init__(
        self, file: Path, scratch: Path, thumbnails: ThumbnailSource, *, sheet_rows: int = ROWS
    ) -> None:
        self._book = Workbook(str(file), {**_OPTIONS, "tmpdir": str(scratch)})
        self._thumbnails = thumbnails
        self._sheet_rows = sheet_rows
        self._bold = self._book.add_format({"bold": True})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._cut: Counter[str] = Counter()  # cells, by column
        self.notes: list[str] = []
        self._sheets = 0
        self._begin_sheet()

    async def write(self, rows: Sequence[Values]) -> None:
        pictures = await self._thumbnails.fetch([row[len(COLUMNS) :] for row in rows])
        await in_thread(self._add, rows, pictures)

    async def close(self) -> None:
        if self._thumbnails.count >= MOST_THUMBNAILS:
            self.notes.append(
                f"Thumbnails are of the first {MOST_THUMBNAILS:,} ads that have a picture."
            )
        if self._cut:
            cut = ", ".join(
                f"{counted(number, 'cell')} of {name}" for name, number in self._cut.items()
            )
            self.notes.append(
                f"A cell holds {_LONGEST:,} characters, to which these were cut: {cut}. The other "
                "formats have them whole."
            )
        try:
            await in_thread(self._book.close)
        except FileCreateError as error:
            raise error.args[0] from None

    def discard(self) -> None:
        self._book.fileclosed = True  # or it would be written when it is collected
        for sheet in self._book.worksheets():
            with suppress(OSError):
                sheet._opt_close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(
            "Ads" if self._sheets == 1 else f"Ads {self._sheets}"
        )
        self._sheet.freeze_panes(1, 2)
        self._sheet.set_column(0, 0, _PICTURE_WIDTH)
        self._sheet.write_string(0, 0, "thumbnail", self._bold)
        for place, one in enumerate(COLUMNS, 1):
            self._sheet.set_column(place, place, _WIDTHS[one.kind])
            self._sheet.write_string(0, place, one.name, self._bold)
        self._row = 1

    def _add(self, rows: Sequence[Values], pictures: Sequence[Path | None]) -> None:
        for row, picture in zip(rows, pictures, strict=True):
            if self._row == self._sheet_rows:
                self._begin_sheet()
            if picture is not None:
                self._sheet.set_row(self._row, (HEIGHT + 2 * _MARGIN) * _POINTS)
                self._sheet.insert_image(
                    self._row,
                    0,
                    str(picture),
                    {"x_offset": _MARGIN, "y_offset": _MARGIN, "object_position": 1},
                )
            for place, (one, value) in enumerate(zip(COLUMNS, row, strict=False), 1):
                if value is not None:
                    self._write_cell(place, one, value)
            self._row += 1

    def _write_cell(self, place: int, column: Column, value: Any) -> None:  # noqa: ANN401
        match column.kind:
            case Kind.NUMBER | Kind.SHARE:
                self._sheet.write_number(self._row, place, value)
            case Kind.FLAG:
                self._sheet.write_boolean(self._row, place, value)
            case Kind.MOMENT if _FIRST_MOMENT <= value <= _LAST_MOMENT:
                self._sheet.write_datetime(self._row, place, value, self._moment)
            case Kind.MOMENT:
                moment: datetime = value
                self._sheet.write_string(
                    self._row, place, moment.replace(tzinfo=None).isoformat(" ")
                )
            case _:
                text = ", ".join(value) if column.kind is Kind.TEXTS else value
                text = self._fit(blank_controls(drop_hidden(text)), column)
                self._sheet.write_string(self._row, place, text)

    def _fit(self, text: str, column: Column) -> str:
        """The text, cut to what a cell holds; that it was is counted."""
        if 2 * len(text) <= _LONGEST:  # no character takes more than two units of UTF-16
            return text
        kept = text.encode("utf-16-le")[: 2 * _LONGEST].decode("utf-16-le", "ignore")
        if kept != text:
            self._cut[column.name] += 1
        return kept
