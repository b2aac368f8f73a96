"""`adspark variant`: what a person types becomes requests and reviews; mistakes write nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adspark.database import Database
from adspark.errors import InvalidQueryError, UnknownVariantError, UnusableContentError
from adspark.media import MediaStore
from adspark.sandbox.pictures import draw_picture
from adspark.settings import get_settings
from adspark.variant_text import write_variant
from adspark.variants import VariantSummary, read_variant, save_failed, save_original, summary_of
from deployments.cli import app
from tests.integration.test_variants import AD, DONE, OTHER, ask, begin, finish, session

__all__ = ["session"]  # the fixture with three stored ads

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})


@pytest.fixture(autouse=True)
def _the_tests_database(monkeypatch: pytest.MonkeyPatch, database_url: str, session: Any) -> None:  # noqa: ANN401
    monkeypatch.setenv("ADSPARK_DATABASE_URL", database_url)
    get_settings.cache_clear()


def run(*arguments: str, typed: str | None = None) -> Result:
    """Run the command, to whatever end."""
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["variant", *arguments], input=typed)


def told(*arguments: str, typed: str | None = None) -> str:
    """What the command says, on one line, when all goes well."""
    result = run(*arguments, typed=typed)
    if result.exception:
        raise result.exception
    return " ".join(result.stdout.split())


def listed() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(told("list", "--json"))["variants"]
    return rows


def completed(database_url: str, **changes: Any) -> int:  # noqa: ANN401
    """A completed variant with both its pictures in the media store; returns its number."""

    async def make() -> int:
        media = MediaStore(str(get_settings().home / "media"))
        path, _ = await media.save_variant(PICTURE)
        original = await media.save_original("0" * 64, PICTURE)
        async with Database(database_url) as database, database.session() as opened:
            begun = await begin(opened, await ask(opened, prompt="A | red\n[one]", workspace_id=3))
            await save_original(opened, variant=begun, path=original, sha256="0" * 64)
            made = await finish(opened, begun, **({"image_path": path} | changes))
            await opened.commit()
            return made.id or 0

    return asyncio.run(make())


def test_one_request_is_a_row_that_waits_for_the_stack() -> None:
    said = told("request", AD, "--prompt", "Red", "--user", "7", "--workspace", "3", "--review")
    assert said == "Requested 1: taken up once the stack runs (adspark up)."
    (row,) = listed()
    assert (row["status"], row["user_id"], row["workspace_id"]) == ("pending", 7, 3)
    assert row["wants_review"]


def test_many_requests_are_counted_and_asked_about() -> None:
    assert "2 generations; nothing was asked for" in told(
        "request", AD, OTHER, "-p", "Red", "--dry-run"
    )
    refused = run("request", AD, OTHER, "-p", "Red", typed="n\n")
    assert "2 generations, each paid for. Go on?" in refused.stdout
    assert refused.exit_code == 1
    assert listed() == []
    assert told("request", AD, OTHER, AD, "-p", "Red", "--yes").startswith("Requested 1, 2:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "Red"], "original_ad_ids: name ads, or a watch"),
        ([AD, "--watch", "w", "-p", "Red"], "original_ad_ids: name ads, or a watch"),
        ([AD, "-p", " "], "prompt: is empty"),
        (["CR1", "-p", "Red"], "original_ad_id: no ad CR1 is stored"),
    ],
)
def test_a_wrong_request_writes_nothing(arguments: list[str], message: str) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        told("request", *arguments)
    assert listed() == []


def test_the_list_fits_a_terminal(database_url: str) -> None:
    assert "adspark variant request" in told("list")
    completed(database_url, is_too_close=True, picture_similarity=0.95)
    told("request", AD, "-p", "A much longer prompt than a line of a table can ever hold")
    lines = run("list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    shown = [" ".join(line.split()) for line in lines]
    assert "2 pending CR0000…0001 A much longer… – – 0 min" in shown
    assert "1 completed CR0000…0001 A | red [one] 1.0 95% ! 0 min" in shown
    assert "2 pending" not in told("list", "--status", "completed")


def test_one_is_shown_with_pictures_copy_and_reviews(database_url: str) -> None:
    number = str(completed(database_url))
    told("review", number, "--approve", "--rating", "4", "--comment", "good", "--user", "5")
    said = told("show", number)
    for part in ("completed", "workspace 3", "confidence 1", "Summer Sun", "approved 4 good"):
        assert part in said
    shown = json.loads(told("show", number, "--json"))
    assert (shown["id"], shown["reviews"][0]["rating"]) == (int(number), 4)
    assert Path(told("open", number, "--original")).read_bytes() == PICTURE


def test_what_has_no_picture_is_not_opened() -> None:
    told("request", AD, "-p", "Red")
    with pytest.raises(UnusableContentError, match="variant 1 is pending"):
        told("open", "1")


def test_a_failed_one_is_retried_by_a_person(database_url: str) -> None:
    async def fail() -> None:
        async with Database(database_url) as database, database.session() as opened:
            await save_failed(opened, variant=await ask(opened), error=TimeoutError("slow"))
            await opened.commit()

    asyncio.run(fail())
    assert "1 TimeoutError slow" in told("stats")
    assert told("retry", "1").startswith("Variant 1: the same generation, gone on with.")
    with pytest.raises(UnknownVariantError, match="is pending"):
        told("retry", "1")


def test_a_review_says_something_and_minds_what_is_too_close(database_url: str) -> None:
    number = str(completed(database_url, is_too_close=True))
    with pytest.raises(InvalidQueryError, match="say something"):
        told("review", number)
    with pytest.raises(InvalidQueryError, match="too close"):
        told("review", number, "--approve")
    assert "approved by user 1" in told("review", number, "--approve", "--accept-closeness")
    assert "rejected by user 1" in told("review", number, "--reject")
    assert "100%" not in told("stats")
    assert json.loads(told("stats", "--json"))["rejected"] == 1


def test_an_unknown_one_is_an_error() -> None:
    with pytest.raises(UnknownVariantError, match="There is no variant 9"):
        told("show", "9")


def test_the_page_holds_both_pictures_and_survives_any_prompt(database_url: str) -> None:
    number = completed(database_url, problem="no <b>luck</b>")

    async def write() -> tuple[str, VariantSummary]:
        async with Database(database_url) as database, database.session() as opened:
            summary = summary_of(await read_variant(opened, variant_id=number))
        return await write_variant(MediaStore(str(get_settings().home / "media")), summary), summary

    page, summary = asyncio.run(write())
    (row,) = [line for line in page.splitlines() if "data:image/jpeg;base64," in line]
    assert row.count("](data:image/jpeg;base64,") == 2
    assert r"**Prompt:** A \| red \[one\]" in page
    assert "<b>" not in page
    assert summary.headline == f"variant {number} completed: confidence 1; no <b>luck</b>"
    assert DONE.title is not None
    assert f"> {DONE.title}" in page
