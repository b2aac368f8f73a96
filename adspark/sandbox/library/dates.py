"""Days of the recorded ads, moved so that the day of their recording is today.

Ads that were last shown months ago would be old to the clean-up and ended to every watch. Only
whole days are added: what lies between the days of an ad, and between ads, stays as it was.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from adspark.sandbox.library.catalogue import Catalogue, Row

_DAY = 86_400  # seconds
FIRST_RECORDING = 1_786_575_600  # 2026-08-12 23:00 UTC
# What was still shown after the first: 2026-09-21 13:40 UTC.
_LAST_RECORDING = 1_789_998_000
_COMPACT = "%Y%m%d"


def days_to_move(now: datetime, last_shown: int = 0) -> int:
    """Whole days from the recording of an ad with this `last_shown` (epoch seconds) until now."""
    recorded = FIRST_RECORDING if last_shown <= FIRST_RECORDING else _LAST_RECORDING
    return max(0, (int(now.timestamp()) - recorded) // _DAY)


def move_row(row: Row, now: datetime) -> Row:
    """A row with its days moved; a day that it lacks stays absent."""
    seconds = days_to_move(now, int(row.get("last_shown", 0))) * _DAY
    moved = {
        name: int(row[name]) + seconds for name in ("first_shown", "last_shown") if name in row
    }
    return row | moved


def move_information(information: dict[str, object], now: datetime) -> dict[str, object]:
    """What a recorded answer about one ad tells, with its days moved: seconds, and 20260812."""
    days = days_to_move(now)
    moved = dict(information)
    if isinstance(shown := information.get("last_shown"), int):
        moved["last_shown"] = shown + days * _DAY
    if isinstance(regions := information.get("regions"), list):
        moved["regions"] = [_move_region(region, days) for region in regions]
    return moved


def _move_region(region: dict[str, object], days: int) -> dict[str, object]:
    names = ("first_shown", "last_shown")
    return region | {name: _move_day(region[name], days) for name in names if name in region}


def _move_day(written: object, days: int) -> int:
    day = datetime.strptime(str(written), _COMPACT).replace(tzinfo=UTC).date()
    moved: date = day + timedelta(days=days)
    return int(moved.strftime(_COMPACT))


class MovingCatalogue:
    """The catalogue of the day: made anew once a day has passed since the recording.

    Args:
        make: the catalogue at a moment.
    """

    def __init__(self, make: Callable[[datetime], Catalogue]) -> None:
        self._make = make
        self._days: tuple[int, int] | None = None
        self._current: Catalogue | None = None

    def at(self, now: datetime) -> Catalogue:
        """The catalogue at a moment; the same one for the whole day."""
        days = (days_to_move(now), days_to_move(now, _LAST_RECORDING))
        if self._current is None or days != self._days:
            self._current, self._days = self._make(now), days
        return self._current
