"""The list of watches and the page of one: what they show, pausing and deleting."""

import re
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Coverage, EventKind, Role
from adspark.users.accounts import save_password
from adspark.users.store import add_user
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.library import ad
from tests.support.noticed import add_event, add_looks, add_watch, ago
from tests.support.stored_ads import change, ids

FETCH = """
    INSERT INTO "fetch" (id, query, query_hash, watch_id, status, stop_reason, pages,
        searches_billed, searches_cached, new_count, changed_count, unchanged_count,
        rejected_count, is_refreshed, started_at, error)
    SELECT gen_random_uuid(), '{}', 'x', {watch}, 'completed', 'watermark', 1, 2, 1, 7, 3, 0, 0,
        false, now() - make_interval(secs => n), {error} FROM generate_series(1, {count}) AS n
"""


def fetches(watch: int, count: int, error: str = "NULL") -> str:
    """A statement that stores fetches of a watch."""
    filled = FETCH.replace("{watch}", str(watch)).replace("{count}", str(count))
    return filled.replace("{error}", error)


async def test_without_watches_the_list_says_how_to_create_one(pages: GalleryClient) -> None:
    page = (await pages.get("/watches")).text

    assert "There is no watch yet" in page
    assert 'href="/watches/new"' in page


async def test_the_list_shows_state_look_ads_news_cost_and_forecast(
    pages: GalleryClient, database: Database
) -> None:
    one = await add_watch(database, monthly_budget=1000)
    await add_watch(database, name="resting", is_active=False)
    await add_watch(database, name="partial", coverage=Coverage.PARTIAL, problem="a gap")
    await add_event(database, one, EventKind.NEW, 1)
    await change(database, fetches(one, 1))

    page = (await pages.get("/watches")).text

    names = re.findall(r'<h2><a href="/watches/\d+">(.*?)</a>', page)
    assert names == ["partial", "resting", "shoes"]
    assert "saw only a part:</span>\n a gap" in page
    assert "Paused: nobody looks" in page
    shoes = page[page.index(f"/watches/{one}") :]
    assert re.search(r"2 of 1,000 billed|0 of 1,000 billed", shoes)  # the month may just begin
    assert re.search(r"forecast \d", shoes)
    assert "New Balance Athletic Shoe, Inc." in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=SHO", ["shoes"]),
        ("name=%25", []),
        ("state=paused", ["resting"]),
        ("state=active&name=r", []),
        ("name=%00", ["resting", "shoes"]),
    ],
)
async def test_the_list_is_filtered_by_name_and_state(
    pages: GalleryClient, database: Database, query: str, names: list[str]
) -> None:
    await add_watch(database)
    await add_watch(database, name="resting", is_active=False)

    answer = await pages.get(f"/watches?{query}")

    assert answer.status_code == 200
    assert re.findall(r'<h2><a href="/watches/\d+">(.*?)</a>', answer.text) == names
    assert names or "No watch is like that" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/watches?page=0",
        "/watches/0",
        "/watches/77",
        "/watches/77/edit",
        "/watches/77/delete",
        "/watches/99999999999",
        "/watches/shoes",
        "/watches/77/look/x",
    ],
)
async def test_what_is_not_there_is_a_page_that_leads_on(pages: GalleryClient, path: str) -> None:
    answer = await pages.get(path)

    assert answer.status_code == 404
    if "look" not in path:
        assert re.search(r'class="button" href="/(library|watches)"', answer.text)


async def test_a_watch_shows_its_looks_and_what_it_noticed(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, name="<i>shoes</i>", text="example.com", region="2840")
    await add_event(database, watch_id, EventKind.BASELINE, 2, at=ago(days=30))
    await add_event(database, watch_id, EventKind.NEW, 1)
    await change(database, fetches(watch_id, 3), fetches(watch_id, 1, "'the <b>quota</b>'"))

    page = (await pages.get(f"/watches/{watch_id}")).text

    assert "&lt;i&gt;shoes&lt;/i&gt;" in page
    assert "<i>" not in page
    assert "example.com" in page
    assert "United States" in page
    assert re.findall(r'data-ad="(CR\d{20})"', page) == [ad(1)]
    assert page.count("All that is new") == 3
    assert "the &lt;b&gt;quota" in page
    assert "It costs 5 searches at most" in page


async def test_a_look_that_saw_only_a_part_is_not_listed_as_a_complete_one(
    pages: GalleryClient, database: Database
) -> None:
    problem = "SerpApi lists only 10 ads, though 40 were running"
    watch_id = await add_watch(database, coverage=Coverage.PARTIAL, problem=problem)
    await change(database, fetches(watch_id, 3).replace("'watermark'", "'end'"))

    page = (await pages.get(f"/watches/{watch_id}")).text

    looks = re.findall(r'<td class="first">.*?</td><td>(.*?)</td>', page)
    assert looks == ["Saw only a part", "To the end of the list", "To the end of the list"]


@pytest.mark.parametrize(
    ("fields", "billed", "price"),
    [
        ({}, [], "It costs 5 searches at most. Within"),
        ({}, [2, 3], "5 searches at most. The looks of the last 14 days cost 2.5 on average."),
        ({}, [5], "It costs 5 searches at most. Within"),
        ({"details_per_sweep": 3}, [2], "It costs 8 searches at most. Within"),
        ({"monthly_budget": 6}, [2], "4 searches at most. The looks of the last 14 days cost 2 on"),
        ({"monthly_budget": 3}, [2], "It costs 1 search at most. Within"),
    ],
)
async def test_a_looks_price_keeps_to_the_budget_and_to_what_looks_have_cost(
    pages: GalleryClient, database: Database, fields: dict[str, Any], billed: list[int], price: str
) -> None:
    watch_id = await add_watch(database, **fields)
    await add_looks(database, watch_id, billed)

    page = " ".join((await pages.get(f"/watches/{watch_id}")).text.split())

    assert price in page


async def test_why_a_look_failed_ends_with_one_full_stop(
    pages: GalleryClient, database: Database
) -> None:
    key = "correct the key; keys: https://serpapi.com/manage-api-key."
    await add_watch(database, name="refused", coverage=Coverage.NONE, problem=key)
    await add_watch(database, name="partial", coverage=Coverage.PARTIAL, problem="a gap")

    page = " ".join((await pages.get("/watches")).text.split())

    assert "It could not be looked at:</span> correct the key" in page
    assert "manage-api-key. Last try:" in page
    assert "a gap. Time of the look:" in page


async def test_a_watch_is_paused_and_resumed(pages: GalleryClient, database: Database) -> None:
    watch_id = await add_watch(database)
    path = f"/watches/{watch_id}"

    paused = await pages.send_form(f"{path}/pause", page=path)
    assert "The watch is paused" in paused.text
    assert "It is paused; resume it first." in paused.text
    assert re.search(r"<button[^>]* disabled>Look now", paused.text)

    again = await pages.send_form(f"{path}/pause", page=path)
    assert "somebody else did it before" in again.text

    resumed = await pages.send_form(f"{path}/resume", page=path)
    assert "is active again" in resumed.text
    assert await ids(database, "SELECT is_active FROM watch") == [True]


@pytest.mark.parametrize(("budget", "next_look"), [(0, "none, its budget is 0."), (1, "<time")])
async def test_a_watch_whose_budget_allows_no_look_is_resumed_without_the_promise_of_one(
    pages: GalleryClient, database: Database, budget: int, next_look: str
) -> None:
    watch_id = await add_watch(database, monthly_budget=budget, is_active=False)
    await add_looks(database, watch_id, [1])
    path = f"/watches/{watch_id}"

    resumed = " ".join((await pages.send_form(f"{path}/resume", page=path)).text.split())

    assert "The watch is active again, but its budget allows no look now." in resumed
    assert f"Next look: {next_look}" in resumed
    (begins,) = await ids(database, "SELECT date_trunc('month', now(), 'UTC') + interval '1 month'")
    assert (f'datetime="{begins:%Y-%m-01T00:00}' in resumed) is (budget == 1)


async def test_deleting_says_what_goes_with_it_and_keeps_the_ads(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, name="<b>shoes</b>")
    await add_event(database, watch_id, EventKind.NEW, 1)
    path = f"/watches/{watch_id}/delete"

    asked = await pages.get(path)
    assert "its links to 0 ads and the 1 event that" in asked.text
    assert "<b>" not in asked.text.split("<main")[1]
    assert await ids(database, "SELECT id FROM watch") == [watch_id]

    done = await pages.send_form(path, page=path)
    assert done.url.path == "/watches"
    assert "The watch is deleted" in done.text
    assert await ids(database, "SELECT count(*) FROM creative") == [5]


@pytest.mark.parametrize("act", ["pause", "resume", "delete", "edit", "look"])
async def test_a_watch_that_was_removed_meanwhile_is_said_to_be_gone(
    pages: GalleryClient, database: Database, act: str
) -> None:
    watch_id = await add_watch(database)
    other = await add_watch(database, name="other")
    await change(database, f"DELETE FROM watch WHERE id = {watch_id}")

    answer = await pages.send_form(f"/watches/{watch_id}/{act}", page=f"/watches/{other}")

    assert answer.status_code == 404
    assert "There is no such watch" in answer.text
    assert 'href="/watches"' in answer.text


@pytest.mark.parametrize("act", ["pause", "delete", "edit", "look"])
async def test_a_form_that_was_not_written_for_this_browser_changes_nothing(
    pages: GalleryClient, database: Database, act: str
) -> None:
    watch_id = await add_watch(database)

    answer = await pages.post(f"/watches/{watch_id}/{act}", data={"form_token": "a" * 64})

    assert answer.status_code == 403
    assert "out of date" in answer.text
    assert await ids(database, "SELECT is_active FROM watch") == [True]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", None])
async def test_without_prefect_a_look_is_refused_and_the_page_still_works(
    pages: GalleryClient, database: Database, url: str | None
) -> None:
    watch_id = await add_watch(database)
    path, run = f"/watches/{watch_id}", "0194d0a8-0000-7000-8000-000000000000"

    with temporary_settings({PREFECT_API_URL: url}):
        refused = await pages.send_form(f"{path}/look", page=path)
        page = await pages.get(f"{path}?run={run}")
        progress = await pages.get(f"{path}/look/{run}")

    assert refused.status_code == 503
    said = "does not answer" if url else "has no Prefect server"
    assert said in refused.text
    assert page.status_code == 200
    assert "How far the look is cannot be said" in page.text
    assert progress.status_code == 503


async def test_the_list_is_pages(pages: GalleryClient, database: Database) -> None:
    async with database.session() as session:
        await session.execute(
            text(
                "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
                "SELECT 1, 'watch ' || n, 'example.com', false, true FROM generate_series(1, 60) n"
            )
        )
        await session.commit()

    first, last = (await pages.get("/watches")).text, (await pages.get("/watches?page=3")).text

    assert "60 watches" in first
    assert first.count('<li class="row">') == 25
    assert last.count('<li class="row">') == 10
    assert (await pages.get("/watches?page=4")).status_code == 404


async def test_a_reader_is_told_before_a_button_that_only_editors_change_and_spend(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    watch_id = await add_watch(database)
    async with database.session() as session:
        number = await add_user(session, name="Bob")
        await save_password(
            session, user_id=number, password="tulips and 1 anchor", role=Role.READER
        )
        await session.commit()
    path = f"/watches/{watch_id}"

    async with open_gallery(database_url, tmp_path, needs_sign_in=True) as reader:
        await reader.send_form(
            "/sign-in", page="/sign-in", name="Bob", password="tulips and 1 anchor", back="/watches"
        )
        page = (await reader.get(path)).text
        listed = (await reader.get("/watches")).text
        form = (await reader.get("/watches/new")).text
        refused = [
            await reader.send_form(f"{path}/{act}", page=path)
            for act in ("pause", "delete", "edit", "look")
        ]

    assert 'href="/watches/new"' not in listed
    assert "but not change anything here" in listed
    assert re.search(r"<button[^>]* disabled>Pause", page)
    assert re.search(r"<button[^>]* disabled>Look now</button> <span[^>]*>You may not spend", page)
    assert re.search(r"<button[^>]* disabled>Save", form)
    assert [answer.status_code for answer in refused] == [403] * 4
    assert await ids(database, "SELECT is_active FROM watch") == [True]
