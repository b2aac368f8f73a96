"""A variant is checked by the brand rules between its generation and its review."""

import sys

import pytest

from adspark.errors import GenerationFailedError, UnknownVariantError
from adspark.rules.store import save_rules
from adspark.rules.verdicts import Part, Rule, RuleCheck, Verdict
from adspark.variants.checking import check_stored
from adspark.words.reader_process import MISSING
from tests.support.variants_at_hand import AD, ask, begin, fail, stocked
from tests.support.workshop import Workshop

RULES = """\
banned_words: ["summer*", never-in-it]
disclaimers: "[SANDBOX]"
surfaces: [responsive_search]
competitor_names: [Nowhere Shoes]
picture_sizes: [1x1]
too_close: 0.001
"""


async def make(shop: Workshop, rules: str, prompt: str = "Make it a summer ad") -> int:
    """A variant that was made under these rules of the workspace."""
    ids = await shop.stock()
    async with shop.database.session() as session:
        await save_rules(session, written=rules, user_id=None)
        await session.commit()
    (variant_id,) = await shop.request(ids[0], prompt=prompt)
    await shop.make(variant_id)
    return variant_id


async def check(shop: Workshop, variant_id: int) -> RuleCheck | None:
    async with shop.database.session() as session:
        found = await check_stored(session, variant_id=variant_id, media=shop.media)
        await session.commit()
    return found


async def test_copy_picture_and_its_words_are_checked_and_the_verdicts_are_stored(
    shop: Workshop,
) -> None:
    pytest.importorskip("rapidocr", reason="pip install 'adspark[ocr]'")
    variant_id = await make(shop, RULES)
    row = await shop.row(variant_id)
    stored = RuleCheck.model_validate(row.rule_check)
    verdicts = {(one.rule, one.part): one.verdict for one in stored.verdicts}
    assert verdicts[Rule.BANNED_WORDS, Part.COPY] is Verdict.FAILED
    assert verdicts[Rule.BANNED_WORDS, Part.PICTURE] is Verdict.FAILED
    assert verdicts[Rule.DISCLAIMERS, Part.WHOLE] is Verdict.PASSED
    assert verdicts[Rule.COMPETITOR_NAMES, Part.COPY] is Verdict.PASSED
    assert verdicts[Rule.PICTURE_SIZES, Part.PICTURE] is Verdict.FAILED
    assert verdicts[Rule.TOO_CLOSE, Part.WHOLE] is Verdict.FAILED
    assert [one.name for one in stored.versions] == ["workspace version 1"]
    assert row.failed_rules == len(stored.failed) > 3
    assert row.is_too_close  # by the bound of the rules; the workshop's own is 0.9
    assert shop.bill["paid"] == 1


async def test_where_words_cannot_be_read_the_rules_about_them_are_not_checked(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)  # as where it is not installed
    rules = "banned_words: [never-in-it]\nlanguages: [en]\ndisclaimers: Nowhere\n"
    row = await shop.row(await make(shop, rules))
    stored = RuleCheck.model_validate(row.rule_check)
    told = {
        (one.rule, one.part): (one.verdict, one.reason)
        for one in stored.verdicts
        if one.part is not Part.COPY
    }
    missing = MISSING.rstrip(".")
    assert told == {
        (Rule.BANNED_WORDS, Part.PICTURE): (Verdict.NOT_CHECKED, missing),
        (Rule.LANGUAGES, Part.PICTURE): (Verdict.NOT_CHECKED, missing),
        (Rule.DISCLAIMERS, Part.WHOLE): (
            Verdict.NOT_CHECKED, f"'Nowhere' may stand on the picture: {missing}",
        ),
    }  # fmt: skip
    assert row.failed_rules == 0


async def test_without_rules_nothing_is_checked_and_later_ones_can_be_applied(
    shop: Workshop,
) -> None:
    variant_id = await make(shop, "{}")
    row = await shop.row(variant_id)
    assert (row.rule_check, row.failed_rules) == (None, 0)
    assert await check(shop, variant_id) is None
    async with shop.database.session() as session:
        await save_rules(session, written="tone_words: [nowhere]", user_id=1)
        await session.commit()
    found = await check(shop, variant_id)
    assert found
    assert [one.name for one in found.versions] == ["workspace version 1", "user 1 version 1"]
    row = await shop.row(variant_id)
    stored = RuleCheck.model_validate(row.rule_check)
    assert (stored.verdicts, stored.versions) == (found.verdicts, found.versions)
    assert row.failed_rules == 1
    assert row.status == "completed"


async def test_where_the_rules_were_ended_the_last_check_stays(shop: Workshop) -> None:
    variant_id = await make(shop, "tone_words: [nowhere]")
    before = await shop.row(variant_id)
    async with shop.database.session() as session:
        await save_rules(session, written="{}", user_id=None)
        await session.commit()
    assert await check(shop, variant_id) is None
    after = await shop.row(variant_id)
    assert before.rule_check
    assert (after.rule_check, after.failed_rules) == (before.rule_check, 1)


async def test_only_a_completed_variant_is_checked(shop: Workshop) -> None:
    async with stocked(shop.database) as session:
        variant = await begin(session, await ask(session, AD))
        failed = await fail(session, variant, GenerationFailedError("no"))
        await session.commit()
    with pytest.raises(UnknownVariantError, match="only completed ones are checked"):
        await check(shop, failed.id)
