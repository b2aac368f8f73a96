"""Watches from a file: what it does not name stays, changes are said, mistakes write nothing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.errors import ConfigurationError
from tests.support.factories import ADVERTISER_ID
from tests.support.watch_commands import command, definitions, listed, run, told
from tests.support.watching import Place

OTHER_ID = "AR01566006373894848513"
FULL = (
    "New Balance", ADVERTISER_ID, "--region=DE", "--platform=search", "--format=image",
    "--political-ads", "--every=1440", "--max-pages=2", "--budget=500", "--ended-after=9",
    "--details=1",
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("configured_database")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stored() -> dict[str, Any]:
    """The definition of the only watch."""
    (row,) = listed()
    definition: dict[str, Any] = row["definition"]
    return definition


@pytest.mark.parametrize(
    ("name", "content", "changes"),
    [
        ("w.csv", f"name,advertiser_ids,region\nNew Balance,{ADVERTISER_ID},DE\n", {}),
        ("w.csv", "name,monthly_budget\nNew Balance,700\n", {"monthly_budget": 700}),
        ("w.csv", "name,monthly_budget\nNew Balance,\n", {"monthly_budget": None}),
        (
            "w.csv",
            "name,user_id,interval_minutes,is_active,platform\nNew Balance,,,,\n",
            {"interval_minutes": 60, "is_active": True, "platform": None},
        ),
        ("w.yaml", "watches: [{name: New Balance, max_pages: 4}]", {"max_pages": 4}),
        (
            "w.yaml",
            "watches: [{name: New Balance, monthly_budget: null, creative_format: ''}]",
            {"monthly_budget": None, "creative_format": None},
        ),
        ("w.yaml", "watches: [{name: New Balance}]", {}),
    ],
)
def test_a_field_that_is_not_in_the_file_stays_and_one_that_is_empty_is_emptied(
    name: str, content: str, changes: dict[str, Any]
) -> None:
    told("create", *FULL)
    told("pause", "New Balance")
    before = stored()
    Path(name).write_text(content)
    told("import", name)
    assert stored() == before | changes


@pytest.mark.parametrize("name", ["w.yaml", "w.csv"])
def test_an_export_restores_watches_that_were_changed_or_deleted_meanwhile(name: str) -> None:
    told("create", *FULL)
    told("create", "plain", "--text=example.com")
    told("create", "other's", OTHER_ID, "--user=2", "--region=US")
    told("pause", "New Balance")
    before = definitions()
    told("export", name)
    told("change", "New Balance", OTHER_ID, "--text=example.com", "--clear=platform", "--every=5")
    told("change", "New Balance", "--clear=monthly_budget", "--all-ads")
    told("resume", "New Balance")
    told("pause", "plain")
    told("change", "plain", "--budget=9", "--region=US", "--details=3", "--format=video")
    told("delete", "other's", "--yes")
    assert told("import", name).endswith("1 created, 2 changed, 0 unchanged.")
    assert definitions() == before
    for watch in ("New Balance", "plain", "other's"):
        told("delete", watch, "--yes")
    assert told("import", name).endswith("3 created, 0 changed, 0 unchanged.")
    assert definitions() == before


def test_an_import_says_what_changes_and_what_it_costs_and_a_dry_run_says_the_same() -> None:
    told("create", *FULL)
    told("pause", "New Balance")
    told("create", "plain", "--text=example.com")
    Path("w.csv").write_text(
        "name,text,region,interval_minutes,monthly_budget,is_active,political_ads\n"
        "New Balance,,US,60,,,yes\nplain,example.com,,,,no,\nnew [one],new.com,,,9,,\n"
    )
    said = [
        "Warning: watch 'New Balance': its search is another one now: what it finds first counts "
        "as known.",
        "changed: New Balance: region DE → US, resumed, interval_minutes 1440 → 60, "
        "monthly_budget 500 → none",
        "  at most 2,160 searches a month (2 pages + 1 details × 720 looks), budget none",
        "created: new [one]",
        "  at most 3,600 searches a month (5 pages × 720 looks), budget 9",
        "changed: plain: paused",
        "  at most 3,600 searches a month (5 pages × 720 looks), budget none",
    ]
    before = listed()
    tried = run("import", "w.csv", "--dry-run").stdout.splitlines()
    assert tried == [
        *said,
        "1 created, 2 changed, 0 unchanged; nothing is written in a dry run.",
    ]
    assert listed() == before
    kept = run("import", "w.csv").stdout.splitlines()
    assert kept == [*said, "1 created, 2 changed, 0 unchanged."]


def test_a_program_is_told_each_field_before_and_after() -> None:
    told("create", "shoes", ADVERTISER_ID, "--budget=500")
    Path("w.csv").write_text(f"name,advertiser_ids,monthly_budget\nshoes,{OTHER_ID},\n")
    document = command.given("import", "w.csv", "--dry-run")
    assert document["watches"] == [
        {
            "user_id": 1,
            "name": "shoes",
            "outcome": "changed",
            "changes": [
                {"field": "advertiser_ids", "before": [ADVERTISER_ID], "after": [OTHER_ID]},
                {"field": "monthly_budget", "before": 500, "after": None},
            ],
            "begins_anew": True,
            "cost": "at most 3,600 searches a month (5 pages × 720 looks), budget none",
        }
    ]
    assert document["warnings"] == [
        "watch 'shoes': its search is another one now: what it finds first counts as known."
    ]


def test_a_watch_keeps_what_it_knows_where_a_file_leaves_its_search_alone(
    configured_database: str, sandbox_url: str
) -> None:
    told("create", "hubspot", "--text=hubspot.com", "--region=US")

    async def check() -> None:
        async with Database(configured_database) as database:
            await Place(database, sandbox_url).check(1)

    asyncio.run(check())
    before = listed()[0]["creatives"]
    Path("w.csv").write_text("name,monthly_budget\nhubspot,50\n")
    assert "another one now" not in told("import", "w.csv")
    assert listed()[0]["creatives"] == before > 0
    Path("w.csv").write_text("name,region\nhubspot,\n")
    assert "its search is another one now" in told("import", "w.csv")
    assert listed()[0]["creatives"] == 0


def test_every_mistake_is_named_by_its_row_and_nothing_is_written() -> None:
    told("create", "shoes", ADVERTISER_ID, "--budget=500")
    before = listed()
    Path("w.csv").write_text(
        "name,advertiser_ids,region,max_pages,monthly_budget\n"
        f"zebra,{ADVERTISER_ID},Germny,1.5,\n"  # the region is not looked up: a cell is wrong
        f"good,{ADVERTISER_ID},US,,\n"
        f"yak,{ADVERTISER_ID},Germny,,\n"
        "shoes,,,,9\n"
        f"ant,{ADVERTISER_ID},,{'9' * 5000},\n"
        f"good,{ADVERTISER_ID},,,\n"
        f"7,{ADVERTISER_ID},,,\n"
    )
    with pytest.raises(ConfigurationError) as raised:
        told("import", "w.csv")
    lines = [line.removeprefix("w.csv, ") for line in str(raised.value).splitlines()]
    assert [line.split(". ")[0][:75] for line in lines] == [
        "row 1 (line 2), watch 'zebra': max_pages: '1.5' is not a whole number.",
        "row 3 (line 4), watch 'yak': region: 'Germny' is not a region",
        "row 4 (line 5), watch 'shoes': advertiser_ids: give at least one advertiser",
        "row 5 (line 6), watch 'ant': max_pages: must be 1 to 100, not one of more t",
        "row 6 (line 7), watch 'good': name: is in row 2 (line 3) already; leave one",
        "row 7 (line 8), watch '7': name: '7' would be taken for a number; write a l",
    ]
    assert listed() == before


@pytest.mark.parametrize("written", ["false", "true", "on"])
def test_a_region_that_is_none_is_refused_with_its_remedy(written: str) -> None:
    Path("w.yaml").write_text(f"watches: [{{name: a, text: x.com, region: {written}}}]")
    with pytest.raises(ConfigurationError, match=f"region: '{written}' is not a region. Give an"):
        told("import", "w.yaml")


def test_a_file_that_names_only_a_budget_is_no_watch_where_there_is_none_yet() -> None:
    Path("w.csv").write_text("name,monthly_budget\nshoes,9\n")
    with pytest.raises(
        ConfigurationError, match=r"row 1 \(line 2\), watch 'shoes': advertiser_ids"
    ):
        told("import", "w.csv")


def test_warnings_name_their_place() -> None:
    Path("w.csv").write_text("name,text\na,x.com\nb,www.y.com\n")
    assert told("import", "w.csv").startswith(
        "Warning: w.csv, row 2 (line 3), watch 'b': text: searching for 'y.com', since only a bare "
        "domain finds ads."
    )
