"""Confirmations: known again for their act and price alone, and for a time."""

from collections.abc import Callable

import pytest

from adspark.errors import InvalidQueryError
from deployments.mcp.confirmation import Confirmations

PURPOSE = "At most 2 searches: look now at watch 1 (shoes [2])."
ACT = "1 look_now shoes"


def test_each_has_a_key_of_its_own_that_stays() -> None:
    made = Confirmations()
    written = made.make(PURPOSE, act=ACT)

    assert written.startswith(PURPOSE)
    key = made.check(f" {written}\n", PURPOSE, act=ACT)
    assert made.check(written, PURPOSE, act=ACT) == key
    assert made.secret.hex() not in written
    assert repr(made) == "Confirmations(seconds=900.0)"


@pytest.mark.parametrize(
    ("seconds", "change", "act", "problem"),
    [
        (900.0, lambda one: one.replace("2 searches", "1 search"), ACT, "is not that of this act"),
        (
            900.0,
            lambda one: one[:-3] + ("00]" if not one.endswith("00]") else "11]"),
            ACT,
            "is not that of this act",
        ),
        (900.0, lambda one: one.replace("[", "[1"), ACT, "is not that of this act"),
        (900.0, lambda _: "", ACT, "is not that of this act"),
        (900.0, lambda one: one, "2 look_now shoes", "is not that of this act"),
        (-1.0, lambda one: one, ACT, "is older than a quarter of an hour"),
    ],
    ids=["another price", "another signature", "another time", "none", "another user", "too old"],
)
def test_others_are_refused(
    seconds: float, change: Callable[[str], str], act: str, problem: str
) -> None:
    made = Confirmations(seconds)
    written = change(made.make(PURPOSE, act=ACT))

    with pytest.raises(InvalidQueryError, match=problem):
        made.check(written, PURPOSE, act=act)
