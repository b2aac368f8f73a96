"""`adspark variant export`: approved variants as CSV and ZIP, whole or not at all."""

import csv
import io
import os
import re
import stat
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError, UnknownVariantError
from adspark.media.store import MediaStore
from adspark.sandbox.control.pictures import draw_picture
from adspark.settings import get_settings
from adspark.variants.handover.approved import MOST
from adspark.variants.reviews.store import Review, save_review
from adspark.variants.state import VariantState
from tests.support.checked import BROKEN
from tests.support.commanding import Command
from tests.support.variants_at_hand import AD, OTHER, THIRD, ask, finish, in_session, read

pytestmark = pytest.mark.usefixtures("three_stored_ads")
variant = Command("variant")
TO = ("--campaign", "Shoes", "--ad-group", "All", "--final-url", "https://shop.example/shoes")
COPY = "\n".join(
    ("Run free", "=1+1", "Feel light", "Go far", "A shoe for every road and weather", "x" * 95)
)
_COPIES = text("""
    WITH made AS (
        INSERT INTO ad_variant
            (original_ad_id, prompt, user_id, status, title, description, completed_at)
        SELECT original_ad_id, 'Red ' || number, user_id, status, title, description, completed_at
        FROM ad_variant, generate_series(1, :copies) AS number WHERE id = 2
        RETURNING id
    )
    INSERT INTO variant_feedback (variant_id, user_id, is_approved, decided_at, reasons)
    SELECT id, 1, true, now(), '{}' FROM made
""")
"""As many approved copies of variant 2."""
PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})


@pytest.fixture(autouse=True)
def _approved(database_url: str, three_stored_ads: None) -> None:
    """Two approved variants, one of them without its picture; one rejected, one not decided."""

    async def act(session: AsyncSession) -> None:
        path, _ = await MediaStore(str(get_settings().home / "media")).save_variant(PICTURE)
        for ad, is_approved, picture in (
            (AD, True, path), (OTHER, True, None), (THIRD, False, path), (AD, None, path),
        ):  # fmt: skip
            made = await ask(session, ad, prompt="@cmd")
            done = await finish(session, made, description=COPY, image_path=picture)
            if is_approved is not None:
                review = Review(user_id=1, is_approved=is_approved)
                await save_review(session, variant=done, review=review)

    in_session(database_url, act)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_csv_has_a_paused_ad_for_each_and_says_what_is_not_in_it(tmp_path: Path) -> None:
    file = tmp_path / "ads.csv"
    said = variant.told("export", str(file), *TO, "--path-1", "Sale")
    rows = rows_of(file.read_bytes())
    assert len(rows) == 2
    assert len(rows[0]) == 3 + 15 + 4 + 4
    shown = {name: value for name, value in rows[0].items() if value}
    assert shown == {
        "Campaign": "Shoes", "Ad Group": "All", "Ad type": "Responsive search ad",
        "Headline 1": "Run free", "Headline 2": "Feel light", "Headline 3": "Go far",
        "Description 1": "A shoe for every road and weather", "Path 1": "Sale",
        "Final URL": "https://shop.example/shoes", "Status": "Paused",
    }  # fmt: skip
    assert "2 ads, all paused." in said
    for words in ("a spreadsheet would compute", "95 characters; a description has 90 at most",
                  "Google asks for 1 more description"):  # fmt: skip
        assert words in " ".join(said.split())
    with pytest.raises(InvalidQueryError, match="is there already; name another, or give --force"):
        variant.told("export", str(file), *TO)
    assert variant.given("export", str(file), *TO, "--force")["ads"] == 2
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_the_zip_has_pictures_what_was_left_out_and_where_each_came_from(tmp_path: Path) -> None:
    file = tmp_path / "ads.zip"
    done = variant.given("export", str(file), *TO)
    assert (done["ads"], done["pictures"]) == (2, 1)
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {
            "google-ads.csv", "pictures/variant-1.png", "left-out.csv", "variants.csv",
        }  # fmt: skip
        left_out = rows_of(archive.read("left-out.csv"))
        lineage = rows_of(archive.read("variants.csv"))
    assert left_out[0]["words"] == "'=1+1"
    assert [one["original_ad_id"] for one in lineage] == [OTHER, AD]
    assert (lineage[0]["prompt"], lineage[0]["approved_by"]) == ("'@cmd", "1")
    assert [one["picture"] for one in lineage] == ["", "pictures/variant-1.png"]


def test_a_picture_that_is_lost_is_listed_and_no_file_of_the_zip_names_it(tmp_path: Path) -> None:
    for picture in (get_settings().home / "media").rglob("*.*"):
        picture.unlink()
    file = tmp_path / "ads.zip"
    done = variant.given("export", str(file), *TO)
    assert (done["ads"], done["pictures"]) == (2, 0)
    with zipfile.ZipFile(file) as archive:
        lineage, left_out = (
            rows_of(archive.read(f"{one}.csv")) for one in ("variants", "left-out")
        )
    assert [one["picture"] for one in lineage] == ["", ""]
    assert left_out[-1]["reason"] == "the media store has lost it"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_file_is_as_readable_as_the_umask_says(tmp_path: Path, mask: int) -> None:
    file, before = tmp_path / "ads.csv", os.umask(mask)
    try:
        variant.told("export", str(file), *TO)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask


def test_what_breaks_rules_since_it_was_approved_waits_for_another_word_on_it(
    database_url: str, tmp_path: Path
) -> None:
    async def check_again(session: AsyncSession) -> None:
        await VariantState(session, await read(session, 1)).save_check(BROKEN)

    in_session(database_url, check_again)
    left = variant.given("export", str(tmp_path / "a.zip"), *TO)
    variant.told("review", "1", "--approve", "--overrule", "agreed")
    again = variant.given("export", str(tmp_path / "b.zip"), *TO)

    assert (left["ads"], left["pictures"]) == (1, 0)
    assert [one["reason"] for one in left["left_out"] if one["variant"] == 1] == [
        "it breaks 1 brand rule since it was approved; review it again"
    ]
    assert (again["ads"], again["pictures"]) == (2, 1)


def test_rules_that_a_later_check_finds_broken_are_not_overruled_by_an_older_word(
    database_url: str, tmp_path: Path
) -> None:
    async def check_again(session: AsyncSession) -> None:
        await VariantState(session, await read(session, 1)).save_check(BROKEN)

    in_session(database_url, check_again)
    variant.told("review", "1", "--approve", "--overrule", "agreed")
    in_session(database_url, check_again)
    left = variant.given("export", str(tmp_path / "a.csv"), *TO)
    variant.told("review", "1", "--approve", "--overrule", "agreed as well")
    again = variant.given("export", str(tmp_path / "b.csv"), *TO)

    reasons = [one["reason"] for one in left["left_out"] if one["variant"] == 1]
    assert reasons == ["it breaks 1 brand rule since it was approved; review it again"]
    assert (left["ads"], again["ads"]) == (1, 2)


@pytest.mark.parametrize("name", ["a.csv", "a.zip"])
def test_of_more_than_a_file_takes_the_newest_are_in_it_and_the_others_are_told(
    database_url: str, tmp_path: Path, name: str
) -> None:
    async def approve_many(session: AsyncSession) -> None:
        await session.execute(_COPIES, {"copies": MOST - 1})

    in_session(database_url, approve_many)
    file = tmp_path / name
    done = variant.given("export", str(file), *TO)
    content = file.read_bytes()
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("google-ads.csv")
            assert len(rows_of(archive.read("variants.csv"))) == MOST
            assert rows_of(archive.read("left-out.csv"))[-1]["variant"] == "1"
    assert len(rows_of(content)) == done["ads"] == MOST
    assert [one for one in done["left_out"] if one["variant"] == 1] == [
        {
            "variant": 1, "words": "ad",
            "reason": "a file takes the newest 1,000, not this one and those older; hand them over "
                      "batch by batch (on the command line: --batch)",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.csv", "a.zip"])
def test_a_hand_over_of_nothing_is_refused_with_the_reasons(
    database_url: str, tmp_path: Path, name: str
) -> None:
    async def spoil(session: AsyncSession) -> None:
        await VariantState(session, await read(session, 1)).save_check(BROKEN)
        await session.execute(text("UPDATE ad_variant SET description = '=1+1' WHERE id = 2"))

    in_session(database_url, spoil)
    with pytest.raises(InvalidQueryError, match="approve others first") as refused:
        variant.told("export", str(tmp_path / name), *TO)
    broken = "variant 1, ad (it breaks 1 brand rule since it was approved; review it again)"
    computed = "variant 2, =1+1 (a spreadsheet would compute what it begins with or holds)"
    assert broken in str(refused.value)
    assert computed in str(refused.value)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == []


def test_an_address_is_handed_over_with_what_begins_a_formula_made_harmless(
    tmp_path: Path,
) -> None:
    file, page = tmp_path / "ads.csv", "https://shop.example/a,b,+c?d=1;-2,x&e=,@f"
    variant.told("export", str(file), *TO, "--final-url", page)
    assert {one["Final URL"] for one in rows_of(file.read_bytes())} == {
        "https://shop.example/a,b%2C+c?d=1%3B-2,x&e=%2C@f"
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("--final-url", "shop.example"), "--final-url: write the address of your page"),
        (("--final-url", "javascript:alert(1)"), "--final-url: write the address"),
        (("--final-url", "https://ana:secret@shop.example"), "--final-url: write the address"),
        (("--final-url", "https://..."), "--final-url: write the address"),
        (("--final-url", "https://localhost:99999/x"), "--final-url: write the address"),
        (("--final-url", "=1"), "--final-url: write the address"),
        (("--final-url", "https://shop.example,+b"), "--final-url: write the address"),
        (("--final-url", "https://shop.example/a,\n+b"), "--final-url: write the address"),
        (("--campaign", " "), "campaign: is empty"),
        (("--campaign", "\u200b"), "campaign: is empty"),
        (("--campaign", "Sh\u200boes"), "campaign: holds invisible characters ('Sh\\u200boes')"),
        (("--path-1", "Sa\u202ele"), "--path-1: holds invisible characters"),
        (("--campaign", "=1"), "campaign: '=1' has =, +, - or @ at its beginning"),
        (("--campaign", "a,=1"), "behind a comma or semicolon"),
        (("--campaign", "a\nb"), "campaign: holds a control character ('\\n')"),
        (("--ad-group", "a\tb"), "--ad-group: holds a control character"),
        (("--path-1", "a\rb"), "--path-1: holds a control character"),
        (("--campaign", "a" * 300), "campaign: has 300 characters; shorten it to 255."),
        (("--path-1", "x" * 16), "--path-1: has 16 characters; shorten it to 15"),
        (("--path-1", "a/b"), "--path-1: holds a slash"),
        (("--path-2", "b"), "--path-2: needs a path_1"),
        (("--batch", "9"), "There is no batch 9; see them with: adspark batch list"),
    ],
)
def test_a_mistake_is_said_and_no_file_is_made(
    tmp_path: Path, changes: tuple[str, ...], words: str
) -> None:
    with pytest.raises((InvalidQueryError, UnknownVariantError), match=re.escape(words)):
        variant.told("export", str(tmp_path / "a.csv"), *TO, *changes)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == []
