"""Watches as files that people edit: YAML with a list `watches:`, or CSV with a line a watch."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, cast

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.models import DEFAULT_USER
from adspark.serpapi.regions import region_short
from adspark.validation.bounds import ID
from adspark.validation.names import check_name
from adspark.watches.definition import CLEARABLE, WatchDefinition, WatchFields
from adspark.watches.files.cells import reader_of
from adspark.watches.files.csv_table import (
    Row,
    decode_table,
    describe_unknown_field,
    read_table,
    write_table,
)
from adspark.watches.files.yaml_list import read_list, write_list

_COLUMNS = ("name", *(field for field in WatchDefinition.model_fields if field != "name"))
_DEFAULTS = {
    field: info.default
    for field, info in WatchDefinition.model_fields.items()
    if not info.is_required()
}
_EMPTY: tuple[object, ...] = (None, "", [])
_MOST_MISTAKES = 20  # of a file that an error names; it counts the others


class WatchFormat(StrEnum):
    """How watches are written."""

    YAML = "yaml"
    CSV = "csv"


def format_of(path: Path) -> WatchFormat:
    """The format by the end of a file's name; ConfigurationError for one that is not known."""
    suffix = path.suffix.lower()
    if suffix in {".yaml", ".yml"}:
        return WatchFormat.YAML
    if suffix == ".csv":
        return WatchFormat.CSV
    raise ConfigurationError(f"{path}: give the file a name that ends in .yaml, .yml or .csv.")


class WatchEntry(NamedTuple):
    """What a file says of one watch; a field that is in neither part is not in the file.

    Attributes:
        row: its place among the rows, from 1.
        called: file, row and name, before what is said of it.
        fields: that hold something; name and user always do.
        clear: that are there and empty, and may be.
    """

    row: int
    called: str
    fields: WatchFields
    clear: list[str]

    @property
    def key(self) -> tuple[int, str]:
        """User and name, by which a watch is found."""
        return self.fields["user_id"] or DEFAULT_USER, self.fields["name"] or ""


class WatchFile(NamedTuple):
    """The watches of a file whose rows can be read, and its mistakes, each with its row."""

    entries: list[WatchEntry]
    mistakes: list[tuple[int, str]]


def read_watch_file(path: Path) -> WatchFile:
    """The watches of a file; as `read_watches`, also where it cannot be read."""
    form = format_of(path)
    try:
        written = decode_table(path.read_bytes())
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name another file.") from None
    return read_watches(written, form=form, source=str(path))


def read_watches(written: str, *, form: WatchFormat, source: str) -> WatchFile:
    """The watches in a text, every cell of them checked, with the mistakes of all rows.

    Whether a row makes a watch is known once it is merged with the one that is stored.

    Args:
        written: the text.
        form: its format.
        source: what to call it, in errors and warnings.
    """
    file = WatchFile([], [])
    places: dict[tuple[int, str], str] = {}
    is_yaml = form is WatchFormat.YAML
    rows = read_list(written, source) if is_yaml else read_table(written, source, _COLUMNS)
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            named = f", watch {str(row.cells.get('name') or '')!r}" if row.cells else ""
            called = f"{source}, {row.place}{named}: "
            fields, clear, problems = _parse(row)
            if problems:
                file.mistakes.extend((number, called + problem) for problem in problems)
                continue
            entry = WatchEntry(number, called, fields, clear)
            if entry.key in places:
                said = f"{called}name: is in {places[entry.key]} already; leave one out."
                file.mistakes.append((number, said))
                continue
            places[entry.key] = row.place
            file.entries.append(entry)
    except ConfigurationError as error:  # what follows cannot be read
        file.mistakes.append((number + 1, str(error)))
    return file


def check_mistakes(mistakes: Iterable[tuple[int, str]]) -> None:
    """Raise ConfigurationError where a file has mistakes: a line for each, by their rows.

    Each names source, row, watch, field and remedy.
    """
    lines = [said for _, said in sorted(mistakes, key=itemgetter(0))]
    if len(lines) > _MOST_MISTAKES:
        lines[_MOST_MISTAKES:] = [f"… and {len(lines) - _MOST_MISTAKES} more."]
    if lines:
        raise ConfigurationError("\n".join(lines))


def write_watches(definitions: Sequence[WatchDefinition], *, form: WatchFormat) -> str:
    """The watches as a text that restores them: every field is in it, empty where it is none."""
    rows = [_written(one.model_dump(mode="json")) for one in definitions]
    if form is WatchFormat.YAML:
        return write_list(
            {field: None if row[field] in _EMPTY else row[field] for field in _COLUMNS}
            for row in rows
        )
    cells = [{field: _cell(value) for field, value in row.items()} for row in rows]
    return write_table(cells, columns=_COLUMNS)


def _written(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its region as people write it."""
    if row.get("region"):
        row["region"] = region_short(str(row["region"]))
    return row


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _parse(row: Row) -> tuple[WatchFields, list[str], list[str]]:
    """The fields in a row, those that it empties, and what is wrong with its cells."""
    fields: dict[str, object] = {"user_id": DEFAULT_USER, "name": ""}
    clear: list[str] = []
    problems = [row.problem] if row.problem else []
    for field, written in row.cells.items():
        try:
            if field not in _COLUMNS:
                raise InvalidQueryError(str(field), describe_unknown_field(str(field), _COLUMNS))
            value = None if written in _EMPTY else reader_of(field)(field, written)
            if value not in _EMPTY:
                fields[field] = value
            elif field in CLEARABLE:
                clear.append(field)
            elif field in _DEFAULTS:
                fields[field] = _DEFAULTS[field]
        except InvalidQueryError as error:
            problems.append(str(error))
    return cast("WatchFields", fields), clear, problems or _check_key(fields)


def _check_key(fields: dict[str, object]) -> list[str]:
    """What is wrong with the user and the name of a row; the name is put in as it is kept."""
    try:
        ID.check("user_id", fields["user_id"])
        fields["name"] = check_name(str(fields["name"] or ""), "watch")
    except InvalidQueryError as error:
        return [str(error)]
    return []
