"""Columns of choices hold text in the database, and members of their enums in Python."""

from enum import StrEnum
from typing import Any, get_args

import pytest
from sqlalchemy import select, text
from sqlmodel import SQLModel, col

from adspark.creatives.ledger import finish_fetch, resume_or_create_fetch
from adspark.db.engine import Database
from adspark.models import (
    AdVariant,
    Advertiser,
    Coverage,
    Creative,
    CreativeEvent,
    CreativeFormat,
    EventKind,
    Fetch,
    FetchStatus,
    Platform,
    StopReason,
    VariantStatus,
    Watch,
)
from adspark.watches.news import read_news
from adspark.watches.stored import list_watches
from tests.support.factories import ADVERTISER_ID, query

AD = f"CR{1:020d}"


def models() -> list[type[SQLModel]]:
    """The classes of all tables."""
    found = [mapper.class_ for mapper in SQLModel._sa_registry.mappers]
    return sorted(found, key=lambda model: model.__name__)  # mappers are a set


def choices() -> list[tuple[type[SQLModel], str, type[StrEnum]]]:
    """Every field of a table whose type is an enum."""
    return [
        (model, name, kind)
        for model in models()
        for name, field in model.model_fields.items()
        for kind in (field.annotation, *get_args(field.annotation))
        if isinstance(kind, type) and issubclass(kind, StrEnum)
    ]


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [pytest.param(*one, id=f"{one[0].__name__}.{one[1]}") for one in choices()],
)
def test_every_member_comes_back_from_its_column(
    model: type[SQLModel], name: str, kind: type[StrEnum]
) -> None:
    column = getattr(model, name).type
    for member in kind:
        stored = column.process_bind_param(member, None)
        assert type(stored) is str
        assert column.process_result_value(stored, None) is member
    assert column.process_result_value(None, None) is None


async def store(database: Database) -> None:
    """A row of every table that has such columns."""
    ad: dict[str, Any] = {
        "ad_creative_id": AD,
        "advertiser_id": ADVERTISER_ID,
        "format": CreativeFormat.TEXT,
    }
    made: list[Any] = [
        Watch(
            user_id=1, name="w", advertiser_ids=[ADVERTISER_ID], platform=Platform.MAPS,
            creative_format=CreativeFormat.VIDEO, coverage=Coverage.PARTIAL,
        ),
        Advertiser(advertiser_id=ADVERTISER_ID, name="a"),
        Creative(**ad),
        Fetch(
            query={}, query_hash="", status=FetchStatus.COMPLETED, stop_reason=StopReason.WATERMARK
        ),
    ]  # fmt: skip
    async with database.session() as session:
        for one in made:
            session.add(one)
            await session.flush()
        session.add(AdVariant(original_ad_id=AD, user_id=1, prompt="p"))
        session.add(
            CreativeEvent(watch_id=made[0].id, ad_creative_id=AD, kind=EventKind.ENDED,
                          content_hash="")
        )  # fmt: skip
        await session.commit()


async def test_rows_have_members_after_a_read(database: Database) -> None:
    await store(database)
    async with database.session() as session:
        watch = (await session.scalars(select(Watch))).one()
        fetch = (await session.scalars(select(Fetch))).one()
        creative = (await session.scalars(select(Creative))).one()
        variant = (await session.scalars(select(AdVariant))).one()
        kind = await session.scalar(select(col(CreativeEvent.kind)))
    assert watch.platform is Platform.MAPS
    assert watch.creative_format is CreativeFormat.VIDEO
    assert watch.coverage is Coverage.PARTIAL
    assert fetch.status is FetchStatus.COMPLETED
    assert fetch.stop_reason is StopReason.WATERMARK
    assert creative.format is CreativeFormat.TEXT
    assert variant.status is VariantStatus.PENDING
    assert kind is EventKind.ENDED


async def test_rows_of_written_sql_have_members_as_well(database: Database) -> None:
    await store(database)
    fetch = await resume_or_create_fetch(database, query=query())
    async with database.session() as session:
        opened_as = fetch.status
        await finish_fetch(session, fetch=fetch, stop_reason=StopReason.END)
        assert opened_as is FetchStatus.RUNNING
        assert fetch.status is FetchStatus.COMPLETED
        assert fetch.stop_reason is StopReason.END
        (watch,) = await list_watches(session)
        assert watch.coverage is Coverage.PARTIAL
        assert watch.definition.platform is Platform.MAPS
        since = await session.scalar(text("SELECT now() - interval '1 day'"))
        (news,) = await read_news(session, watch_ids=[watch.id], since=since, limit=1)
        assert news.kind is EventKind.ENDED


async def test_what_is_no_member_is_refused_before_it_is_stored(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(Exception, match="'odd' is not a valid FetchStatus"):
            await session.scalar(select(Fetch).where(col(Fetch.status) == "odd"))
