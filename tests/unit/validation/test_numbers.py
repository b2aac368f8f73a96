"""Whole numbers as they are typed: a large one is a number too, that its bounds refuse."""

import pytest
from pydantic import TypeAdapter, ValidationError

from adspark.validation.bounds import PORT
from adspark.validation.numbers import Whole, read_whole


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0", 0), ("17", 17), ("-17", -17), ("0" * 5000 + "17", 17), ("9" * 20, int("9" * 20)),
        ("", None), ("-", None), ("--1", None), ("1.5", None), ("1e2", None), ("٣", None),
        ("1_000", None), ("many", None),
    ],
)  # fmt: skip
def test_a_whole_number_is_read_and_nothing_else(written: str, number: int | None) -> None:
    assert read_whole(written) == number


@pytest.mark.parametrize("written", ["1_000", "1.0", "+1", " 1", "٣", ""])
def test_an_address_takes_digits_alone(written: str) -> None:
    assert TypeAdapter(Whole).validate_python("-17") == -17
    with pytest.raises(ValidationError, match="int_parsing"):
        TypeAdapter(Whole).validate_python(written)


@pytest.mark.parametrize("written", ["9" * 100, "-" + "9" * 100, "9" * 10_000])
def test_a_number_of_very_many_digits_is_out_of_bounds(written: str) -> None:
    assert PORT.problem_of(read_whole(written)) == (
        "must be 1 to 65535, not one of more than 30 digits"
    )
