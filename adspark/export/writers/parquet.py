"""Ads as Parquet: typed columns, times in UTC, several texts as lists. Wants the extra `export`."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetWriter as ArrowWriter

from adspark.concurrency import in_thread
from adspark.export.columns import COLUMNS, Kind
from adspark.export.reading import Values

_GROUP = 10_000  # rows that are compressed together, and kept in memory till then
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.NUMBER: pa.int64(),
    Kind.SHARE: pa.float64(),
    Kind.MOMENT: pa.timestamp("us", tz="UTC"),
    Kind.FLAG: pa.bool_(),
}
_SCHEMA = pa.schema([(one.name, _TYPES[one.kind]) for one in COLUMNS])


class ParquetWriter:
    """Writes rows of all columns."""

    def __init__(self, file: Path) -> None:
        self._output = file.open("wb")
        self._writer = ArrowWriter(self._output, _SCHEMA, compression="zstd")
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0

    async def write(self, rows: Sequence[Values]) -> None:
        await in_thread(self._add, rows)

    async def close(self) -> None:
        await in_thread(self._finish)

    def discard(self) -> None:
        with suppress(OSError):  # it ends the file, which is not wanted any more
            self._writer.close()
        with suppress(OSError):
            self._output.close()

    def _add(self, rows: Sequence[Values]) -> None:
        columns = zip(*rows, strict=True)
        arrays = [pa.array(one, field.type) for one, field in zip(columns, _SCHEMA, strict=True)]
        self._batches.append(pa.record_batch(arrays, schema=_SCHEMA))
        self._rows += len(rows)
        if self._rows >= _GROUP:
            self._write_group()

    def _finish(self) -> None:
        self._write_group()
        self._writer.close()
        self._output.close()

    def _write_group(self) -> None:
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches), row_group_size=_GROUP)
        self._batches, self._rows = [], 0
