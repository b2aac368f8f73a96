"""Whatever happens to ads, answers, processes and stored rows: a watch tells the truth, once.

A list of ads is changed at random, checked with random faults, cleaned up and told of; beside it a
model keeps what is true. After each step, what the watch has told is held against it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.maintenance.cleanup import Retention, clean_up
from adspark.media.store import MediaStore
from adspark.models import Coverage
from adspark.notifications.digest import mark_digested, read_digest
from adspark.serpapi.client import SerpApiClient
from adspark.watches.check import Checker, WatchSummary
from tests.support.listing import ADVERTISER, DAY, Answered, Fault, Listing
from tests.support.watching import KEY

FAULTS = ("none", "bad row", "broken off", "cut off", "empty", "unordered")

ENDED_AFTER = 7
_LAG = 2 * DAY
_STEP = 300.0  # seconds before something is launched, so that it is later than what was before

# Of every table that a watch writes to; time passes by moving the past back.
_TIMES = {
    "watch": ("baseline_at", "complete_at", "checked_at", "due_at", "created_at", "updated_at"),
    "watch_creative": ("first_matched_at", "last_matched_at", "last_shown", "ended_at"),
    "creative": ("first_shown", "last_shown", "created_at", "updated_at"),
    "creative_event": ("occurred_at", "announced_at", "notified_at"),
    "fetch": ("started_at", "updated_at", "finished_at"),
    "rejected_row": ("created_at",),
}


class Died(BaseException):
    """The process is gone; nothing in it may tidy up."""


@contextmanager
def dying_at_commit(number: int, *, after: bool) -> Iterator[None]:
    """Meanwhile the process dies at its n-th commit, before it or after."""
    left = number

    def count(_: Session) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Died

    name = "after_commit" if after else "before_commit"
    event.listen(Session, name, count)
    try:
        yield
    finally:
        event.remove(Session, name, count)


class Watching(RuleBasedStateMachine):
    """A watch, the ads that it looks for, and what is true of them."""

    database: ClassVar[Database]
    runner: ClassVar[asyncio.Runner]
    media: ClassVar[MediaStore]

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing()
        self.log: list[Any] = []  # every event that there ever was
        self.told: Counter[int] = Counter()  # events by how many digests told them
        self.ages: dict[int, float] = {}  # of events, in seconds
        self.unwanted: set[int] = set()  # events that nobody was told of for so long as ads stay
        self.at_baseline: set[str] = set()  # ads that were listed when the first look began
        self.launched: set[str] = set()  # ads that began after that
        self.resumed: Counter[str] = Counter()
        self.altered: Counter[str] = Counter()
        self.do(self._begin())

    def do(self, work: Any) -> Any:  # noqa: ANN401
        return self.runner.run(work)

    async def _begin(self) -> None:
        tables = ", ".join(f'"{name}"' for name in _TIMES)
        await self._change(f"TRUNCATE {tables}, advertiser RESTART IDENTITY CASCADE")
        await self._change(
            "INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active, "
            f"ended_after_days) VALUES (1, 'w', ARRAY['{ADVERTISER}'], false, true, {ENDED_AFTER})"
        )

    # What happens to ads.

    @initialize(running=st.sampled_from([0, 2, 130, 190]), ended=st.sampled_from([0, 2, 130]))
    def there_are_ads(self, running: int, ended: int) -> None:
        for number in range(running):
            self.listing.add(began=(40 + number) * DAY)
        for number in range(ended):
            self.listing.add(began=1400 * DAY, last=(900 + number) * DAY, is_running=False)

    @rule()
    def an_ad_is_launched(self) -> None:
        self._pass(_STEP)
        ad = self.listing.add(began=0.0)
        if self.log_has_begun:
            self.launched.add(ad.id)

    @rule()
    def an_old_ad_is_listed_late(self) -> None:
        self.listing.add(began=1400 * DAY, last=1000 * DAY, is_running=False)

    @precondition(lambda self: self.listing.ads)
    @rule(data=st.data())
    def an_ad_is_altered(self, data: st.DataObject) -> None:
        ad = self._any(data)
        ad.version += 1
        self.altered[ad.id] += 1

    @precondition(lambda self: self.listing.ads)
    @rule(data=st.data(), is_listed=st.booleans())
    def an_ad_stops(self, data: st.DataObject, is_listed: bool) -> None:
        ad = self._any(data)
        ad.is_running, ad.is_listed = False, is_listed

    @precondition(lambda self: self.listing.ads)
    @rule(data=st.data())
    def an_ad_runs_again(self, data: st.DataObject) -> None:
        ad = self._any(data)
        ad.is_running = ad.is_listed = True
        ad.last = 0.0
        self.resumed[ad.id] += 1

    @rule(days=st.sampled_from([1, 3, 10, 40]))
    def days_pass(self, days: int) -> None:
        self._pass(days * DAY)

    # What is done about them.

    @rule(kind=st.sampled_from(FAULTS), page=st.integers(0, 2))
    def it_is_checked(self, kind: str, page: int) -> None:
        self._check(Fault(kind, page))

    @rule(commit=st.integers(1, 9), after=st.booleans())
    def a_check_dies(self, commit: int, after: bool) -> None:
        self._check(Fault(), lambda: dying_at_commit(commit, after=after))

    @rule(search=st.integers(1, 3))
    def a_check_loses_its_lock_to_another(self, search: int) -> None:
        self._check(Fault(), loses_lock_at=search)

    @rule(days_old=st.sampled_from([1, 30]))
    def it_is_cleaned_up(self, days_old: int) -> None:
        self.do(clean_up(self.database, self.media, Retention(days_old=days_old)))
        self.unwanted |= {one for one, age in self.ages.items() if age >= days_old * DAY}

    @rule()
    def a_digest_is_sent(self) -> None:
        self.do(self._digest())

    # What has to hold.

    @invariant()
    def nothing_is_told_twice_or_falsely(self) -> None:
        kinds: dict[str, Counter[str]] = {}
        for one in self.log:
            kinds.setdefault(one.kind, Counter())[one.ad_creative_id] += 1
        new, baseline = kinds.get("new", Counter()), kinds.get("baseline", Counter())
        assert not (new + baseline) - Counter({*new, *baseline}), "known twice"
        assert not set(new) & self.at_baseline, "an ad of the first look is no launch"
        changes = Counter(
            (one.ad_creative_id, one.content_hash) for one in self.log if one.kind == "changed"
        )
        assert not changes - Counter(set(changes)), "a change is told once"
        assert not kinds.get("changed", Counter()) - self.altered, "more changes than there were"
        assert not kinds.get("reactivated", Counter()) - self.resumed, "nobody has resumed it"

    @invariant()
    def every_event_is_told_in_one_digest_at_most(self) -> None:
        assert all(number == 1 for number in self.told.values())
        told = {one.id for one in self.log if one.kind != "baseline"}
        assert set(self.told) <= told

    @property
    def log_has_begun(self) -> bool:
        return bool(self.listing.lists)

    def _check(
        self,
        fault: Fault,
        death: Callable[[], Any] | None = None,
        loses_lock_at: int | None = None,
    ) -> None:
        if not self.log_has_begun:
            self.at_baseline = {ad.id for ad in self.listing.ads if ad.is_listed}
        self.listing.fault = fault
        before = self.do(self._state())
        summary = self.do(self._run(death, loses_lock_at))
        self.listing.fault = Fault()
        after = self.do(self._state())
        news = [one for one in after["events"] if one.id > max([0, *(o.id for o in self.log)])]
        self.log += news
        self.ages |= {one.id: 0.0 for one in news}
        if not self.listing.lists:
            return
        answered = self.listing.lists[self.listing.latest]
        if before["baseline_at"] is None:
            self.launched -= set(answered.ads)
        self._hold_endings(answered, news)
        if summary and summary.coverage is Coverage.COMPLETE:
            self._hold_complete(answered, before, after)
            if not summary.resumed and not loses_lock_at:
                unknown = {one for one in answered.served if one not in before["links"]}
                assert after["fetch"].new_count == len(unknown), "new is what was not known"
        elif fault.kind == "none" and not death and not loses_lock_at and answered.rows:
            raise AssertionError(f"nothing was wrong, but: {summary}")

    def _hold_endings(self, answered: Answered, news: list[Any]) -> None:
        """What is said to have ended was not shown for so long, as far as the list tells."""
        for one in news:
            ad = answered.ads.get(one.ad_creative_id)
            if one.kind == "ended" and ad:
                assert not ad.is_running, "it runs"
                assert ad.last > ENDED_AFTER * DAY - _STEP, "it was shown lately"

    def _hold_complete(
        self, answered: Answered, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        """Complete means: all that was shown since the last complete look is known as it is."""
        if not answered.served and all(one.ended_at for one in before["links"].values()):
            return  # nothing was seen, nor was anything expected
        look_back = before["seconds_back"]
        kinds = Counter((one.kind, one.ad_creative_id) for one in self.log)
        told = {(one.ad_creative_id, one.content_hash) for one in self.log}
        for ad in answered.ads.values():
            if look_back is not None and ad.last > look_back + _LAG - _STEP:
                continue
            assert ad.id in answered.served, "complete, but it was never shown to us"
            assert ad.id in after["links"], "complete, but it is not known"
            link = after["links"][ad.id]
            assert link.content_hash == ad.content_hash, "complete, but it is known otherwise"
            assert (ad.id, ad.content_hash) in told, "as it is now it was never told"
            if ad.id in self.launched:
                assert kinds["new", ad.id] == 1, "a launch was not told"
            if not ad.is_running and ad.last > ENDED_AFTER * DAY + _STEP:
                assert link.ended_at is not None, "it has ended, unnoticed"
            if ad.is_running:
                assert link.ended_at is None, "it runs, and is taken for ended"

    async def _run(
        self, death: Callable[[], Any] | None, loses_lock_at: int | None
    ) -> WatchSummary | None:
        searches = 0

        async def lose_lock() -> None:
            nonlocal searches
            searches += 1
            if searches == loses_lock_at:
                await self._change(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                    "AND database = (SELECT oid FROM pg_database WHERE datname = "
                    "current_database())"
                )
                await self._check_once()

        self.listing.on_search = lose_lock if loses_lock_at else None
        try:
            if death is None:
                return await self._check_once()
            with death():
                return await self._check_once()
        except Died:
            return None
        finally:
            self.listing.on_search = None

    async def _check_once(self) -> WatchSummary | None:
        try:
            async with (
                SerpApiClient(KEY, transport=self.listing) as client,
                self.database.locks() as locks,
            ):
                return await Checker(self.database, client, locks).check(1)
        except AdSparkError:
            return None

    async def _digest(self) -> None:
        async with self.database.session() as session:
            digest = await read_digest(session, now=datetime.now(UTC))
            news = {one.id for one in self.log if one.kind != "baseline"}
            untold = news - set(self.told) - self.unwanted
            assert untold <= set(digest.event_ids), "news that was never told is gone"
            assert digest.news == len(digest.event_ids)
            named = sum(len(one.creatives) for one in digest.watches[0].events.values())
            assert named == sum(min(20, one.number) for one in digest.watches[0].events.values())
            self.told.update(digest.event_ids)
            await mark_digested(session, digest=digest)
            await session.execute(text("UPDATE creative_event SET announced_at = now()"))
            await session.commit()

    async def _state(self) -> dict[str, Any]:
        async with self.database.session() as session:
            links = await session.execute(text("SELECT * FROM watch_creative"))
            events = await session.execute(text("SELECT * FROM creative_event ORDER BY id"))
            fetch = await session.execute(
                text('SELECT * FROM "fetch" ORDER BY started_at DESC LIMIT 1')
            )
            watch = await session.execute(
                text(
                    "SELECT baseline_at, extract(epoch FROM now() - complete_at)::float8 AS back "
                    "FROM watch"
                )
            )
            baseline_at, back = watch.one()
            return {
                "links": {one.ad_creative_id: one for one in links},
                "events": list(events),
                "fetch": fetch.first(),
                "baseline_at": baseline_at,
                "seconds_back": back,
            }

    async def _change(self, statement: str) -> None:
        async with self.database.session() as session:
            await session.execute(text(statement))
            await session.commit()

    def _any(self, data: st.DataObject) -> Any:  # noqa: ANN401
        return data.draw(st.sampled_from(self.listing.ads[-12:]))

    def _pass(self, seconds: float) -> None:
        self.listing.pass_time(seconds)
        self.ages = {one: age + seconds for one, age in self.ages.items()}
        for answered in self.listing.lists:
            for ad in answered.ads.values():
                ad.began += seconds
                ad.last += seconds
        self.do(self._move_back(seconds))

    async def _move_back(self, seconds: float) -> None:
        for table, columns in _TIMES.items():
            moved = ", ".join(f"{one} = {one} - interval '{seconds} seconds'" for one in columns)
            await self._change(f'UPDATE "{table}" SET {moved}')


def test_a_watch_tells_the_truth_once(database_url: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        Watching.runner = runner
        Watching.media = MediaStore(str(tmp_path / "media"))
        Watching.database = Database(database_url)
        try:
            run_state_machine_as_test(Watching)
        finally:
            runner.run(Watching.database.__aexit__())
