"""The lines of a variant's copy as headlines and descriptions of a responsive search ad.

Limits: https://support.google.com/google-ads/answer/7684791: up to 15 headlines of 30 characters,
up to 4 descriptions of 90, paths of 15; a double-width character counts as two. Nothing is cut:
what does not fit is left out, with the reason, and so is what the ad has in the same field already.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adspark.rules.copy_lines import Field, Form, Line, read_lines
from adspark.rules.surfaces import count_characters
from adspark.text.counts import counted
from adspark.text.formulas import guard_cell
from adspark.text.normalized import normalize

HEADLINES, DESCRIPTIONS = 15, 4
"""Of one ad, at most."""

LONGEST_HEADLINE, LONGEST_DESCRIPTION, LONGEST_PATH = 30, 90, 15
FEWEST_HEADLINES, FEWEST_DESCRIPTIONS = 3, 2

_OTHERS = {
    Field.LONG_HEADLINE: "responsive search ads have no long headline",
    Field.BUSINESS_NAME: "the name of a business stands in the account, not in an ad",
    Field.PATH: "paths are given for all ads of a file",
}
_NO_TEXT = {
    Form.SEVERAL: "several texts stand in it; write each on a line of its own",
    Form.JSON: "it is JSON; write each text on a line of its own",
    Form.HTML: "HTML stands in it; write the text without",
    Form.LEAD: "it ends in a colon; what it leads to stands elsewhere",
}

_HIDDEN = "the ad has it without its characters that cannot be seen, as soft hyphens"


@dataclass
class AdCopy:
    """What of a copy fits into an ad.

    Attributes:
        left_out: each line that does not, or not as it was written, with the reason.
        lacks: what Google asks for beyond it.
    """

    headlines: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def lacks(self) -> list[str]:
        """What is to be added by hand, before Google takes the ad."""
        needs = (
            (FEWEST_HEADLINES - len(self.headlines), "headline"),
            (FEWEST_DESCRIPTIONS - len(self.descriptions), "description"),
        )
        return [counted(number, f"more {noun}") for number, noun in needs if number > 0]


def read_copy_lines(copy: str | None) -> AdCopy:
    """Sort the lines of a copy: labelled ones by their label, the others by their length."""
    made = AdCopy()
    for line in read_lines(copy or ""):
        reason = _place(made, line) or (_HIDDEN if line.had_hidden else None)
        if reason:
            made.left_out.append((line.text, reason))
    return made


def _place(made: AdCopy, line: Line) -> str | None:
    """Put a line where it fits; else why it does not."""
    text = line.text
    if text == "[]":
        return "Google Ads Editor takes it for an order to erase"
    if line.form in _NO_TEXT:
        return _NO_TEXT[line.form]
    if guard_cell(text) != text:
        return "a spreadsheet would compute what it begins with or holds"
    if line.field in _OTHERS:
        return _OTHERS[line.field]
    length = count_characters(text)
    is_headline = line.field is Field.HEADLINE if line.field else length <= LONGEST_HEADLINE
    kind, most, longest, place = (
        ("headline", HEADLINES, LONGEST_HEADLINE, made.headlines)
        if is_headline
        else ("description", DESCRIPTIONS, LONGEST_DESCRIPTION, made.descriptions)
    )
    if length > longest:
        return f"{length} characters; a {kind} has {longest} at most"
    if _key(text) in map(_key, place):
        return f"it is a {kind} of this ad already"
    if len(place) == most:
        return f"an ad has {most} {kind}s at most"
    place.append(text)
    return None


def _key(text: str) -> str:
    """The same for texts that differ in case, blanks and composition of letters only."""
    return " ".join(normalize("NFKC", text).casefold().split())


def row_of(copy: AdCopy) -> Sequence[str]:
    """Its cells: 15 headlines, then 4 descriptions; those it lacks are empty."""
    return [
        *(copy.headlines + [""] * HEADLINES)[:HEADLINES],
        *(copy.descriptions + [""] * DESCRIPTIONS)[:DESCRIPTIONS],
    ]
