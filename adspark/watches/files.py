"""Watches as files that people edit: YAML with a list `watches:`, or CSV with a line a watch."""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import yaml

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.serpapi.regions import region_short
from adspark.validation.names import clean_value
from adspark.validation.near_names import describe_unknown
from adspark.watches.csv_files import Row, decode_table, read_table, write_table
from adspark.watches.definition import WatchDefinition, WatchFields, change_definition

_COLUMNS = ("name", *(field for field in WatchDefinition.model_fields if field != "name"))
# Also as spreadsheets of other languages save a cell that holds TRUE or FALSE.
_YES = {"true", "yes", "y", "on", "1", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"}
_NO = {"false", "no", "n", "off", "0", "falsch", "faux", "falso", "onwaar"}
_WHOLE = re.compile(r"(\d+)[.,]0{1,2}")  # 60.0: a whole number as spreadsheets save it
_GROUPED = re.compile(
    r"\d{1,3}(?:( )\d{3}(?: \d{3})*|(\.)\d{3}(?:\.\d{3})*(?:,0+)|(,)\d{3}(?:,\d{3})*(?:\.0+))"
)
_EITHER = re.compile(r"\d{1,3}([.,]\d{3})+")  # 1.000: a thousand in some countries, one in others
_TOP = "watches"
_MOST_MISTAKES = 20  # of a file that an error names; it counts the others


class WatchFormat(StrEnum):
    """How watches are written."""

    YAML = "yaml"
    CSV = "csv"


class _Loader(yaml.SafeLoader):
    """YAML whose every value is text as written, but for null: `region: NO` is Norway, not false,
    and `region: 2840` keeps its zeros."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (as the base class has it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith(":null")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node that is written out; a few lines of aliases can stand for billions of values."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = "aliases (*name) are not read; write the value out"
            raise yaml.composer.ComposerError(None, None, problem, mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping in which no field may stand twice."""
        fields = set()
        for key, _ in node.value:
            plain = isinstance(key, yaml.ScalarNode) and key.value
            if not plain or plain in fields:
                problem = f"{plain} stands there twice" if plain else "a field's name is not plain"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            fields.add(plain)
        return super().construct_mapping(node, deep)


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
    rows = _read_yaml(written, source) if is_yaml else read_table(written, source, _COLUMNS)
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
        return yaml.safe_dump({_TOP: rows}, sort_keys=False, allow_unicode=True, width=1000)
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


def _read_yaml(written: str, source: str) -> Iterator[Row]:
    try:
        document = yaml.load(written, _Loader)  # noqa: S506  (a SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", "too deep")
        raise ConfigurationError(f"{source}{line}: is not YAML ({problem}); correct it.") from None
    if document is None:
        raise ConfigurationError(
            f"{source}: is empty; write the watches as a list below {_TOP}: at the top."
        )
    if not isinstance(document, dict) or not isinstance(document.get(_TOP), list):
        raise ConfigurationError(f"{source}: write the watches as a list below {_TOP}: at the top.")
    if unknown := [str(name) for name in document if name != _TOP]:
        raise ConfigurationError(f"{source}: only {_TOP}: is known at the top, not {unknown[0]!r}.")
    for number, cells in enumerate(document[_TOP], start=1):
        place = f"row {number}"
        if isinstance(cells, dict):
            yield Row(place, cells)
        else:
            yield Row(place, {}, "is not a watch; write its fields as name: value.")


def _parse(row: Row) -> tuple[WatchDefinition | None, list[str], list[str]]:
    """The definition in a row and warnings, or None and what is wrong with it."""
    fields: dict[str, object] = {}
    problems = [row.problem] if row.problem else []
    for field, value in row.cells.items():
        try:
            if field not in _COLUMNS:
                has_no = f"there is no such field; known are {', '.join(_COLUMNS)}."
                raise InvalidQueryError(str(field), describe_unknown(has_no, str(field), _COLUMNS))
            if value is not None and value != "":
                fields[field] = _reader(field)(field, value)
        except InvalidQueryError as error:
            problems.append(str(error))
    if not problems:
        try:
            return *change_definition(None, cast("WatchFields", fields)), []
        except InvalidQueryError as error:
            problems.append(str(error))
    return None, [], problems


def _reader(field: str) -> Callable[[str, object], object]:
    kind = WatchDefinition.model_fields[field].annotation
    if kind in (int, int | None):
        return _number
    readers = {"name": _text, "region": _region, "advertiser_ids": _ids}
    return _flag if kind is bool else readers.get(field, _value)


def _ids(field: str, value: object) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    return [one for part in parts for one in re.split(r"[\s,;]+", _value(field, part)) if one]


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidQueryError(field, "holds a list or a mapping; write one value.")
    return value


def _value(field: str, value: object) -> str:
    """A text that is no name, in which nothing hides."""
    return clean_value(_text(field, value))


def _region(field: str, value: object) -> str:
    """A region; its code may have become a number in a spreadsheet."""
    written = _value(field, value)
    whole = _WHOLE.fullmatch(written)
    return whole[1] if whole else written


def _number(field: str, value: object) -> int:
    written = _value(field, value)
    if whole := _WHOLE.fullmatch(written):
        return int(whole[1])
    if _GROUPED.fullmatch(written):
        return int(re.sub(r"[.,]0+$|[ .,]", "", written.replace(" ", "")))
    if _EITHER.fullmatch(written):
        raise InvalidQueryError(
            field,
            f"{written!r} is one number in some countries and another in others; write it without "
            "separators.",
        )
    try:
        return int(written)
    except ValueError:
        raise InvalidQueryError(field, f"{written!r} is not a whole number.") from None


def _flag(field: str, value: object) -> bool:
    written = _value(field, value).casefold()
    if whole := _WHOLE.fullmatch(written):
        written = whole[1]
    if written in _YES | _NO:
        return written in _YES
    raise InvalidQueryError(field, f"{value!r} is neither yes nor no; write one of them.")
