"""Days as people and programs write them."""

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from adspark.errors import InvalidQueryError
from adspark.library.filters.parsing import Day, parse_day


def test_a_day_is_read() -> None:
    assert parse_day("day", " 2026-08-01 ") == date(2026, 8, 1)
    assert TypeAdapter(Day).validate_python("2026-08-01") == date(2026, 8, 1)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("٢٠٢٦-08-01", id="digits that no date field shows"),
        pytest.param("2026-8-1", id="without its noughts"),
        pytest.param("1785542400", id="a number of seconds"),
        pytest.param("0", id="nought"),
    ],
)
def test_what_is_no_day_by_iso_8601_is_refused(written: str) -> None:
    with pytest.raises(InvalidQueryError, match=f"'{written}' is not a day; write it as"):
        parse_day("day", written)
    with pytest.raises(ValidationError, match="is not a day; write it as"):
        TypeAdapter(Day).validate_python(written)


@pytest.mark.parametrize("sent", [0, 1785542400, 1.5])
def test_a_number_that_a_program_sends_is_no_day(sent: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValidationError, match="is not a day; write it as"):
        TypeAdapter(Day).validate_python(sent)


def test_a_day_that_the_calendar_lacks_is_named() -> None:
    with pytest.raises(InvalidQueryError, match="the calendar has no 2026-02-30"):
        parse_day("day", "2026-02-30")
