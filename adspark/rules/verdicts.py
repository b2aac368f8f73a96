"""What a check of a variant by the rules has come to, rule by rule; kept with the variant."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from adspark.text.counts import counted


class Rule(StrEnum):
    """A rule of a file; `surfaces` is one for each surface."""

    BANNED_WORDS = "banned_words"
    BANNED_CLAIMS = "banned_claims"
    DISCLAIMERS = "disclaimers"
    TONE_WORDS = "tone_words"
    OFF_TONE_WORDS = "off_tone_words"
    SEARCH_FIELDS = "responsive_search"
    DISPLAY_FIELDS = "display"
    PICTURE_SIZES = "picture_sizes"
    COMPETITOR_NAMES = "competitor_names"
    COMPETITOR_MARKS = "competitor_marks"
    LANGUAGES = "languages"
    TOO_CLOSE = "too_close"


class Part(StrEnum):
    """What of a variant a rule looks at."""

    COPY = "copy"
    PICTURE = "picture"
    WHOLE = "whole"


class Verdict(StrEnum):
    """What a rule says; nothing that was not looked at has passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"

    @property
    def words(self) -> str:
        """For people."""
        return self.value.replace("_", " ")

    @property
    def rank(self) -> int:
        """Its place where what a person has to see to comes first."""
        return (Verdict.FAILED, Verdict.NOT_CHECKED, Verdict.PASSED).index(self)


class RuleVerdict(BaseModel):
    """One rule on one part of a variant."""

    model_config = ConfigDict(frozen=True)

    rule: Rule
    part: Part
    verdict: Verdict
    reason: str = Field(description="Why, in a sentence without its stop.")

    @property
    def name(self) -> str:
        """Of rule and part, as `banned words on the picture`."""
        where = {Part.COPY: " in the copy", Part.PICTURE: " on the picture", Part.WHOLE: ""}
        return f"{self.rule.value.replace('_', ' ')}{where[self.part]}"


class VersionSummary(BaseModel):
    """A stored version of a file of rules."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    user_id: int | None = Field(description="None: the workspace's, which are for everybody.")
    version: int = Field(description="Counted from 1 for each user, and for the workspace.")

    @property
    def name(self) -> str:
        """As `workspace version 3`."""
        whose = "workspace" if self.user_id is None else f"user {self.user_id}"
        return f"{whose} version {self.version}"


class RuleCheck(BaseModel):
    """A check of a variant, with the versions of the files that were in force."""

    model_config = ConfigDict(frozen=True)

    versions: list[VersionSummary]
    verdicts: list[RuleVerdict]
    too_close: float | None = Field(default=None, description="The rules' bound on similarity.")
    checked_at: datetime

    @property
    def failed(self) -> list[RuleVerdict]:
        """The verdicts of rules that the variant breaks."""
        return [one for one in self.verdicts if one.verdict is Verdict.FAILED]

    @property
    def headline(self) -> str:
        """How many rules passed, failed and were not checked, and of which versions."""
        counts = dict.fromkeys(Verdict, 0)
        for one in self.verdicts:
            counts[one.verdict] += 1
        shown = [f"{count} {verdict.words}" for verdict, count in counts.items() if count]
        by = ", ".join(one.name for one in self.versions)
        return f"{', '.join(shown) or counted(0, 'rule')} (rules: {by})"
