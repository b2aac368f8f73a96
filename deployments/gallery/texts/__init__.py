"""What the pages say, in a file of their language, and how a template takes a text from it."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any


class Texts:
    """The texts, by the names of their table and of the text: `library.empty`."""

    language = "en"
    """Of the file in this folder; a page names it."""

    def __init__(self) -> None:
        written = resources.files(__package__).joinpath(f"{self.language}.toml").read_text("utf-8")
        self._texts = dict(_flat(tomllib.loads(written)))

    def __call__(self, name: str, /, **values: object) -> str:
        """The text, with the values in the places that it names.

        Raises:
            KeyError: there is no such text, or no value for one of its places.
        """
        return self._texts[name].format(**values)

    def counted(self, name: str, number: int, /, **values: object) -> str:
        """The text `name.one` or `name.other`, by the number, which it may name as `number`."""
        form = "one" if number == 1 else "other"
        return self(f"{name}.{form}", number=f"{number:,}", **values)


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", str(value)
