"""The pictures that an answer names or encloses, wherever they stand, the likeliest first.

Which of several addresses is the picture nobody says for sure: one may be the page that the ad
leads to. So they are listed in order, and whoever fetches them takes the first that is a picture.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pydantic import JsonValue

from adspark.generators.answers.addresses import (
    Candidate,
    Likelihood,
    find_picture,
    find_picture_in_line,
    is_surely_picture,
    judge_address,
)
from adspark.generators.answers.embedded_json import find_json
from adspark.generators.answers.names import (
    is_other_type,
    is_picture_file,
    is_sure_picture_name,
    rank_of_picture,
)
from adspark.generators.answers.reasoning import without_reasoning
from adspark.generators.answers.text_images import (
    MOST_CHARACTERS,
    cut_words,
    find_base64,
    find_images,
    unescape_address,
)

_MOST_PICTURES = 4  # addresses of one answer, of which the first that gives a picture is taken
_DEEPEST = 6  # levels of lists and objects
_MOST_VALUES = 5000  # that are looked at
_LONGEST_READ = 500_000  # characters of a text that may be more than pictures
_ADDRESS_IN_WORDS = re.compile(r"""https?://[^\s<>"'`()\[\]{}|\\]{1,2000}""", re.IGNORECASE)


def list_pictures(values: Iterable[JsonValue], *, named: Iterable[JsonValue] = ()) -> list[str]:
    """The addresses of pictures in some values, at most four, the likeliest first, each once.

    What is found in `named`, where a picture should be, comes first.
    """
    groups = [
        list(_Search().in_values(list(named), Likelihood.NAMED)),
        list(_Search().in_values(list(values), Likelihood.UNKNOWN)),
    ]
    found = [one for group in groups for one in sorted(group, key=lambda one: -one.likelihood)]
    found.sort(key=lambda one: one.likelihood is Likelihood.PAGE)
    return list(dict.fromkeys(one.address for one in found))[:_MOST_PICTURES]


class _Search:
    """Looks through values, up to a number of them and of their characters."""

    def __init__(self) -> None:
        self._values_left = _MOST_VALUES
        self._characters_left = MOST_CHARACTERS

    def in_values(
        self, values: Sequence[JsonValue], least: Likelihood, depth: int = 0
    ) -> Iterator[Candidate]:
        if depth > _DEEPEST:
            return
        for value in values:
            self._values_left -= 1
            if self._values_left < 0:
                return
            if isinstance(value, str):
                yield from self._in_text(value, least, depth)
            elif isinstance(value, list):  # of whose values one may be a picture, another a page
                yield from self.in_values(value, min(least, Likelihood.UNKNOWN), depth + 1)
            elif isinstance(value, dict) and not is_other_type(value):
                yield from self._in_object(value, depth)

    def _in_object(self, given: dict[str, JsonValue], depth: int) -> Iterator[Candidate]:
        ranks = {name: rank for name in given if (rank := rank_of_picture(name)) is not None}
        is_file = is_picture_file({name.lower(): value for name, value in given.items()})
        for name in sorted(ranks, key=lambda one: ranks[one]):
            least = Likelihood.NAMED if is_sure_picture_name(name) else Likelihood.UNKNOWN
            least = Likelihood.SURE if is_file else least
            yield from self.in_values([given[name]], least, depth + 1)
        rest = [value for name, value in given.items() if name not in ranks]
        nested = [one for one in rest if isinstance(one, dict | list)]
        yield from self.in_values(nested, Likelihood.UNKNOWN, depth + 1)
        loose = [one for one in rest if isinstance(one, str) and is_surely_picture(one)]
        yield from self.in_values(loose, Likelihood.UNKNOWN, depth + 1)

    def _in_text(self, text: str, least: Likelihood, depth: int) -> Iterator[Candidate]:
        """The text as a whole, else what is within: images, base64, lines, JSON or words."""
        if (whole := find_picture(text, least)) is not None:
            yield whole
            return
        text, length = cut_words(text, self._characters_left)
        self._characters_left -= length
        is_short = len(text) <= _LONGEST_READ
        text = without_reasoning(text) if is_short else text
        images = (find_picture(one.address, Likelihood.NAMED) for one in find_images(text))
        base64 = (find_picture(text[slice(*one)], Likelihood.SURE) for one in find_base64(text))
        lines = map(find_picture_in_line, islice(io.StringIO(text), _MOST_VALUES))
        for found in (images, base64, lines):
            yield from filter(None, found)
        embedded = None
        if is_short or text.startswith(("{", "[")):
            embedded = find_json(text, lambda _: True)  # as a code node gives a list as text
        if embedded is not None:
            yield from self.in_values([embedded.value], least, depth + 1)
        else:
            yield from _in_words(text)


def _in_words(text: str) -> Iterator[Candidate]:
    """Addresses among words that end like a picture's."""
    for found in islice(_ADDRESS_IN_WORDS.finditer(text), _MOST_VALUES):
        address = unescape_address(found[0].rstrip(".,;:!?*_"))
        if judge_address(address) is Likelihood.SURE:
            yield Candidate(address, Likelihood.UNKNOWN)
