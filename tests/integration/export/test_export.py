"""An export holds what a search finds, in every format, or leaves nothing."""

import fcntl
import os
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pyarrow.parquet
import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import AdSparkError, BusyError, InvalidQueryError
from adspark.export.columns import COLUMNS
from adspark.export.reading import read_rows
from adspark.export.selection import select_ads
from adspark.export.target import find_target, open_target
from adspark.export.writers import xlsx
from adspark.export.writers.thumbnails import THUMBNAIL_COLUMNS, ThumbnailSource
from adspark.library.filters.definition import AdFilters
from adspark.library.filters.written import WrittenFilters
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.tags import tag_ads
from adspark.library.search.cursor import Sort
from tests.support.exporting import (
    ARCHIVED,
    PICTURE,
    archive_one,
    csv_rows,
    export,
    json_rows,
    media,
    media_folder,
    sheets,
)
from tests.support.library import START, ad
from tests.support.memory_store import PROTOCOL
from tests.support.stored_ads import change

NAMES = [one.name for one in COLUMNS]
FORMULA = '=1+1;"=2",\n-3'


@pytest.fixture
async def library(database: Database) -> Database:
    """Five ads, one of them with a picture; the texts of another are hostile to spreadsheets."""
    await archive_one(database)
    async with database.session() as session:
        await tag_ads(session, user_id=1, tag="best", ids=[ad(1), ad(2)])
        await write_title(session, user_id=1, ad_creative_id=ad(2), text="@SUM(1)")
        await write_note(session, user_id=1, ad_creative_id=ad(2), text=FORMULA)
        await session.commit()
    return database


async def test_every_format_holds_the_same_ads_in_the_same_order(library: Database) -> None:
    for name in ("a.csv", "a.jsonl", "a.parquet", "a.xlsx"):
        summary = await export(library, name)
        assert (summary.ads, summary.bytes) == (5, Path(name).stat().st_size), name
        assert summary.headline.startswith(f"5 ads in {name} (")
    rows = csv_rows(Path("a.csv").read_bytes())
    objects = json_rows(Path("a.jsonl").read_bytes())
    table = pyarrow.parquet.read_table("a.parquet").to_pylist()
    assert list(rows[0]) == list(objects[0]) == list(table[0]) == NAMES
    order = [one["ad_creative_id"] for one in objects]
    assert sorted(order) == [ad(number) for number in range(1, 6)]
    assert [one["ad_creative_id"] for one in rows] == order
    assert [one["ad_creative_id"] for one in table] == order
    first = next(one for one in table if one["ad_creative_id"] == ad(1))
    assert (first["width"], first["tags"], first["platforms"]) == (380, ["best"], ["SEARCH"])
    assert first["first_shown"] == datetime.fromtimestamp(START, UTC)
    assert objects[order.index(ad(1))]["first_shown"].endswith("+00:00")
    assert rows[order.index(ad(1))]["first_shown"] == str(first["first_shown"].replace(tzinfo=None))
    assert (rows[0]["is_running"], objects[0]["is_running"]) == ("false", False)


async def test_no_cell_is_a_formula_and_programs_get_the_text_as_it_is(library: Database) -> None:
    filters = WrittenFilters(tag="best", advertiser=["New Balance"])
    request = {"query": "price", "filters": filters}
    for name in ("a.csv", "a.jsonl", "a.xlsx"):
        await export(library, name, **request)
    (row,) = csv_rows(Path("a.csv").read_bytes())
    assert (row["title"], row["note"]) == ("'@SUM(1)", "'=1+1;\"'=2\",'\n'-3")
    (found,) = json_rows(Path("a.jsonl").read_bytes())
    assert (found["title"], found["note"]) == ("@SUM(1)", FORMULA)
    (sheet,), _ = sheets(Path("a.xlsx").read_bytes())
    assert "<f>" not in sheet
    assert "<t>@SUM(1)</t>" in sheet


async def test_a_terminal_obeys_nothing_in_a_file(library: Database) -> None:
    hostile, shown = "Red \x1b[31m\x9b2J\x7f\x08two\nlines é", "Red  [31m 2J  two\nlines é"
    async with library.transaction() as session:
        await session.execute(text("UPDATE advertiser SET name = :name"), {"name": hostile})
    for name in ("a.csv", "a.jsonl", "a.xlsx"):
        await export(library, name)
    assert {row["advertiser"] for row in csv_rows(Path("a.csv").read_bytes())} == {shown}
    assert {one["advertiser"] for one in json_rows(Path("a.jsonl").read_bytes())} == {hostile}
    for name in ("a.csv", "a.jsonl"):
        content = Path(name).read_text("utf-8-sig").replace("\n", "")
        assert not [one for one in content if unicodedata.category(one) == "Cc"], name
    (sheet,), _ = sheets(Path("a.xlsx").read_bytes())
    assert (shown in sheet, "_x00" in sheet) == (True, False)


async def test_nothing_in_a_cell_hides_or_turns_other_text(library: Database) -> None:
    family, persian = "👨\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e"
    hostile = f"\u202e\u2068=1+1\u2069\u200b {family} {persian}\u2066"
    async with library.transaction() as session:
        await session.execute(text("UPDATE advertiser SET name = :name"), {"name": hostile})
    for name in ("a.csv", "a.jsonl", "a.xlsx", "a.parquet"):
        await export(library, name)
    shown = f"=1+1 {family} {persian}"
    assert {row["advertiser"] for row in csv_rows(Path("a.csv").read_bytes())} == {f"'{shown}"}
    (sheet,), _ = sheets(Path("a.xlsx").read_bytes())
    assert f"<t>{shown}</t>" in sheet
    assert {one["advertiser"] for one in json_rows(Path("a.jsonl").read_bytes())} == {hostile}
    table = pyarrow.parquet.read_table("a.parquet").to_pylist()
    assert {one["advertiser"] for one in table} == {hostile}


async def test_a_link_is_judged_by_the_name_that_was_typed(library: Database) -> None:
    Path("lost.csv").symlink_to("/nonexistent/zz")
    with pytest.raises(InvalidQueryError, match=r"file: lost\.csv cannot be written"):
        await export(library, "lost.csv")
    Path("ads.csv").symlink_to("ads-of-today")
    await export(library, "ads.csv")
    assert len(csv_rows(Path("ads-of-today").read_bytes())) == 5
    assert Path("ads.csv").is_symlink()


async def test_what_excel_cannot_hold_is_text_or_told(library: Database) -> None:
    moments = ("0001-01-01", "1850-06-01 12:00", "1900-03-01", "9999-12-31 23:59:59.999999")
    await change(
        library,
        "UPDATE advertiser SET name = repeat('x', 40000)",
        *(
            f"UPDATE creative SET first_shown = '{one}+00' WHERE ad_creative_id = '{ad(number)}'"
            for number, one in enumerate(moments, 1)
        ),
        f"UPDATE creative SET target_domain = repeat('😀', 20000) WHERE ad_creative_id = '{ad(1)}'",
    )
    summary = await export(library, "a.xlsx")
    (sheet,), _ = sheets(Path("a.xlsx").read_bytes())
    assert summary.notes == [
        "A cell holds 32,767 characters, to which these were cut: 5 cells of advertiser, 1 cell of "
        "domain. The other formats have them whole."
    ]
    assert sheet.count(f"<t>{'x' * 32_767}</t>") == 5
    assert f"<t>{'😀' * 16_383}</t>" in sheet
    for one in ("0001-01-01 00:00:00", "1850-06-01 12:00:00", "9999-12-31 23:59:59.999999"):
        assert f"<t>{one}</t>" in sheet
    assert "<v>61</v>" in sheet  # the first of March 1900
    assert "<v>-" not in sheet


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
async def test_words_that_are_not_searched_are_told(library: Database, name: str) -> None:
    words = " ".join(["running"] * 50 + ["qqqqnothing"])
    told = await export(library, name, query=words)
    assert (told.ads, told.notes) == (2, ["No more than the first 50 words were searched."])


async def test_pictures_lie_beside_and_thumbnails_in_the_rows(library: Database) -> None:
    summary = await export(library, "a.xlsx", with_pictures=True)
    assert (summary.pictures, summary.missing_pictures, summary.notes) == (1, 0, [])
    assert Path(f"a-pictures/{ARCHIVED}.png").read_bytes() == PICTURE
    (sheet,), pictures = sheets(Path("a.xlsx").read_bytes())
    assert (pictures, f"a-pictures/{ARCHIVED}.png" in sheet) == (1, True)
    for file in Path(media_folder()).rglob("*.*"):
        file.unlink()
    summary = await export(library, "a.xlsx", with_pictures=True, replaces=True)
    assert (summary.pictures, summary.missing_pictures) == (0, 2)  # the thumbnail too
    assert list(Path("a-pictures").iterdir()) == []


async def test_a_full_sheet_goes_on_in_the_next(library: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    writer = xlsx.XlsxWriter(file, tmp_path, ThumbnailSource(media(), tmp_path), sheet_rows=3)
    async with library.session() as session:
        selection = await select_ads(session, query="", filters=AdFilters())
        columns = ", ".join(one.value for one in COLUMNS)
        statement = selection.statement(f"{columns}, {THUMBNAIL_COLUMNS}")
        async for rows in read_rows(session, statement, selection.values):
            await writer.write(rows)
    await writer.close()
    writer.discard()
    found, _ = sheets(file.read_bytes())
    assert [one.count("<row ") for one in found] == [3, 3, 2]
    assert ["<t>ad_creative_id</t>" in one for one in found] == [True] * 3


@pytest.mark.parametrize(
    ("file", "request_", "said"),
    [
        ("a.txt", {}, "has to end with one of .csv, .jsonl, .parquet, .xlsx"),
        (".", {}, "that is a folder; name a file in it"),
        (".csv", {}, "'.csv' has no name before its ending"),
        ("no/a.csv", {}, "no/a.csv: there is no such folder; make it first"),
        ("taken.csv", {}, "taken.csv exists; name another file, or replace it"),
        ("folder.csv", {}, "folder.csv is a folder; name a file in it"),
        ("taken.csv/a.csv", {}, "cannot be written (Not a directory)"),
        ("gs://a:pass@b/a.csv", {}, "an address holds no password"),
        ("memory://b/a.csv", {}, "memory://b/a.csv: write a path, or an address of s3://"),
        ("ftp://b/a.csv", {}, "ftp://b/a.csv: write a path, or an address of s3://"),
        ("zip://a.csv", {}, "zip://a.csv: write a path, or an address of s3://"),
        ("file:///tmp/a.csv", {}, "file:///tmp/a.csv: write a path, or an address of s3://"),
        ("simplecache::s3://b/a.csv", {}, "write a path, or an address of s3://"),
        ("~nobody-of-this-name/a.csv", {}, "~nobody-of-this-name/a.csv: there is no such user"),
        ("taken.csv", {"replaces": True}, "taken.csv stays as it was, for no stored ad matches"),
        ("a.csv", {"sort": Sort.RELEVANCE}, "sort: relevance ranks 500 ads"),
        ("a.csv", {"query": "++"}, "'++' holds no word to search for"),
        ("a.csv", {"filters": WrittenFilters(first_from="soon")}, "first-from: 'soon' is not a d"),
    ],
)
async def test_what_cannot_be_exported_is_told_and_leaves_nothing(
    database: Database, file: str, request_: dict[str, object], said: str
) -> None:
    Path("taken.csv").write_text("mine")
    Path("folder.csv").mkdir()
    before = sorted(Path().iterdir())
    with pytest.raises(InvalidQueryError) as raised:
        await export(database, file, **request_)
    assert said in str(raised.value)
    assert sorted(Path().iterdir()) == before
    assert Path("taken.csv").read_text() == "mine"


async def test_a_folder_of_pictures_is_replaced_where_only_exports_have_made_it(
    library: Database,
) -> None:
    folder = Path("a-pictures")
    await export(library, "a.csv", with_pictures=True)
    (folder / ad(9)).with_suffix(".png").write_bytes(PICTURE)
    await export(library, "a.csv", with_pictures=True, replaces=True)
    assert [one.stem for one in folder.iterdir()] == [ARCHIVED]
    mine = folder / "family.jpg"
    mine.write_text("precious")
    before = Path("a.csv").read_bytes()
    with pytest.raises(InvalidQueryError, match="holds what no export has made"):
        await export(library, "a.csv", query="running", with_pictures=True, replaces=True)
    assert (mine.read_text(), Path("a.csv").read_bytes()) == ("precious", before)


async def finish(file: str, *, with_pictures: bool, replaces: bool, meanwhile: Path) -> None:
    """End an export of one picture, beside whose work a file or folder has appeared."""
    target = find_target(file, home=Path(), base=Path())
    with open_target(target):
        target.file.write_text("new")
        if with_pictures:
            await target.save_picture(f"{ad(2)}.png", PICTURE)
        if meanwhile.suffix:
            meanwhile.write_text("mine")
        else:
            meanwhile.mkdir(parents=True)
        await target.finish(with_pictures=with_pictures, replaces=replaces)


@pytest.mark.parametrize("with_pictures", [False, True])
async def test_what_appears_while_an_export_works_is_not_replaced_unasked(
    with_pictures: bool,
) -> None:
    mine = Path("a.csv")
    with pytest.raises(InvalidQueryError, match=r"a\.csv exists; name another file"):
        await finish("a.csv", with_pictures=with_pictures, replaces=False, meanwhile=mine)
    assert mine.read_text() == "mine"
    assert sorted(Path().glob("*a*")) == [mine]
    await finish("a.csv", with_pictures=with_pictures, replaces=True, meanwhile=mine)
    assert mine.read_text() == "new"


async def test_pictures_that_appear_while_an_export_works_stay() -> None:
    mine = Path(f"a-pictures/{ad(1)}.png")
    mine.parent.mkdir()
    with pytest.raises(InvalidQueryError, match="a-pictures exists; name another file"):
        await finish("a.csv", with_pictures=True, replaces=False, meanwhile=mine)
    assert (mine.read_text(), Path("a.csv").exists()) == ("mine", False)


async def test_pictures_stay_as_they_were_where_the_file_cannot_be_replaced(
    library: Database,
) -> None:
    await export(library, "a.csv", with_pictures=True)
    Path("a.csv").unlink()
    with pytest.raises(InvalidQueryError, match="cannot be written"):
        await finish("a.csv", with_pictures=True, replaces=True, meanwhile=Path("a.csv/folder"))
    assert [one.stem for one in Path("a-pictures").iterdir()] == [ARCHIVED]


@pytest.mark.parametrize("step", ["earlier pictures taken away", "new ones in their place"])
async def test_pictures_come_back_after_an_export_that_was_killed_at_its_end(
    library: Database, step: str
) -> None:
    await export(library, "a.csv", with_pictures=True)
    left = Path(".a.csv.unfinished")
    left.mkdir()
    (left / "export.csv").write_text("new")
    Path("a-pictures").rename(left / "replaced")
    made = left / "pictures" if step.startswith("earlier") else Path("a-pictures")
    made.mkdir()
    (made / f"{ad(2)}.png").write_bytes(PICTURE)
    await export(library, "a.csv", replaces=True)  # without pictures
    assert Path("a-pictures", f"{ARCHIVED}.png").read_bytes() == PICTURE
    assert not left.exists()


async def test_pictures_that_another_export_made_after_one_was_killed_stay(
    library: Database,
) -> None:
    await export(library, "a.csv", with_pictures=True)
    left = Path(".a.csv.unfinished")
    left.mkdir()
    (left / "export.csv").write_text("new")
    (left / "pictures").mkdir()
    Path("a-pictures").rename(left / "replaced")
    await export(library, "a.xlsx", with_pictures=True)
    newer = Path("a-pictures", f"{ad(2)}.png")
    newer.write_bytes(b"newer")
    await export(library, "a.csv", replaces=True)
    assert newer.read_bytes() == b"newer"
    assert Path("a-pictures", f"{ARCHIVED}.png").read_bytes() == PICTURE
    assert not left.exists()


async def test_an_export_of_another_ending_keeps_its_pictures(library: Database) -> None:
    await export(library, "a.csv", with_pictures=True)
    await export(library, "a.xlsx", with_pictures=True, replaces=True, query="gear")
    (named,) = filter(None, (row["picture"] for row in csv_rows(Path("a.csv").read_bytes())))
    assert Path(named).read_bytes() == PICTURE
    Path("a.csv").unlink()
    await export(library, "a.xlsx", with_pictures=True, replaces=True, query="gear")
    assert list(Path("a-pictures").iterdir()) == []


async def test_what_a_killed_export_left_goes_with_the_next_and_one_works_at_a_time(
    library: Database,
) -> None:
    left = Path(".a.csv.unfinished")
    (left / "pictures").mkdir(parents=True)
    (left / "export.csv").write_text("half")
    held = os.open(left, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(BusyError, match="is being written by another export"):
        await export(library, "a.csv")
    assert (left / "export.csv").read_text() == "half"
    os.close(held)
    assert (await export(library, "a.csv")).ads == 5
    assert not left.exists()


async def test_an_export_to_a_store_appears_there_with_its_pictures(library: Database) -> None:
    address = f"{PROTOCOL}://{library._url.database}/a.jsonl"
    summary = await export(library, address, with_pictures=True)
    assert summary.headline.startswith(f"5 ads in {address} (")
    files = fsspec.filesystem(PROTOCOL)
    root = address.removeprefix(f"{PROTOCOL}:/").removesuffix("/a.jsonl")
    assert len(json_rows(files.cat_file(f"{root}/a.jsonl"))) == 5
    assert files.cat_file(f"{root}/a-pictures/{ARCHIVED}.png") == PICTURE
    with pytest.raises(InvalidQueryError, match=r"a\.jsonl exists"):
        await export(library, address)
    files.mkdir(f"{root}/folder.jsonl")  # nothing can be put there
    with pytest.raises(AdSparkError):
        await export(
            library, address.replace("a.jsonl", "folder.jsonl"), with_pictures=True, replaces=True
        )
    assert not files.exists(f"{root}/folder-pictures")


async def test_words_that_were_read_are_told_as_such_where_none_were_bought(
    library: Database,
) -> None:
    await change(
        library,
        "UPDATE picture_version SET sha256 = 'seen'",
        "INSERT INTO picture_words (sha256, status, lines, headline, language, confidence, "
        "read_at) VALUES ('seen', 'read', '{Big,sale}', 'Big', 'en', 0.9, now())",
    )

    async def told() -> tuple[object, ...]:
        await export(library, "a.parquet", replaces=True)
        rows = pyarrow.parquet.read_table("a.parquet").to_pylist()
        row = next(one for one in rows if one["ad_creative_id"] == ARCHIVED)
        return tuple(row[name] for name in ("words_source", "snippet", "words_confidence"))

    assert (await told())[::2] == ("bought", None)
    await change(library, f"DELETE FROM creative_detail WHERE ad_creative_id = '{ARCHIVED}'")
    assert await told() == ("read", "Big sale", 0.9)
