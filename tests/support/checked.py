"""A check of a variant by brand rules, as it is stored, with one rule that failed."""

from datetime import UTC, datetime

from adspark.rules.verdicts import Part, Rule, RuleCheck, RuleVerdict, Verdict, VersionSummary

BROKEN = RuleCheck(
    versions=[
        VersionSummary(id=1, user_id=None, version=3),
        VersionSummary(id=2, user_id=1, version=1),
    ],
    verdicts=[
        RuleVerdict(
            rule=Rule.BANNED_WORDS,
            part=Part.COPY,
            verdict=Verdict.FAILED,
            reason="'free' in “get it free | <b>”",
        ),
        RuleVerdict(
            rule=Rule.BANNED_WORDS,
            part=Part.PICTURE,
            verdict=Verdict.NOT_CHECKED,
            reason="RapidOCR is not installed",
        ),
        RuleVerdict(
            rule=Rule.LANGUAGES, part=Part.COPY, verdict=Verdict.PASSED, reason="its language is en"
        ),
    ],
    checked_at=datetime(2026, 1, 2, tzinfo=UTC),
)
KEPT = BROKEN.model_copy(update={"verdicts": BROKEN.verdicts[1:]})
"""The same without the rule that failed."""
