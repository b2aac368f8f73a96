"""How the tables of a database differ from the models, in words."""

from collections.abc import Sequence
from typing import Any

_KINDS = {
    "column": "column",
    "constraint": "constraint",
    "fk": "foreign key",
    "index": "index",
    "table": "table",
}


def describe_difference(difference: Sequence[Any]) -> list[str]:
    """A difference as Alembic's `compare_metadata` gives it: of a column a list of changes, else
    what would be done to the tables and to what."""
    if isinstance(difference, list):
        return [_describe_change(*change) for change in difference]
    act, *where, item = difference
    verb, _, kind = act.partition("_")
    table = where[-1] if kind == "column" else getattr(getattr(item, "table", None), "name", None)
    name = f"{_KINDS.get(kind, kind)} {item.name}" + (f" of table {table}" if table else "")
    return [f"{name} is missing" if verb == "add" else f"{name} is not AdSpark's"]


def _describe_change(
    act: str, _: object, table: str, column: str, __: object, there: object, expected: object
) -> str:
    name = f"column {column} of table {table}"
    if act == "modify_nullable":
        return f"{name} {'may' if there else 'may not'} be NULL"
    return f"{name} has another {act.partition('_')[2]}: {there!s}, not {expected!s}"
