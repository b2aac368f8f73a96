"""The page of a variant: both pictures inside, all facts, and no words that do harm."""

import asyncio
import base64
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from adspark.media.store import MediaStore
from adspark.models import VariantStatus
from adspark.variants.report import WIDEST, describe_similarity, write_variant
from adspark.variants.store import VariantSummary
from tests.support.checked import BROKEN
from tests.support.variants_at_hand import AD

HARMFUL = "a | b\n\n# [x](http://y) ![p](z) <img src=x onerror=alert(1)> `c` **d** & \\| e_f ~g~"
HARMLESS = (
    r"a \| b \# \[x\]\(http://y\) \!\[p\]\(z\) &lt;img src=x onerror=alert\(1\)&gt; \`c\` "
    r"\*\*d\*\* &amp; \\\| e\_f \~g\~"
)


@pytest.fixture
def media(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    """A folder for pictures."""
    return MediaStore(str(tmp_path_factory.mktemp("media")))


def summary(**words: Any) -> VariantSummary:  # noqa: ANN401
    """A completed variant without pictures."""
    fields: dict[str, Any] = dict.fromkeys(VariantSummary.model_fields)
    fields |= {
        "id": 7,
        "status": VariantStatus.COMPLETED,
        "original_ad_id": AD,
        "prompt": "Red",
        "user_id": 1,
        "attempt": 1,
        "generator": "dify",
        "confidence_score": 0.8,
        "is_too_close": False,
        "wants_review": False,
        "requested_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return VariantSummary.model_validate(fields | words)


def picture(width: int, height: int, colour: str = "blue", mode: str = "RGB") -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def shown(page: str) -> list[Image.Image]:
    """The pictures inside the page, as a viewer decodes them."""
    found = re.findall(r"!\[\w+\]\(data:image/jpeg;base64,([A-Za-z0-9+/=]+)\)", page)
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in found]


async def test_both_pictures_stand_side_by_side_within_the_page(media: MediaStore) -> None:
    original = await media.save_original("0" * 64, picture(380, 200, "red"))
    path, _ = await media.save_variant(picture(100, 4000, "blue"))
    page = await write_variant(media, summary(original_path=original, image_path=path))
    (row,) = [line for line in page.splitlines() if "data:" in line]
    above = page.splitlines()[: page.splitlines().index(row)]
    assert above[-2:] == ["| Original | Variant |", "| --- | --- |"]
    assert re.fullmatch(r"\| !\[original\]\(data:\S+\) \| !\[variant\]\(data:\S+\) \|", row)
    left, right = shown(page)
    assert (left.size, right.size) == ((WIDEST, 168), (16, 2 * WIDEST))
    assert left.getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=3)
    assert right.getpixel((9, 9)) == pytest.approx((0, 0, 255), abs=3)
    assert f"- Picture: `{media.locate(path)}`\n- Original: `{media.locate(original)}`" in page


async def test_pictures_are_as_narrow_as_the_page_wants_and_never_enlarged(
    media: MediaStore,
) -> None:
    small, _ = await media.save_variant(picture(50, 40))
    large, _ = await media.save_variant(picture(500, 400))
    for path, size in ((small, (50, 40)), (large, (170, 136))):
        (made,) = shown(await write_variant(media, summary(image_path=path), width=170))
        assert made.size == size


class _AtHand(MediaStore):
    """Pictures that are read without waiting, so that the next thing is to decode them."""

    async def read(self, path: str) -> bytes:
        return picture(50, 40)


async def test_the_event_loop_goes_on_while_pictures_are_decoded(tmp_path: Path) -> None:
    media = _AtHand(str(tmp_path))
    path, _ = await media.save_variant(picture(50, 40))  # and so a decoder is running
    decoders = [
        child for child in psutil.Process().children() if "adspark.media.decoder" in child.cmdline()
    ]
    assert decoders
    for decoder in decoders:
        decoder.suspend()
    try:
        page = asyncio.create_task(write_variant(media, summary(image_path=path)))
        for _ in range(1000):  # steps of the loop; it would take none if it waited for a decoder
            await asyncio.sleep(0)
        assert not page.done()
    finally:
        for decoder in decoders:
            decoder.resume()
    (made,) = shown(await page)
    assert made.size == (50, 40)


@pytest.mark.parametrize(
    ("mode", "colour"), [("RGBA", "#00000000"), ("LA", "#00000000"), ("P", "white"), ("1", "white")]
)
async def test_what_is_transparent_is_shown_on_white(
    media: MediaStore, mode: str, colour: str
) -> None:
    path, _ = await media.save_variant(picture(40, 40, colour, mode))
    (made,) = shown(await write_variant(media, summary(image_path=path)))
    assert made.getpixel((20, 20)) == (255, 255, 255)


async def test_without_a_picture_it_says_so(media: MediaStore) -> None:
    page = await write_variant(media, summary(problem="it has no picture, for <b> failed"))
    assert "| none | none |" in page
    assert "Mind: it has no picture, for &lt;b&gt; failed" in page
    assert "Picture:" not in page
    assert "Original:" not in page


async def test_a_picture_that_is_gone_is_told_in_its_place(media: MediaStore) -> None:
    original = await media.save_original("0" * 64, picture(380, 200, "red"))
    gone = summary(original_path=original, image_path=f"variants/00/{'0' * 64}.png")
    page = await write_variant(media, gone)
    assert len(shown(page)) == 1
    assert "| cannot be shown: The media store has no such picture |" in page
    assert page.endswith("Original: `" + media.locate(original) + "`\n")


async def test_words_from_outside_do_no_harm(media: MediaStore) -> None:
    page = await write_variant(
        media, summary(prompt=HARMFUL, description=HARMFUL, problem=HARMFUL, error=HARMFUL)
    )
    assert f"\n**Prompt:** {HARMLESS}\n" in page
    assert f"\n- Mind: {HARMLESS}\n" in page
    assert f"\n- Error: {HARMLESS}\n" in page
    assert "<" not in page
    first, _, rest = HARMLESS.partition(r" \#")
    assert f"### Copy\n\n> {first}  \n>\n> \\#{rest}  \n\n" in page


async def test_lines_of_copy_stay_lines(media: MediaStore) -> None:
    page = await write_variant(media, summary(description="\n  Summer\nSun\n\n- Buy now\n\n"))
    assert "### Copy\n\n> Summer  \n> Sun  \n>\n> \\- Buy now  \n\n- Status" in page
    assert "### Copy" not in await write_variant(media, summary(description=None))


async def test_the_facts_are_complete(media: MediaStore) -> None:
    page = await write_variant(
        media, summary(picture_similarity=0.954, text_similarity=0.5, is_too_close=True, attempt=2)
    )
    assert page.startswith(f"## Variant 7 of {AD}\n\n**Prompt:** Red\n")
    assert page.endswith(
        "- Status: completed\n- Confidence: 80%\n"
        "- Similarity to the original: picture 95%, copy 50%; too close\n"
        "- Made by: dify, attempt 2\n"
    )


async def test_the_verdicts_of_brand_rules_stand_there_those_that_failed_first(
    media: MediaStore,
) -> None:
    made = summary(rule_check=BROKEN)
    page = await write_variant(media, made)
    start = page.index("### Brand rules")
    assert page[start : page.index("- Status")] == (
        "### Brand rules\n\n"
        "1 passed, 1 failed, 1 not checked (rules: workspace version 3, user 1 version 1).\n\n"
        "| Rule | Verdict | Why |\n| --- | --- | --- |\n"
        "| banned words in the copy | **failed** | 'free' in “get it free \\| &lt;b&gt;” |\n"
        "| banned words on the picture | not checked | RapidOCR is not installed |\n"
        "| languages in the copy | passed | its language is en |\n\n"
    )
    assert made.headline == "variant 7 completed: confidence 80%; 1 rule failed"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, "not known"),
        ({"picture_similarity": 0.0}, "picture 0%"),
        ({"text_similarity": 1.0}, "copy 100%"),
        ({"text_similarity": 0.95, "is_too_close": True}, "copy 95%; too close"),
    ],
    ids=["nothing to compare", "nothing in common", "only copy", "too close"],
)
def test_similarity_is_told_where_it_is_known(words: dict[str, Any], expected: str) -> None:
    assert describe_similarity(summary(**words)) == expected
