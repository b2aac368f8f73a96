"""A sweep that was tried again, as the database and its last part tell it together."""

from adspark.watches.sweep_store import SweepSummary


def test_a_watch_that_another_run_has_claimed_is_skipped_and_waits_for_nothing() -> None:
    stored = SweepSummary(due=10, checked=8, waiting=2, over_budget=1)
    told = stored.with_skipped(SweepSummary(due=3, checked=2, skipped=1, sandbox=True))
    assert (told.waiting, told.skipped, told.checked, told.sandbox) == (1, 1, 8, True)
    assert told.is_whole


def test_one_that_was_not_begun_still_waits() -> None:
    stored = SweepSummary(due=10, checked=8, waiting=2)
    told = stored.with_skipped(SweepSummary(due=2, waiting=1, skipped=1))
    assert (told.waiting, told.skipped) == (1, 1)
    assert not told.is_whole


def test_one_that_was_deleted_meanwhile_is_not_skipped_twice() -> None:
    stored = SweepSummary(due=10, checked=9, skipped=1)
    told = stored.with_skipped(SweepSummary(due=1, skipped=1))
    assert (told.checked, told.waiting, told.skipped) == (9, 0, 1)
