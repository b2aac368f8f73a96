"""Sixty ads and more, a rule for each, and its verdict; pictures are drawn here and really read."""

# ruff: noqa: RUF001  (disguised words are made of such letters)

import asyncio
from dataclasses import dataclass

import pytest

from adspark.rules.checks import CheckedAd, CheckedPicture, check_ad
from adspark.rules.files import read_rules
from adspark.rules.verdicts import Part, Rule, RuleVerdict, Verdict
from adspark.variants.checking import look_at_picture
from adspark.words.reader_process import close_reader
from tests.support.reading import CYRILLIC, draw_copy, draw_plain

pytest.importorskip("rapidocr", reason="pip install 'adspark[ocr]'")

PASSED, FAILED, NOT_CHECKED = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_CHECKED
PICTURES = {
    "sale": draw_copy("Free shipping", "Terms apply. Only this week"),
    "rival": draw_copy("Better than Nike", "Softer than Air Zoom, for every runner"),
    "plain": draw_plain(),
    "boots": draw_copy("Winter boots", "Warm and dry all day long"),
    "german": draw_copy("Winterstiefel", "Jetzt mit zwanzig Prozent Rabatt kaufen und sparen"),
    "russian": CYRILLIC,
    "square": draw_copy("Big sale", "The best boots in the world", width=300, height=300),
}
UNREAD = {"russian": "3 lines of it could not be read"}
BOOTS = "Winter boots\nWarm and dry all day long.\nShop now"


@dataclass(frozen=True)
class Case:
    """An ad, a file of rules, and the verdict of its rule on one part."""

    rules: str
    copy: str | None
    picture: str | None
    rule: str
    part: str
    verdict: Verdict
    similarity: float | None = None


def word(banned: str, copy: str, verdict: Verdict) -> Case:
    """A banned word that is looked for in copy."""
    return Case(f"banned_words: ['{banned}']", copy, None, "banned_words", "copy", verdict)


def claim(banned: str, copy: str, verdict: Verdict) -> Case:
    """The same with a claim."""
    return Case(f"banned_claims: ['{banned}']", copy, None, "banned_claims", "copy", verdict)


def on_picture(rules: str, picture: str | None, verdict: Verdict, copy: str = BOOTS) -> Case:
    """A rule about the words of a picture, by the first name in the file."""
    return Case(rules, copy, picture, rules.partition(":")[0], "picture", verdict)


def fields(surface: str, copy: str, verdict: Verdict, limits: str = "{}") -> Case:
    """The characters that fields take on a surface."""
    return Case(f"surfaces: {{{surface}: {limits}}}", copy, None, surface, "copy", verdict)


def language(code: str, copy: str, verdict: Verdict) -> Case:
    """A language that a copy has to be in."""
    return Case(f"languages: [{code}]", copy, None, "languages", "copy", verdict)


def disclaimer(place: str, copy: str | None, picture: str | None, verdict: Verdict) -> Case:
    """A disclaimer that has to stand somewhere."""
    rules = f"disclaimers: Terms apply.\ndisclaimer_place: {place}"
    part = "whole" if place == "either" else place
    return Case(rules, copy, picture, "disclaimers", part, verdict)


CASES = {
    # Words: case, accents, width, what is not seen.
    "as it is": word("free", "Get it free today", FAILED),
    "not there": word("free", "Get it today", PASSED),
    "in capitals": word("free", "FREE for all", FAILED),
    "with an accent": word("free", "Get it frée", FAILED),
    "the rule has the accent": word("café", "Your CAFE", FAILED),
    "a sharp s": word("strasse", "An der Straße", FAILED),
    "full width": word("free", "ｆｒｅｅ", FAILED),
    "mathematical bold": word("free", "𝐟𝐫𝐞𝐞 boots", FAILED),
    "black squares": word("free", "🅵🆁🅴🅴 boots", FAILED),
    "a blank of no width": word("free", "fr\u200bee boots", FAILED),
    "a soft hyphen": word("free", "fr\u00adee boots", FAILED),
    # Words: how they are divided.
    "blanks between letters": word("free", "f r e e boots", FAILED),
    "dots between letters": word("free", "f.r.e.e boots", FAILED),
    "a hyphen inside": word("free", "fr-ee boots", FAILED),
    "part of a longer word": word("free", "Freedom, carefree", PASSED),
    "the beginning of a word": word("free*", "Freedom", FAILED),
    "two words as one": word("free trial", "Your freetrial", FAILED),
    "two words on two lines": word("free trial", "Start your free\ntrial", FAILED),
    "one of two words": word("free trial", "A trial of free will", PASSED),
    "an apostrophe is no end": word("hell", "he'll come", PASSED),
    "a possessive is one": word("Nike", "Nike’s boots", FAILED),
    # Words: disguises.
    "Cyrillic letters": word("free", "frее boots for all", FAILED),
    "wholly Cyrillic among Latin": word("coca", "Drink сoса now, it is cold", FAILED),
    "a Russian word that looks Latin": word("cop", "Вынести сор из избы", PASSED),
    "Latin letters in a Russian word": word("бесплатно", "Доставка бecплатно", FAILED),
    "digits for letters": word("free", "Fr33 boots", FAILED),
    "a one for an l": word("sale", "Big sa1e", FAILED),
    "a real number": word("so", "50 boots", PASSED),
    # Words: scripts and symbols.
    "Japanese has no blanks": word("最高", "世界最高の品質", FAILED),
    "katakana is a word of its own": word("フリー", "フリースの靴", PASSED),
    "Korean with an ending": word("무료", "무료로 배송", FAILED),
    "Thai": word("ฟรี", "ส่งฟรีวันนี้", FAILED),
    "Arabic with and without marks": word("مجاني", "توصيل مَجَّانِي", FAILED),
    "per cent": word("100%", "100 % natural", FAILED),
    "a number without its per cent": word("100%", "100 boots", PASSED),
    "a part of a number": word("15%", "Save 1.5%", PASSED),
    # Claims: other words may stand between.
    "a claim": claim("guaranteed results", "Guaranteed results!", FAILED),
    "a claim with words between": claim("guaranteed results", "guaranteed fast results", FAILED),
    "a claim too far apart": claim("guaranteed results", "guaranteed a b c results", PASSED),
    "a claim the other way round": claim("guaranteed results", "results guaranteed", PASSED),
    "no copy": Case("banned_words: [x]", None, None, "banned_words", "copy", NOT_CHECKED),
    # Words on the picture.
    "on the picture": on_picture("banned_words: [free]", "sale", FAILED),
    "not on the picture": on_picture("banned_words: [free]", "boots", PASSED),
    "a picture without words": on_picture("banned_words: [free]", "plain", PASSED),
    "letters that are not read": on_picture("banned_words: [free]", "russian", NOT_CHECKED),
    "no picture": on_picture("banned_words: [free]", None, NOT_CHECKED),
    "a claim on the picture": on_picture("banned_claims: [best world]", "square", PASSED),
    "a claim on it with words between": on_picture(
        "banned_claims: [best in world]", "square", FAILED
    ),
    "a competitor on the picture": on_picture("competitor_names: [nike, adidas]", "rival", FAILED),
    "a mark on the picture": on_picture("competitor_marks: [Air Zoom]", "rival", FAILED),
    "no mark on the picture": on_picture("competitor_marks: [Air Zoom]", "boots", PASSED),
    "a competitor in the copy": Case("competitor_names: [New Balance]", "Like NewBalance™", None,
                                     "competitor_names", "copy", FAILED),
    "a mark in the copy": Case("competitor_marks: ['Just do it']", "JUST DO IT.", None,
                               "competitor_marks", "copy", FAILED),
    # Disclaimers.
    "in the copy": disclaimer("copy", f"{BOOTS}\nTerms apply", None, PASSED),
    "missing in the copy": disclaimer("copy", BOOTS, "sale", FAILED),
    "on the picture only": disclaimer("either", BOOTS, "sale", PASSED),
    "nowhere": disclaimer("either", BOOTS, "boots", FAILED),
    "perhaps on the picture": disclaimer("either", BOOTS, "russian", NOT_CHECKED),
    "missing on the picture": disclaimer("picture", f"{BOOTS}\nTerms apply", "boots", FAILED),
    "there is no picture for it": disclaimer("picture", BOOTS, None, FAILED),
    # Tone.
    "a word of the tone": Case("tone_words: [warm, cosy]", BOOTS, None,
                               "tone_words", "copy", PASSED),
    "no word of the tone": Case("tone_words: [cosy]", BOOTS, None, "tone_words", "copy", FAILED),
    "a word off the tone": Case("off_tone_words: [dry]", BOOTS, None,
                                "off_tone_words", "copy", FAILED),
    # Fields.
    "a headline that fits": fields("responsive_search", f"{'x' * 30}\nShort", PASSED),
    "a headline of 31": fields("responsive_search", f"{'x' * 31}\nShort", FAILED),
    "a description of 91": fields("responsive_search", f"Short\n{'x' * 91}", FAILED),
    "a path of 16": fields("responsive_search", f"Headline: A\nPath: boots/{'x' * 16}", FAILED),
    "wide characters count twice": fields("responsive_search", "冬" * 16, FAILED),
    "a business name of 26": fields("display", f"Business name: {'x' * 26}", FAILED),
    "a long headline of 90": fields("display", f"Long headline: {'x' * 90}", PASSED),
    "a limit of one's own": fields("display", BOOTS, FAILED, "{short_headline: 11}"),
    # Sizes.
    "a size": on_picture("picture_sizes: [350x220]", "boots", PASSED),
    "another size": on_picture("picture_sizes: [1200x628, '1:1']", "boots", FAILED),
    "a ratio": on_picture("picture_sizes: ['1:1']", "square", PASSED),
    # Languages.
    "English": language("en", BOOTS, PASSED),
    "German for English": language("en", "Jetzt Winterstiefel mit Rabatt kaufen", FAILED),
    "too short to tell": language("en", "Boots", NOT_CHECKED),
    "another script": language("en", "Зимние сапоги", FAILED),
    "English on the picture": on_picture("languages: [en]", "boots", PASSED),
    "German on the picture": on_picture("languages: [fr]", "german", FAILED),
    # Closeness.
    "close": Case("too_close: 0.8", BOOTS, None, "too_close", "whole", FAILED, similarity=0.8),
    "not close": Case("too_close: 0.8", BOOTS, None, "too_close", "whole", PASSED, similarity=0.79),
    "nothing to compare": Case("too_close: 0.8", BOOTS, None, "too_close", "whole", NOT_CHECKED),
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheckedPicture]:
    """The pictures with their words, each read once, by RapidOCR alone."""

    async def look() -> dict[str, CheckedPicture]:
        return {
            name: await look_at_picture(content, reads_words=True)
            for name, content in PICTURES.items()
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nowhere")  # without Tesseract, which might know Russian
        found = asyncio.run(look())
    close_reader()
    assert {name: one.words.unread for name, one in found.items() if one.words.unread} == UNREAD
    return found


def judge(case: Case, pictures: dict[str, CheckedPicture]) -> list[RuleVerdict]:
    picture = pictures[case.picture] if case.picture else None
    return check_ad(
        read_rules(case.rules, source="case"), CheckedAd(case.copy, picture, case.similarity)
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_rule_says_what_is_true(case: Case, pictures: dict[str, CheckedPicture]) -> None:
    verdicts = judge(case, pictures)

    found = {(one.rule, one.part): one for one in verdicts}
    one = found[Rule(case.rule), Part(case.part)]
    assert one.verdict is case.verdict, one
    assert one.reason


def test_the_table_is_as_long_as_it_was_promised() -> None:
    assert len(CASES) >= 60
    assert {case.verdict for case in CASES.values()} == set(Verdict)
    assert {case.rule for case in CASES.values()} == {one.value for one in Rule}
