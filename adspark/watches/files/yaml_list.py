"""Watches as YAML: a list below `watches:`, whose values are all text."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import yaml

from adspark.errors import ConfigurationError
from adspark.watches.files.csv_table import Row

_TOP = "watches"


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


def read_list(written: str, source: str) -> Iterator[Row]:
    """The watches of a text in YAML, with their cells; errors call it `source`.

    Raises:
        ConfigurationError: it is no such list; names the line and the remedy.
    """
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


def write_list(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as `read_list` takes them."""
    return yaml.safe_dump({_TOP: list(rows)}, sort_keys=False, allow_unicode=True, width=1000)
