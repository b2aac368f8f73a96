"""Files of rules: YAML that people write, read with the line of every mistake."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from adspark.errors import ConfigurationError
from adspark.rules.conflicts import find_conflicts
from adspark.rules.copy_lines import Field
from adspark.rules.definition import Rules
from adspark.rules.surfaces import Surface
from adspark.text.sentences import with_full_stop
from adspark.text.storable import UNSTORABLE
from adspark.validation.messages import describe_validation_error
from adspark.validation.near_names import describe_unknown

LARGEST = 65_536
"""Bytes of a file."""

_MOST_MISTAKES = 20  # that an error names; it counts the others
_DEEPEST = 5  # levels of lists and mappings; rules have three
_EXAMPLES = {
    "disclaimer_place": "disclaimer_place: copy",
    "surfaces": "surfaces: {responsive_search: {headline: 30, description: 90, path: 15}}",
    "picture_sizes": "picture_sizes: [1200x628, '1:1']",
    "languages": "languages: [en, de]",
    "too_close": "too_close: 0.8",
}
_PHRASE_EXAMPLE = "{field}: [first phrase, second phrase]"
_NULL = "tag:yaml.org,2002:null"

Place = tuple[str | int, ...]


def read_rule_file(path: Path) -> tuple[str, Rules]:
    """The text of a file, and the rules in it; as `read_rules`, also where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ConfigurationError(
                f"{path}: has more than {LARGEST // 1024} KB; shorten it, or split it by user."
            )
        written = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{path}, line {line}: is not UTF-8; save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name another file.") from None
    return written, read_rules(written, source=str(path))


def read_rules(written: str, *, source: str) -> Rules:
    """The rules in YAML, all of it checked; `{}` holds none, and errors call it `source`.

    Raises:
        ConfigurationError: names source, line, field and remedy of every mistake, a line each.
    """
    rules, found = _check(written, takes_last=False)
    if rules is None:
        # Of what stands there twice, the other one may be wrong too.
        mistakes = sorted({*found, *_check(written, takes_last=True)[1]})
        lines = [f"{source}, line {line}: {with_full_stop(said)}" for line, said in mistakes]
        if len(lines) > _MOST_MISTAKES:
            lines[_MOST_MISTAKES:] = [f"… and {len(lines) - _MOST_MISTAKES} more."]
        raise ConfigurationError("\n".join(lines))
    return rules


Mistake = tuple[int, str]
"""The line of a mistake, and what is wrong, with the remedy."""


def _check(written: str, *, takes_last: bool) -> tuple[Rules | None, list[Mistake]]:
    """The rules in YAML, or None, and all that is wrong with it; `takes_last` is `_Reader`'s."""
    reader = _Reader(takes_last=takes_last)
    rules = None
    try:
        values = reader.read(written)
    except _FileError as error:
        return None, [(error.line, str(error))]
    try:
        rules = Rules.model_validate(values)
    except ValidationError as error:
        wrong = {place[0] for place in (one["loc"] for one in error.errors()) if place}
        for one in error.errors(include_url=False):
            place = one["loc"]
            said = f"{_name(place)}: {_describe(place, one)}"
            reader.mistakes.append((reader.line_of(place), said))
        rules = Rules.model_validate({k: v for k, v in values.items() if k not in wrong})
    for place, problem in find_conflicts(rules):
        reader.mistakes.append((reader.line_of(place), f"{_name(place)}: {problem}"))
    return None if reader.mistakes else rules, reader.mistakes


class _FileError(Exception):
    """The text is no YAML of rules; says what to do."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Reader:
    """Reads values from YAML, every one of them as the text that is written, and their lines.

    Texts, because YAML takes `no` in `languages: [no]` for false and `1:1` for 61.

    Args:
        takes_last: of what stands there twice, the last one is read; else the first.

    Attributes:
        mistakes: with which it could still be read on.
    """

    def __init__(self, *, takes_last: bool) -> None:
        self._takes_last = takes_last
        self._lines: dict[Place, int] = {(): 1}
        self.mistakes: list[Mistake] = []

    def line_of(self, place: Place) -> int:
        """The line of a value; that of what it stands in where it is missing."""
        known = place
        while known not in self._lines:
            known = known[:-1]
        return self._lines[known]

    def read(self, written: str) -> dict[str, object]:
        """The values; raises _FileError."""
        if found := UNSTORABLE.search(written):
            line = written.count("\n", 0, found.start()) + 1
            raise _FileError(line, "holds a NUL or half a character; remove it.")
        try:
            node = _compose(written)
        except RecursionError:
            raise _FileError(
                1, "is nested too deeply; write the rules as in the example."
            ) from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or getattr(error, "reason", "unreadable")
            raise _FileError(
                mark.line + 1 if mark else 1,
                f"is not YAML ({problem}); correct it, or put quotes around the text.",
            ) from None
        if node is None:
            raise _FileError(1, "holds no rules; write one, or {} for none.")
        if not isinstance(node, yaml.MappingNode):
            raise _FileError(
                _line(node), "is no mapping of rules; write each as name: value, a line each."
            )
        self._lines[()] = _line(node)
        return self._read_mapping(node, ())

    def _read(self, node: yaml.Node, place: Place) -> object:
        self._lines.setdefault(place, _line(node))
        if len(place) > _DEEPEST:
            raise _FileError(_line(node), f"{_name(place)}: is nested too deeply; write it flat.")
        if isinstance(node, yaml.SequenceNode):
            return [self._read(one, (*place, at)) for at, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, place)
        return None if node.tag == _NULL else str(node.value)

    def _read_mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                said = "has a name that is no text; write name: value"
                self.mistakes.append((_line(key), said))
                continue
            name = str(key.value)
            inside = (*place, name)
            if name in found:
                said = f"{_name(inside)}: stands there twice; remove one"
                self.mistakes.append((_line(key), said))
                if not self._takes_last:
                    continue
                depth = len(inside)
                self._lines = {k: v for k, v in self._lines.items() if k[:depth] != inside}
            self._lines[inside] = _line(key)
            found[name] = self._read(value, inside)
        return found


class _Composer(yaml.SafeLoader):
    """YAML without aliases, a few lines of which can stand for billions of values, and without
    tags, which would say of a text that it is none."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            what = "aliases (*name)" if isinstance(event, yaml.AliasEvent) else "tags (!name)"
            problem, mark = f"{what} are not read", event.start_mark
            raise yaml.composer.ComposerError(None, None, problem, mark)
        return super().compose_node(parent, index)


def _compose(written: str) -> yaml.Node | None:
    loader = _Composer(written)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _name(place: Sequence[str | int]) -> str:
    """A place as people say it, as `banned_words, entry 2` or `surfaces.display`."""
    names = ".".join(str(one)[:60] for one in place if isinstance(one, str) and one != "[key]")
    entries = [one + 1 for one in place if isinstance(one, int)]
    return names + "".join(f", entry {one}" for one in entries)


def _describe(place: Place, error: Mapping[str, Any]) -> str:
    """What is wrong with a value, with the remedy."""
    if error["type"] == "extra_forbidden":
        return _describe_unknown(str(place[-1]), list(Rules.model_fields), "there is no such rule")
    if place[-1] == "[key]":
        known = [one.value for one in (Surface if len(place) == 3 else Field)]
        kind = "surface" if len(place) == 3 else "field"
        return _describe_unknown(str(place[-2]), known, f"there is no such {kind}")
    said = describe_validation_error(error)
    if error["type"] == "mistake":
        return said
    if error["input"] is None:
        said = "is empty"
    return f"{said}; write it as {_example(str(place[0]))}"


def _describe_unknown(written: str, known: Sequence[str], said: str) -> str:
    listed = f"{said}; known are {', '.join(known)}"
    return describe_unknown(said, written, known, otherwise=listed.removeprefix(said))


def _example(field: str) -> str:
    return _EXAMPLES.get(field) or _PHRASE_EXAMPLE.format(field=field)
