"""The rate limits as Prefect has them, and how much of them is used."""

from collections.abc import Iterable, Mapping

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from pydantic import BaseModel

from adspark.db.rates import GENERATIONS, SEARCHES, usual_limits
from orchestration.server.rate_health import read_limits


class Rate(BaseModel):
    """A rate limit over all workers.

    Attributes:
        a_minute: None is no limit: it was switched off.
        used: in the last minute; None where the database was not read.
    """

    name: str
    a_minute: int | None
    used: int | None = None


async def read_rates(client: PrefectClient, *, used: Mapping[str, int] | None = None) -> list[Rate]:
    """The limits of searches and generations; by their names what is used in the last minute."""
    return rates_of(await read_limits(client), used=used)


def rates_of(
    limits: Iterable[GlobalConcurrencyLimitResponse], *, used: Mapping[str, int] | None = None
) -> list[Rate]:
    """The same of limits that were read already."""
    numbers: dict[str, int | None] = {**usual_limits()}
    for one in limits:
        numbers[one.name] = one.limit if one.active else None
    return [
        Rate(
            name=name,
            a_minute=numbers[name],
            used=None if used is None else used.get(name, 0),
        )
        for name in (SEARCHES, GENERATIONS)
    ]
