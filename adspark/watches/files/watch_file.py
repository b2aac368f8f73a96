"""Watches as files that people edit: YAML with a list `watches:`, or CSV with a line a watch."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.serpapi.regions import region_short
from adspark.watches.definition import WatchDefinition, WatchFields, change_definition
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


def read_watch_file(path: Path) -> tuple[list[WatchDefinition], list[str]]:
    """The watches of a file, and warnings; as `read_watches`, also where it cannot be read."""
    form = format_of(path)
    try:
        written = decode_table(path.read_bytes())
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name another file.") from None
    return read_watches(written, form=form, source=str(path))


def read_watches(
    written: str, *, form: WatchFormat, source: str
) -> tuple[list[WatchDefinition], list[str]]:
    """The watches in a text, every one of them checked, and warnings.

    Args:
        written: the text.
        form: its format.
        source: what to call it, in errors and warnings.

    Raises:
        ConfigurationError: names source, row, watch, field and remedy of every mistake, a line
            each.
    """
    definitions: dict[tuple[int, str], WatchDefinition] = {}
    places: dict[tuple[int, str], str] = {}
    warnings: list[str] = []
    mistakes: list[str] = []
    is_yaml = form is WatchFormat.YAML
    rows = read_list(written, source) if is_yaml else read_table(written, source, _COLUMNS)
    try:
        for row in rows:
            named = f", watch {str(row.cells.get('name') or '')!r}" if row.cells else ""
            called = f"{source}, {row.place}{named}: "
            definition, found, problems = _parse(row)
            if definition is None:
                mistakes += [called + problem for problem in problems]
                continue
            key = definition.user_id, definition.name
            if key in definitions:
                mistakes.append(f"{called}name: is in {places[key]} already; leave one out.")
            definitions[key], places[key] = definition, row.place
            warnings += [called + warning for warning in found]
    except ConfigurationError as error:  # what follows cannot be read
        mistakes.append(str(error))
    if len(mistakes) > _MOST_MISTAKES:
        mistakes[_MOST_MISTAKES:] = [f"… and {len(mistakes) - _MOST_MISTAKES} more."]
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return list(definitions.values()), warnings


def write_watches(definitions: Sequence[WatchDefinition], *, form: WatchFormat) -> str:
    """The watches as a text that `read_watches` understands; YAML leaves out what is default."""
    if form is WatchFormat.YAML:
        plain = [
            _written(one.model_dump(mode="json", exclude_defaults=True)) for one in definitions
        ]
        rows = [{field: row[field] for field in _COLUMNS if field in row} for row in plain]
        return write_list(rows)
    cells = [
        {field: _cell(value) for field, value in _written(one.model_dump(mode="json")).items()}
        for one in definitions
    ]
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


def _parse(row: Row) -> tuple[WatchDefinition | None, list[str], list[str]]:
    """The definition in a row and warnings, or None and what is wrong with it."""
    fields: dict[str, object] = {}
    problems = [row.problem] if row.problem else []
    for field, value in row.cells.items():
        try:
            if field not in _COLUMNS:
                raise InvalidQueryError(str(field), describe_unknown_field(str(field), _COLUMNS))
            if value is not None and value != "":
                fields[field] = reader_of(field)(field, value)
        except InvalidQueryError as error:
            problems.append(str(error))
    if not problems:
        try:
            return *change_definition(None, cast("WatchFields", fields)), []
        except InvalidQueryError as error:
            problems.append(str(error))
    return None, [], problems
