"""The rules, each checked on what it looks at: copy, picture, words on the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from adspark.rules.definition import DisclaimerPlace, Rules
from adspark.rules.languages import judge_language
from adspark.rules.matching.phrases import MOST_BETWEEN, Phrase, Place, find_place, find_places
from adspark.rules.matching.readings import Text, read_text
from adspark.rules.sizes import judge_size
from adspark.rules.surfaces import Surface, count_characters, field_of_copy, split_copy
from adspark.rules.verdicts import Part, Rule, RuleVerdict, Verdict
from adspark.text.counts import counted

_MOST_NAMED = 5  # phrases that a reason names
_NO_COPY = "the variant has no copy"
_NO_PICTURE = "the variant has no picture"
_RULE_OF_SURFACE = {
    Surface.RESPONSIVE_SEARCH: Rule.SEARCH_FIELDS,
    Surface.DISPLAY: Rule.DISPLAY_FIELDS,
}


@dataclass(frozen=True)
class PictureWords:
    """The words that were read from a picture.

    Attributes:
        text: all of them, a line each; None: they were not read.
        unread: why not, or which part of them could not be read; None: all were read.
    """

    text: str | None
    unread: str | None


@dataclass(frozen=True)
class CheckedPicture:
    """What rules look at of a picture; its size is in pixels."""

    width: int
    height: int
    words: PictureWords


@dataclass(frozen=True)
class CheckedAd:
    """What rules look at: copy and picture, where there are any, and how close both are to the
    original, 0 to 1."""

    copy: str | None
    picture: CheckedPicture | None
    similarity: float | None

    @cached_property
    def copy_text(self) -> Text:
        """The copy, as it may be read."""
        return read_text(self.copy or "")

    @cached_property
    def picture_text(self) -> Text:
        """The words of the picture, as they may be read."""
        return read_text((self.picture and self.picture.words.text) or "")

    @property
    def why_picture_is_unread(self) -> str | None:
        """Why not all words of the picture are known; None: they are."""
        return _NO_PICTURE if self.picture is None else self.picture.words.unread


def check_ad(rules: Rules, ad: CheckedAd) -> list[RuleVerdict]:
    """The verdict of every rule that there is, in the order of the file's example."""
    forbidden = {
        Rule.BANNED_WORDS: [Phrase(one) for one in rules.banned_words],
        Rule.BANNED_CLAIMS: [Phrase(one, MOST_BETWEEN) for one in rules.banned_claims],
        Rule.COMPETITOR_NAMES: [Phrase(one) for one in rules.competitor_names],
        Rule.COMPETITOR_MARKS: [Phrase(one) for one in rules.competitor_marks],
    }
    verdicts: list[RuleVerdict] = []
    for rule, phrases in forbidden.items():
        if phrases:
            verdicts += [_check_copy(rule, phrases, ad), _check_picture_words(rule, phrases, ad)]
    if rules.off_tone_words:
        phrases = [Phrase(one) for one in rules.off_tone_words]
        verdicts.append(_check_copy(Rule.OFF_TONE_WORDS, phrases, ad))
    if rules.tone_words:
        verdicts.append(_check_tone(rules, ad))
    if rules.disclaimers:
        verdicts.append(_check_disclaimers(rules, ad))
    verdicts += [_check_fields(rules, surface, ad) for surface in rules.surfaces]
    if rules.picture_sizes:
        verdicts.append(_check_size(rules, ad))
    if rules.languages:
        verdicts += _check_languages(rules, ad)
    if rules.too_close is not None:
        verdicts.append(_check_closeness(rules.too_close, ad))
    return verdicts


def _check_copy(rule: Rule, phrases: Sequence[Phrase], ad: CheckedAd) -> RuleVerdict:
    if ad.copy is None:
        return _not_checked(rule, Part.COPY, _NO_COPY)
    found = find_places(phrases, ad.copy_text)
    if found:
        return _failed(rule, Part.COPY, _quote(found))
    return _passed(rule, Part.COPY, f"none of {counted(len(phrases), 'phrase')} stands there")


def _check_picture_words(rule: Rule, phrases: Sequence[Phrase], ad: CheckedAd) -> RuleVerdict:
    if found := find_places(phrases, ad.picture_text):
        return _failed(rule, Part.PICTURE, _quote(found))
    if unread := ad.why_picture_is_unread:
        return _not_checked(rule, Part.PICTURE, unread)
    return _passed(rule, Part.PICTURE, f"none of {counted(len(phrases), 'phrase')} stands there")


def _check_tone(rules: Rules, ad: CheckedAd) -> RuleVerdict:
    if ad.copy is None:
        return _not_checked(Rule.TONE_WORDS, Part.COPY, _NO_COPY)
    for written in rules.tone_words:
        if find_place(Phrase(written), ad.copy_text):
            return _passed(Rule.TONE_WORDS, Part.COPY, f"{written!r} stands there")
    listed = _list(rules.tone_words)
    return _failed(Rule.TONE_WORDS, Part.COPY, f"none of these stands there: {listed}")


def _check_disclaimers(rules: Rules, ad: CheckedAd) -> RuleVerdict:
    """All of them have to be there; in which of the places, each by itself."""
    in_copy = rules.disclaimer_place is not DisclaimerPlace.PICTURE
    on_picture = rules.disclaimer_place is not DisclaimerPlace.COPY
    part = {
        DisclaimerPlace.COPY: Part.COPY,
        DisclaimerPlace.PICTURE: Part.PICTURE,
        DisclaimerPlace.EITHER: Part.WHOLE,
    }[rules.disclaimer_place]
    missing = []
    for written in rules.disclaimers:
        phrase = Phrase(written)
        is_there = (in_copy and find_place(phrase, ad.copy_text)) or (
            on_picture and find_place(phrase, ad.picture_text)
        )
        if not is_there:
            missing.append(written)
    if not missing:
        return _passed(Rule.DISCLAIMERS, part, "all stand there")
    unread = ad.why_picture_is_unread
    if on_picture and ad.picture is not None and unread:
        return _not_checked(
            Rule.DISCLAIMERS, part, f"{_list(missing)} may stand on the picture: {unread}"
        )
    return _failed(Rule.DISCLAIMERS, part, f"it lacks {_list(missing)}")


def _check_fields(rules: Rules, surface: Surface, ad: CheckedAd) -> RuleVerdict:
    rule = _RULE_OF_SURFACE[surface]
    if ad.copy is None:
        return _not_checked(rule, Part.COPY, _NO_COPY)
    parts = split_copy(ad.copy)
    too_long, within = [], []
    for field, most in rules.limits_of(surface).items():
        name = field.value.replace("_", " ")
        texts = [one.text for one in parts if one.field is field_of_copy(field)]
        lengths = [(count_characters(one), one) for one in texts]
        too_long += [
            f"{name} has {length} of {most} characters: {_shorten(one)!r}"
            for length, one in lengths
            if length > most
        ]
        if lengths:
            within.append(f"{name} {max(lengths)[0]} of {most}")
    if too_long:
        more = f"; {len(too_long) - _MOST_NAMED} more" if len(too_long) > _MOST_NAMED else ""
        return _failed(rule, Part.COPY, "; ".join(too_long[:_MOST_NAMED]) + more)
    if not within:
        return _not_checked(rule, Part.COPY, "the copy has none of the fields")
    return _passed(rule, Part.COPY, f"the longest: {', '.join(within)}")


def _check_size(rules: Rules, ad: CheckedAd) -> RuleVerdict:
    if ad.picture is None:
        return _not_checked(Rule.PICTURE_SIZES, Part.PICTURE, _NO_PICTURE)
    size = f"{ad.picture.width}x{ad.picture.height}"
    if any(judge_size(one, ad.picture.width, ad.picture.height) for one in rules.picture_sizes):
        return _passed(Rule.PICTURE_SIZES, Part.PICTURE, f"it has {size} pixels")
    listed = ", ".join(rules.picture_sizes[:_MOST_NAMED])
    return _failed(Rule.PICTURE_SIZES, Part.PICTURE, f"it has {size} pixels, not {listed}")


def _check_languages(rules: Rules, ad: CheckedAd) -> Iterator[RuleVerdict]:
    yield _judge_language(rules, Part.COPY, ad.copy, _NO_COPY)
    unread = ad.why_picture_is_unread
    text = ad.picture.words.text if ad.picture else None
    if text is not None and not text.strip() and not unread:
        yield _passed(Rule.LANGUAGES, Part.PICTURE, "it has no words")
        return
    judged = _judge_language(rules, Part.PICTURE, text, unread or _NO_PICTURE)
    if judged.verdict is Verdict.PASSED and unread:
        judged = _not_checked(Rule.LANGUAGES, Part.PICTURE, unread)
    yield judged


def _judge_language(rules: Rules, part: Part, text: str | None, why_not: str) -> RuleVerdict:
    if text is None:
        return _not_checked(Rule.LANGUAGES, part, why_not)
    is_wanted, reason = judge_language(text, tuple(rules.languages))
    if is_wanted is None:
        return _not_checked(Rule.LANGUAGES, part, reason)
    if is_wanted:
        return _passed(Rule.LANGUAGES, part, reason)
    return _failed(Rule.LANGUAGES, part, f"{reason}, not {' or '.join(rules.languages)}")


def _check_closeness(bound: float, ad: CheckedAd) -> RuleVerdict:
    if ad.similarity is None:
        return _not_checked(
            Rule.TOO_CLOSE, Part.WHOLE, "there is nothing of both to be compared with"
        )
    said = f"it is {ad.similarity:.0%} like its original; the bound is {bound:.0%}"
    is_close = ad.similarity >= bound
    return (_failed if is_close else _passed)(Rule.TOO_CLOSE, Part.WHOLE, said)


def _passed(rule: Rule, part: Part, reason: str) -> RuleVerdict:
    return RuleVerdict(rule=rule, part=part, verdict=Verdict.PASSED, reason=reason)


def _failed(rule: Rule, part: Part, reason: str) -> RuleVerdict:
    return RuleVerdict(rule=rule, part=part, verdict=Verdict.FAILED, reason=reason)


def _not_checked(rule: Rule, part: Part, reason: str) -> RuleVerdict:
    return RuleVerdict(rule=rule, part=part, verdict=Verdict.NOT_CHECKED, reason=reason)


def _quote(found: Sequence[Place]) -> str:
    named = [f"{one.phrase!r} in “{one.quote}”" for one in found[:_MOST_NAMED]]
    more = f"; {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return "; ".join(named) + more


def _list(written: Sequence[str]) -> str:
    more = f" and {len(written) - _MOST_NAMED} more" if len(written) > _MOST_NAMED else ""
    return ", ".join(map(repr, written[:_MOST_NAMED])) + more


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
