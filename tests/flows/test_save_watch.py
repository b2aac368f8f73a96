"""The flow save-watch: what the form sends becomes a watch, and only what is given changes."""

import json
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.watches.definition import CLEARABLE, WatchDefinition
from adspark.watches.store import Outcome, SavedWatch
from adspark.watches.stored import list_watches
from flows.endings import PLAIN_JSON
from flows.save_watch import save_watch
from tests.support.factories import ADVERTISER_ID

pytestmark = pytest.mark.usefixtures("environment")

# What Prefect's form sends of fields that nobody touched.
UNTOUCHED = dict.fromkeys(
    ("advertiser_ids", "text", "region", "platform", "creative_format", "political_ads",
     "interval_minutes", "max_pages", "monthly_budget", "ended_after_days", "details_per_sweep",
     "is_active", "clear")
)  # fmt: skip


async def stored(database: Database) -> list[WatchDefinition]:
    """The definitions in the database."""
    async with database.session() as session:
        return [row.definition for row in await list_watches(session)]


async def save(**parameters: Any) -> SavedWatch:  # noqa: ANN401
    """Send the form with only these fields touched."""
    state: State[SavedWatch] = await save_watch(
        **UNTOUCHED | {"name": "shoes"} | parameters, return_state=True
    )
    return await state.aresult()


async def test_a_watch_is_created_then_changed_where_something_is_given(database: Database) -> None:
    first = await save(advertiser_ids=[ADVERTISER_ID], monthly_budget=100)
    second = await save(region="US", is_active="no")
    third = await save(is_active=False)
    assert (first.outcome, first.begins_anew) == (Outcome.CREATED, False)
    assert (second.id, second.outcome, second.begins_anew) == (first.id, Outcome.CHANGED, True)
    assert third.outcome is Outcome.UNCHANGED
    assert await stored(database) == [
        WatchDefinition(
            name="shoes",
            advertiser_ids=(ADVERTISER_ID,),
            region="2840",
            monthly_budget=100,
            is_active=False,
        )
    ]


@pytest.mark.parametrize("clear", ["region", ["region", "monthly_budget"]])
async def test_a_field_is_emptied_by_naming_it(database: Database, clear: str | list[str]) -> None:
    await save(text="example.com", region=2840, monthly_budget=5)
    await save(clear=clear)
    (watch,) = await stored(database)
    assert watch.region is None
    assert watch.monthly_budget == (5 if clear == "region" else None)


async def test_the_same_name_of_another_user_is_another_watch(database: Database) -> None:
    await save(text="example.com")
    await save(text="example.com", user_id=2)
    assert [watch.user_id for watch in await stored(database)] == [1, 2]


async def test_the_result_is_kept_and_warnings_and_cost_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    saved = await save(text="www.example.com")
    told = [record.getMessage() for record in caplog.records]
    assert saved == SavedWatch(id=1, outcome=Outcome.CREATED)
    assert save_watch.persist_result
    assert save_watch.result_serializer == PLAIN_JSON
    document = PLAIN_JSON.dumps(saved)
    assert PLAIN_JSON.loads(document) == json.loads(document) == saved.model_dump(mode="json")
    assert "text: searching for 'example.com', since only a bare domain finds ads." in told
    assert (
        "Finished in state Completed('Watch 1 (shoes): created; at most 3,600 searches a month "
        "(5 pages × 720 looks), budget none')"
    ) in told


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({}, "advertiser_ids: give at least one", id="nothing to search"),
        pytest.param({"text": "x.com", "region": "Germny"}, "did you mean 'Germany'", id="region"),
        pytest.param({"name": " "}, "name: is empty", id="name"),
        pytest.param({"text": "x.com", "max_pages": 0}, "max_pages: must be 1 to 100", id="pages"),
        pytest.param({"text": "x.com", "user_id": 0}, "user_id: must be 1 or more", id="user"),
        pytest.param({"text": "x.com", "clear": "name"}, "clear: 'name' is not one", id="clear"),
    ],
)
async def test_bad_input_fails_with_its_remedy_and_writes_nothing(
    database: Database, parameters: dict[str, Any], message: str
) -> None:
    state: State[SavedWatch] = await save_watch(**{"name": "shoes"} | parameters, return_state=True)
    assert state.is_failed()
    assert message in (state.message or "")
    with pytest.raises((InvalidQueryError, ParameterTypeError)):
        await state.aresult()
    assert await stored(database) == []


def test_the_form_shows_a_plain_field_for_each_parameter() -> None:
    fields = save_watch.parameters.properties
    assert save_watch.parameters.required == ["name"]
    assert {fields[name]["type"] for name in ("max_pages", "monthly_budget")} == {"integer"}
    # A boolean field would send "false" when nobody touched it, and so pause the watch.
    assert fields["is_active"]["enum"] == fields["political_ads"]["enum"] == ["yes", "no"]
    assert fields["clear"]["items"]["enum"] == list(CLEARABLE)
    assert not [name for name, field in fields.items() if "anyOf" in field]
