"""`adspark watch`: what a person types becomes watches, and mistakes write nothing."""

import asyncio
import codecs
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.home.running_stack import StackState
from adspark.settings import Settings
from adspark.watches.budgets import NEXT_MONTH
from deployments.cli.database import _warn_once, current_settings
from deployments.environment.stack_settings import sandbox_settings
from tests.support.commanding import Command
from tests.support.factories import ADVERTISER_ID, creative
from tests.support.library import CAFE, SHOP, fill_library
from tests.support.noticed import add_looks
from tests.support.watch_commands import definitions, listed, run, told
from tests.support.watching import Place

HUBSPOT = ("hubspot", "--text=hubspot.com")


pytestmark = pytest.mark.usefixtures("configured_database")


@pytest.fixture
def checked(configured_database: str, sandbox_url: str) -> None:
    """A watch that has been checked, with an ad that is new since."""
    told("create", *HUBSPOT, "--budget=100")

    async def check() -> None:
        async with Database(configured_database) as database:
            place = Place(database, sandbox_url)
            await place.check(1)
            await place.change(
                "UPDATE creative_event SET kind = 'new' WHERE id = 1; UPDATE watch SET problem = "
                "'more ads than max_pages = 5 pages hold; raise it', coverage = 'partial'"
            )

    asyncio.run(check())


def test_a_last_look_that_is_in_the_future_is_told_as_that(configured_database: str) -> None:
    told("create", *HUBSPOT)
    with psycopg.connect(configured_database) as connection:
        connection.execute("UPDATE watch SET checked_at = now() + interval '32 hours'")
    assert "in the future" in told("list")


def test_a_watch_is_created_with_its_warnings_and_its_cost() -> None:
    said = told(
        "create", "shoes", ADVERTISER_ID, "--text=www.example.com", "--region=us",
        "--platform=search", "--format=IMAGE", "--political-ads", "--every=30", "--max-pages=2",
        "--budget=100", "--ended-after=3", "--details=1",
    )  # fmt: skip
    assert said.startswith("Warning: text: searching for 'example.com', since")
    assert "Warning: --every: SerpApi answers the same search from its cache" in said
    assert said.endswith(
        "Created watch 1 (shoes): at most 4,320 searches a month (2 pages + 1 details × 1,440 "
        "looks), budget 100"
    )
    (row,) = listed()
    assert row["definition"] == {
        "user_id": 1,
        "name": "shoes",
        "advertiser_ids": [ADVERTISER_ID],
        "text": "example.com",
        "region": "2840",
        "platform": "SEARCH",
        "creative_format": "image",
        "political_ads": True,
        "is_active": True,
        "interval_minutes": 30,
        "max_pages": 2,
        "monthly_budget": 100,
        "ended_after_days": 3,
        "details_per_sweep": 1,
    }


def test_a_name_that_is_taken_is_refused_and_points_at_change() -> None:
    told("create", *HUBSPOT)
    for text in ("hubspot.com", "example.com"):
        with pytest.raises(ConfigurationError, match=r"called 'hubspot' already.*watch change 1$"):
            told("create", "hubspot", f"--text={text}")
    assert definitions() == [{"name": "hubspot", "text": "hubspot.com"}]
    told("create", *HUBSPOT, "--user=2")
    assert [row["id"] for row in listed("--user", "2")] == [2]


def test_only_what_is_given_changes() -> None:
    told("create", *HUBSPOT, "--region=US", "--budget=100")
    assert told("change", "hubspot", "--max-pages=1", "--name=crm") == (
        "Changed watch 1 (crm): at most 720 searches a month (1 page × 720 looks), budget 100"
    )
    said = told("change", "1", ADVERTISER_ID, "--clear=text", "--clear=monthly_budget")
    assert "its search is another one now: what it finds first counts as known" in said
    assert told("change", "crm", "--max-pages=1").startswith("Nothing to change in watch 1 (crm)")
    assert definitions() == [
        {"name": "crm", "advertiser_ids": [ADVERTISER_ID], "region": "2840", "max_pages": 1}
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--name=",), "name: is empty; name the watch."),
        (("--name=\u200b ",), "name: is empty; name the watch."),
        (("--text=",), "text: is empty; write it or leave it out, or empty it with: --clear text"),
        (("--region= ",), "region: is empty; write it or leave it out, or empty it with: --clear"),
        (("--advertiser= ",), "advertiser: is empty; write it or leave it out"),
        (("",), "advertiser_ids: is empty; write it or leave it out, or empty it with: --clear"),
    ],
)
def test_what_is_given_empty_is_refused_not_passed_over(
    arguments: tuple[str, ...], message: str
) -> None:
    told("create", *HUBSPOT, "--region=US")
    before = definitions()
    assert str(run("change", "hubspot", *arguments).exception).startswith(message)
    assert definitions() == before
    created = str(run("create", "crm", "--text=example.com", "--region=").exception)
    assert created == "region: is empty; write it or leave it out"


def test_advertisers_are_named_as_people_know_them(configured_database: str) -> None:
    async def fill() -> None:
        async with Database(configured_database) as database:
            await fill_library(database)
            twin = creative(9, advertiser_id=f"AR{9:020d}", advertiser="Café Zoë",
                            target_domain="zoe.example")  # fmt: skip
            async with database.session() as session:
                await save_creatives(session, rows=[twin])
                await session.commit()

    asyncio.run(fill())
    said = told("create", "shoes", "--advertiser", "new balance", "--advertiser", f"ar{7:020d}")
    assert f"Advertiser 'new balance' is {ADVERTISER_ID} (New Balance Athletic Shoe, Inc.)." in said
    assert definitions()[0]["advertiser_ids"] == sorted([ADVERTISER_ID, CAFE])
    told("change", "shoes", "--advertiser", "laufladen.example")
    assert definitions()[0]["advertiser_ids"] == [SHOP]
    for name, message in (
        ("café zoë", f"advertiser: 'café zoë' is the name of several: {CAFE} (Café Zoë, "
                     f"zoe.example.com); AR00000000000000000009 (Café Zoë, zoe.example); give the "
                     "AR number of the one that is meant"),
        ("Lauflden", "advertiser: none of 'Lauflden' is stored; did you mean 'Laufladen GmbH'? "
                     "Else find who advertises for a domain, for one search: adspark advertisers "
                     "find example.com --search"),
    ):  # fmt: skip
        with pytest.raises(InvalidQueryError) as raised:
            told("create", "coffee", "--advertiser", name)
        assert str(raised.value) == message
    assert len(definitions()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "shoes"), "advertiser_ids: give at least one"),
        (("create", "shoes", "AR1"), "is not an advertiser id"),
        (("change", "boots", "--every=90"), "There is no watch 'boots'; list them with: adspark"),
        (("change", "1", "--clear=text"), "advertiser_ids: give at least one"),
        (("change", "1", "--clear=name"), "clear: 'name' is not one of advertiser_ids, text"),
        (("change", "1", "--clear=region", "--region=US"), "clear: region is given as well"),
        (("pause", "boots"), "There is no watch 'boots'"),
        (("resume", "2"), "There is no watch '2'"),
        (("delete", "boots", "--yes"), "There is no watch 'boots'"),
        (("show", "1", "--user=2"), "There is no watch '1'"),
        (("import", "missing.yaml"), "missing.yaml: No such file or directory"),
        (("export", "watches.txt"), "a name that ends in .yaml, .yml or .csv"),
        (("export", "missing/w.csv"), "missing: there is no such folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_named_and_changes_nothing(arguments: tuple[str, ...], message: str) -> None:
    told("create", *HUBSPOT)
    with pytest.raises(ConfigurationError) as raised:
        told(*arguments)
    assert message in str(raised.value)
    assert definitions() == [{"name": "hubspot", "text": "hubspot.com"}]


def test_a_watch_rests_and_goes_on() -> None:
    told("create", *HUBSPOT)
    assert told("pause", "hubspot") == "Watch 1 (hubspot) is paused."
    assert told("pause", "1") == "Watch 1 (hubspot) is paused already."
    assert listed()[0]["state"] == "paused"
    assert told("resume", "hubspot") == "Watch 1 (hubspot) is active."


@pytest.mark.usefixtures("checked")
def test_deleting_asks_and_says_what_goes() -> None:
    what = "watch 1 (hubspot) with its links to 3 ads and its 3 events"
    refused = run("delete", "hubspot", typed="n\n")
    assert f"Delete {what}? The ads themselves stay." in " ".join(refused.stderr.split())
    assert refused.exit_code == 1
    assert len(listed()) == 1
    assert told("delete", "hubspot", typed="y\n").endswith(f"Deleted {what}.")
    assert listed() == []


@pytest.mark.usefixtures("checked")
def test_the_list_fits_a_terminal_and_says_why_a_check_saw_only_a_part() -> None:
    told("create", "a very long name of a watch", ADVERTISER_ID, "--user=2", "--region=US")
    lines = run("list").stdout.splitlines()
    said = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 100
    assert "1 1 hubspot hubspot.com partial 0 min 3 1 1/100" in said
    assert "2 2 a very long name AR0432…6177, United States waiting – 0 0 0 of a watch" in said
    assert "1 (hubspot): more ads than max_pages = 5 pages hold; raise it" in said


def test_watches_of_one_advertiser_differ_in_the_list_of_a_narrow_terminal(
    configured_database: str,
) -> None:
    long = "Aktiengesellschaft " * 4
    asyncio.run(_store_advertiser(configured_database, long))
    for number, region in enumerate(("DE", "AT", "CH"), 1):
        name = f"The autumn campaign, number {number}"
        told("create", name, ADVERTISER_ID, "--text=example.com", f"--region={region}")
    result = Command("watch").run("list")
    assert max(map(len, result.stdout.splitlines())) <= 80
    said = " ".join(result.stdout.split())
    assert "…" not in said
    for shown in ("Germany", "Austria", "Switzerland", "number 1", "number 2", "number 3"):
        assert said.count(shown) == 1


async def _store_advertiser(url: str, name: str) -> None:
    async with Database(url) as database, database.session() as session:
        await save_creatives(session, rows=[creative(1, advertiser=name)])
        await session.commit()


@pytest.mark.usefixtures("checked")
def test_one_watch_is_shown_with_its_latest_news_and_looks() -> None:
    said = told("show", "hubspot")
    for part in (
        "1 hubspot (active)",
        "at most 3,600 searches a month (5 pages × 720 looks), budget 100",
        "partial coverage: more ads than max_pages = 5 pages hold; raise it",
        "known ads 3; news in the last 7 days: 1",
        "searches 1/100 this month",
        "new Hubspot, Inc.",
        " partial 1 3 0 1 0",
    ):
        assert part in said
    document = json.loads(told("show", "1", "--json"))
    assert document["definition"]["name"] == "hubspot"
    assert [event["kind"] for event in document["events"]] == ["new"]
    assert [fetch["searches_billed"] for fetch in document["fetches"]] == [1]


def test_an_empty_list_says_how_to_begin() -> None:
    assert told("list") == "There are no watches; make one with: adspark watch create"
    assert told("export") == "watches: []"
    none = "No watch matches --user 55; all of them: adspark watch list"
    assert told("list", "--user=55") == none


@pytest.mark.parametrize("name", ["watches.yaml", "watches.csv"])
def test_what_is_exported_imports_without_a_change(name: str) -> None:
    told("create", *HUBSPOT, "--region=NO", "--budget=0")
    told("create", "shoes", ADVERTISER_ID, "--user=2")
    told("pause", "shoes")
    before = listed()
    assert told("export", name) == f"Wrote 2 watches to {name}."
    written = Path(name).read_text("utf-8-sig")
    assert written == run("export", f"--format={Path(name).suffix[1:]}").stdout
    assert told("import", name).endswith("0 created, 0 changed, 2 unchanged.")
    assert listed() == before


def test_a_spreadsheet_opens_an_exported_csv_with_its_letters() -> None:
    told("create", "Café Zoë", "--text=zoe.example.com")
    for name in ("w.csv", "w.yaml"):
        told("export", name)
    assert Path("w.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert not Path("w.yaml").read_bytes().startswith(codecs.BOM_UTF8)
    assert run("export", "--format=csv").stdout.startswith("name,")
    assert told("import", "w.csv").endswith("0 created, 0 changed, 1 unchanged.")


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked() -> None:
    told("create", *HUBSPOT)
    Path("w.csv").write_text("mine")
    with pytest.raises(InvalidQueryError, match=r"w\.csv is there already; name another, or give"):
        told("export", "w.csv")
    assert Path("w.csv").read_text() == "mine"
    assert told("export", "w.csv", "--force") == "Wrote 1 watch to w.csv."
    assert "hubspot.com" in Path("w.csv").read_text()


def test_a_mistake_in_a_file_imports_nothing_of_it() -> None:
    Path("w.yaml").write_text(
        "watches:\n- {name: good, text: a.com}\n- {name: bad, text: b.com, region: Germny}\n"
    )
    with pytest.raises(ConfigurationError, match=r"^w.yaml, row 2, watch 'bad': region: 'Germny'"):
        told("import", "w.yaml")
    assert listed() == []


def test_commands_on_watches_do_not_wait_for_prefect() -> None:
    script = "import sys; import deployments.cli.main; sys.exit('prefect' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


def test_the_data_is_that_of_the_running_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _warn_once.cache_clear()
    settings = Settings(home=tmp_path, database_url=SecretStr("postgresql://u:p@host/own"))
    assert current_settings(settings) is settings
    stack = StackState(home=sandbox_settings(settings, "sandbox").home, api_url="", ui_url="")
    stack.write(settings.home)
    found = current_settings(settings)
    assert (found.home, found.database_url) == (tmp_path / "sandbox", None)
    assert current_settings(settings).database_url is None
    said = capsys.readouterr()
    assert said.err.count("its own database is used, not that of ADSPARK_DATABASE_URL") == 1
    assert said.out == ""
    stack.model_copy(update={"home": tmp_path}).write(settings.home)
    assert current_settings(settings) is settings


def test_the_next_look_of_a_watch_heeds_its_budget(configured_database: str) -> None:
    told("create", *HUBSPOT, "--budget=0")
    said = told("show", "hubspot")
    assert "last look none yet complete never yet next look none, its budget is 0" in said
    assert "no budget" in told("list")
    assert listed()[0]["next_look"] is None

    async def look() -> datetime:
        async with Database(configured_database) as database:
            await add_looks(database, 1, [1])
            (row,) = await Place(database, "").rows(f"SELECT {NEXT_MONTH} AS begins")
            begins: datetime = row.begins
            return begins

    begins = asyncio.run(look())
    told("change", "hubspot", "--budget=1")
    assert f"next look {begins:%Y-%m-%d %H:%M}, its budget is spent" in told("show", "hubspot")
    told("change", "hubspot", "--budget=2")
    assert "its budget is spent" not in told("show", "hubspot")


def test_force_without_a_file_is_refused(configured_database: str) -> None:
    refused = Command("watch").run("export", "--force")
    assert str(refused.exception) == "--force: replaces a file; name it, or leave this out."
    assert refused.stdout == ""
