"""How much of each rate limit was used within its window; see `adspark/db/rate_limits.py`."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.rate_limits import WINDOW

_COUNT = text("""
    SELECT name, count(*)::int FROM rate_slot
    WHERE taken_at > clock_timestamp() - make_interval(secs => :window) GROUP BY name
""")


async def count_uses(session: AsyncSession) -> dict[str, int]:
    """Uses in the last window, by the limit's name; what was not used is not in it."""
    rows = await session.execute(_COUNT, {"window": WINDOW})
    return {str(name): int(number) for name, number in rows.tuples()}
