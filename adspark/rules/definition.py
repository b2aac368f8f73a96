"""What a file of rules holds; every rule is optional."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from adspark.rules.copy_lines import Field as AdField
from adspark.rules.languages import known_languages
from adspark.rules.matching.phrases import MOST_WORDS_OF_CLAIM, check_phrase
from adspark.rules.sizes import clean_size
from adspark.rules.surfaces import GOOGLES_LIMITS, Surface
from adspark.text.visible import visible
from adspark.validation.bounds import Range
from adspark.validation.near_names import describe_unknown

MOST_PHRASES = 200
"""Of one list."""

LONGEST_PHRASE = 200
"""Characters."""

CHARACTERS = Range(1, 1000)
TOO_CLOSE = Range(0.001, 1)


class DisclaimerPlace(StrEnum):
    """Where a disclaimer has to stand."""

    COPY = "copy"
    PICTURE = "picture"
    EITHER = "either"


def _as_list(value: object) -> object:
    """One value stands for a list of it."""
    return [value] if isinstance(value, str | int | float) else value


def _check_phrase(written: str) -> str:
    kept = " ".join(visible(written).split())
    if len(kept) > LONGEST_PHRASE:
        raise _mistake(f"has {len(kept)} characters; shorten it to {LONGEST_PHRASE}")
    if problem := check_phrase(kept):
        raise _mistake(problem)
    return kept


def _check_claim(written: str) -> str:
    if problem := check_phrase(written, most=MOST_WORDS_OF_CLAIM):
        raise _mistake(problem)
    return written


def _check_size(written: str) -> str:
    if size := clean_size(written.strip()):
        return size
    raise _mistake(f"{written[:40]!r} is no size; write pixels as 1200x628, or a ratio as 1.91:1")


def _check_language(written: str) -> str:
    code = written.strip().lower()
    known = known_languages()
    if code in known:
        return code
    unknown = f"{written[:40]!r} is no language that is known; write its two letters, as en or de"
    raise _mistake(describe_unknown(unknown, code, known))


def _mistake(problem: str) -> PydanticCustomError:
    return PydanticCustomError("mistake", "{problem}", {"problem": problem})


def _name_surfaces(value: object) -> object:
    """A list of surfaces stands for Google's limits on each."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict.fromkeys(value, None)
    return value


def _fill_limits(value: object) -> object:
    """Google's limits for what is not named."""
    return {} if value is None else value


def _check_given(value: object) -> object:
    if value is None:
        raise _mistake("is empty; write a number from 0.001 to 1, or remove it")
    return value


_Text = Annotated[str, BeforeValidator(lambda one: str(one) if type(one) in (int, float) else one)]
_Phrase = Annotated[_Text, AfterValidator(_check_phrase)]
Phrases = Annotated[
    list[_Phrase],
    BeforeValidator(_as_list),
    Field(max_length=MOST_PHRASES),
]
Claims = Annotated[
    list[Annotated[_Phrase, AfterValidator(_check_claim)]],
    BeforeValidator(_as_list),
    Field(max_length=MOST_PHRASES),
]
Limits = Annotated[dict[AdField, Annotated[int, CHARACTERS]], BeforeValidator(_fill_limits)]


class Rules(BaseModel):
    """The rules of a file, or those in force for a user; an empty list is no rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    banned_words: Phrases = []
    banned_claims: Claims = []
    disclaimers: Phrases = []
    disclaimer_place: DisclaimerPlace = DisclaimerPlace.EITHER
    tone_words: Phrases = []
    off_tone_words: Phrases = []
    surfaces: Annotated[dict[Surface, Limits], BeforeValidator(_name_surfaces)] = {}
    picture_sizes: Annotated[
        list[Annotated[_Text, AfterValidator(_check_size)]],
        BeforeValidator(_as_list),
        Field(max_length=50),
    ] = []
    competitor_names: Phrases = []
    competitor_marks: Phrases = []
    languages: Annotated[
        list[Annotated[_Text, AfterValidator(_check_language)]],
        BeforeValidator(_as_list),
        Field(max_length=20),
    ] = []
    too_close: Annotated[Annotated[float, TOO_CLOSE] | None, BeforeValidator(_check_given)] = None

    @property
    def given(self) -> list[str]:
        """The names of the rules that there are."""
        return list(self.model_dump(exclude_defaults=True, exclude={"disclaimer_place"}))

    @property
    def looks_at_picture_words(self) -> bool:
        """Whether a rule is about words on the picture."""
        has_disclaimer = self.disclaimers and self.disclaimer_place is not DisclaimerPlace.COPY
        return bool(
            self.banned_words
            or self.banned_claims
            or self.competitor_names
            or self.competitor_marks
            or self.languages
            or has_disclaimer
        )

    def limits_of(self, surface: Surface) -> dict[AdField, int]:
        """Characters of each field on a surface, Google's where the rules name none."""
        return GOOGLES_LIMITS[surface] | self.surfaces[surface]
