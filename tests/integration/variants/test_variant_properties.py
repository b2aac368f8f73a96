"""The life of a variant, in any order of mishaps: paid once an attempt, and nothing given is lost.

A real database and a stand-in of Dify that counts what it begins. A crash is an exception that
nothing catches, so that nothing is written after it, as after a kill.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import AdSparkError, UnknownVariantError
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.generator import DifyGenerator
from adspark.generators.dify.inputs import WorkflowMapping
from adspark.media.paths import original_path
from adspark.media.store import MediaStore
from adspark.models import AdVariant, VariantStatus
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.sandbox.control.pictures import draw_picture
from adspark.serpapi.client import no_gate
from adspark.variants.generate import GenerationDeps, cancel, claim_variant, generate
from adspark.variants.reviews.store import Review, list_reviews, save_review
from adspark.variants.state import VariantState, generation_key, is_generation_over
from tests.support.dify_stream import NODE, Part, sse, streamed
from tests.support.variants_at_hand import AD, ask, read, store_ads

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})
KEY = "0" * 64  # of the original's picture
_CUT = httpx.ReadError("reset")
_FAILURE = {"code": "internal_server_error", "message": "", "status": 500}

Act = Callable[[], Awaitable[None]]


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Run:
    """A generation that has begun; it is paid."""

    id: str
    user: str
    status: str = "running"
    is_told: bool = False  # to somebody, with what it gave

    def put(self, status: str) -> None:
        """It goes on; one that has ended stays as it is."""
        self.status = status if self.status == "running" else self.status

    @property
    def data(self) -> dict[str, Any]:
        outputs = {"text": f"Copy of {self.id}"} if self.status == "succeeded" else {}
        return {"id": self.id, "status": self.status, "outputs": outputs, "workflow_id": "w"}

    def event(self, name: str) -> dict[str, Any]:
        task = f"task-{self.id}"
        return {"event": name, "workflow_run_id": self.id, "task_id": task, "data": self.data}


@dataclass
class Dify:
    """The stand-in: what it has begun, and how it takes the next request to run.

    Attributes:
        manner: what becomes of the next request to run; then all is well again.
        meanwhile: what happens elsewhere while it works on that request.
        when: at which point of it.
        log_answers: whether its log does.
    """

    runs: list[Run] = field(default_factory=list)
    manner: str = "well"
    meanwhile: Act | None = None
    when: str = ""
    log_answers: bool = True

    def of(self, user: str) -> list[Run]:
        return [run for run in self.runs if run.user == user]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/").split("/")
        match path:
            case ["parameters"]:
                fields = [{"paragraph": {"variable": name}} for name in ("prompt", "url")]
                return httpx.Response(200, json={"user_input_form": fields})
            case ["files", "upload"]:
                return httpx.Response(201, json={"id": "f", "source_url": "/files/f"})
            case ["workflows", "run"]:
                return await self._start(request)
            case ["workflows", "logs"]:
                return self._log(request.url.params["created_by_end_user_session_id"])
            case ["workflows", "run", run_id]:
                return httpx.Response(200, json=self._find(run_id).data)
            case ["workflows", "tasks", task_id, "stop"]:
                self._find(task_id.removeprefix("task-")).put("stopped")
                return httpx.Response(200, json={})
            case ["workflow", run_id, "events"]:
                return self._attach(self._find(run_id))
        raise AssertionError(path)

    async def _start(self, request: httpx.Request) -> httpx.Response:
        manner, self.manner = self.manner, "well"
        meanwhile, self.meanwhile = self.meanwhile, None
        user = request.read().decode().rpartition('"user":"')[2].partition('"')[0]
        if meanwhile is not None and self.when == "before it begins":
            await meanwhile()
        match manner:
            case "busy":
                return httpx.Response(429, json={"code": "too_many_requests"})
            case "failure":
                return httpx.Response(500, json=_FAILURE)
            case "away":
                raise httpx.ConnectError("refused")
            case "lost question":
                raise _CUT
            case "crash before":
                raise Crash
        run = Run(f"r{len(self.runs)}", user)
        self.runs.append(run)
        if meanwhile is not None and self.when == "before the answer":
            await meanwhile()
        return self._begun(run, manner, meanwhile if self.when == "before the end" else None)

    def _begun(self, run: Run, manner: str, meanwhile: Act | None) -> httpx.Response:
        """The answer to a request whose run has begun."""
        end: Part = lambda: run.put("succeeded")  # noqa: E731
        match manner:
            case "failure after":
                return httpx.Response(500, json=_FAILURE)
            case "gateway":
                return httpx.Response(504, text="<h1>504</h1>")
            case "garbled":
                return httpx.Response(200, html="<h1>Welcome</h1>")
            case "lost answer":
                raise _CUT
            case "crash after":
                raise Crash
            case "crash in between":
                return streamed(sse(run.event("workflow_started")), _crash)
            case "cut":
                return streamed(sse(run.event("workflow_started")), _CUT)
            case "failed":
                run.put("failed")
        start = sse(run.event("workflow_started"), NODE | {"workflow_run_id": run.id})
        return _ending(run, start, end, meanwhile)

    def _attach(self, run: Run) -> httpx.Response:
        return _ending(run, sse(run.event("workflow_started")), lambda: run.put("succeeded"))

    def _log(self, user: str) -> httpx.Response:
        if not self.log_answers:
            return httpx.Response(500, json=_FAILURE)
        owner = {"session_id": user}
        rows = [
            {"workflow_run": {"id": run.id}, "created_by_end_user": owner}
            for run in reversed(self.of(user))
        ]
        return httpx.Response(200, json={"data": rows})

    def _find(self, run_id: str) -> Run:
        return next(run for run in self.runs if run.id == run_id)


def _ending(run: Run, start: bytes, end: Part, meanwhile: Act | None = None) -> httpx.Response:
    """A stream to the end of a run, whatever it comes to by then."""

    class Rest:
        async def __aiter__(self) -> Any:  # noqa: ANN401
            yield start
            assert callable(end)
            if meanwhile is not None:
                await meanwhile()
            end()
            run.is_told = run.status == "succeeded"  # the listener leaves at the last event
            yield sse(run.event("workflow_finished"))

    return httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=Rest().__aiter__()
    )


def _crash() -> None:
    raise Crash


NOT_BEGUN = ("busy", "failure", "away", "lost question", "crash before")
BEGUN = (
    "well", "failure after", "gateway", "garbled", "lost answer", "crash after",
    "crash in between", "cut", "failed",
)  # fmt: skip
MEANWHILE = ("cancelled", "overtaken")
WHEN = ("before it begins", "before the answer", "before the end")


@dataclass
class Known:
    """What is known of a variant besides its row.

    Attributes:
        attempts: how many a person has asked for.
        is_cancelled: somebody cancelled it, and nobody has asked for another try since.
        copy: what it was completed with.
    """

    attempts: int = 1
    is_cancelled: bool = False
    copy: str | None = None


class VariantLife(RuleBasedStateMachine):
    """Asks, works, cancels, retries and reviews in any order."""

    made = Bundle("made")

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(url)
        self.media = MediaStore(str(folder))
        self.dify = Dify()
        self.known: dict[int, Known] = {}
        self.do(self.database.__aenter__())

    def do(self, act: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        return self.runner.run(act)

    def teardown(self) -> None:
        self.do(self.database.__aexit__(None, None, None))
        self.runner.close()

    @rule(target=made)
    def ask(self) -> int:
        return int(self.do(self._ask()))

    @rule(variant=made, manner=st.sampled_from(NOT_BEGUN + BEGUN), log_answers=st.booleans())
    def work(self, variant: int, manner: str, log_answers: bool) -> None:
        self.dify.manner, self.dify.log_answers = manner, log_answers
        self.do(self._work(variant))
        self.do(self._check_nothing_in_hand_is_lost(variant))

    @rule(
        target=made,
        manner=st.sampled_from(("well", "cut", "lost answer", "failed")),
        what=st.sampled_from(MEANWHILE),
        when=st.sampled_from(WHEN),
    )
    def work_while(self, manner: str, what: str, when: str) -> int:
        """Something else happens to a new one between the question and the end."""
        variant = int(self.do(self._ask()))
        self.dify.manner, self.dify.when, self.dify.log_answers = manner, when, True

        async def meanwhile() -> None:
            if what == "cancelled":
                await self._cancel(variant)
            else:
                await self._lose_lock()
                await self._work(variant)

        self.dify.meanwhile = meanwhile
        self.do(self._work(variant))
        self.dify.meanwhile = None
        self.do(self._check_nothing_in_hand_is_lost(variant))
        return variant

    @rule(variant=made)
    def let_time_pass(self, variant: int) -> None:
        """Whatever was asked for has ended by now, if it ever began, and is in the log."""
        self.do(self._change(variant, "asked_at = asked_at - interval '1 hour'"))

    @rule(variant=made, log_answers=st.booleans())
    def cancel(self, variant: int, log_answers: bool) -> None:
        self.dify.log_answers = log_answers
        self.do(self._cancel(variant))

    @rule(variant=made)
    def retry(self, variant: int) -> None:
        self.do(self._retry(variant))

    @rule(variant=made, user=st.integers(1, 3), is_approved=st.booleans())
    def review(self, variant: int, user: int, is_approved: bool) -> None:
        self.do(self._review(variant, user, is_approved))

    @rule(variant=made)
    def settle(self, variant: int) -> None:
        """With everything well again an open variant ends, by the run that has begun if one has."""
        self.do(self._settle(variant))

    @invariant()
    def what_is_promised_holds(self) -> None:
        self.do(self._check())

    async def _ask(self) -> int:
        async with self.database.session() as session:
            await store_ads(session, (1,))
            variant = await ask(session)
            await session.commit()
        number = variant.id
        self.known[number] = Known()
        if original_path(KEY) not in (await self.media.list_folder()).pictures:
            await self.media.save_original(KEY, PICTURE)
        return number

    async def _work(self, variant: int) -> None:
        """A worker takes it up, to whatever end."""
        with suppress(AdSparkError, Crash):
            async with self._generator() as generator:
                claim = claim_variant(self.database, variant, flow_run_id=None, generator="dify")
                async with claim, Downloader(AddressRules()) as downloader:
                    await self._change(variant, f"original_path = '{original_path(KEY)}'")
                    deps = GenerationDeps(
                        database=self.database,
                        media=self.media,
                        generator=generator,
                        downloader=downloader,
                        too_close=0.9,
                        gate=no_gate,
                        progress=_say_nothing,
                    )
                    await generate(deps, variant_id=variant)

    async def _lose_lock(self) -> None:
        """The connection that holds the lock of a variant dies, unseen by who holds it."""
        async with self.database.session() as session:
            await session.execute(
                text("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                     "WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database = "
                     "(SELECT oid FROM pg_database WHERE datname = current_database())")
            )  # fmt: skip

    async def _cancel(self, variant: int) -> None:
        before = (await self._row(variant)).status
        with suppress(AdSparkError):  # it is cancelled, though its generation goes on
            await cancel(self.database, lambda _: self._generator(), variant_id=variant)
        if before in (VariantStatus.PENDING, VariantStatus.PROCESSING):
            self.known[variant].is_cancelled = True

    async def _retry(self, variant: int) -> None:
        row = await self._row(variant)
        is_over = is_generation_over(row)
        try:
            async with self.database.session() as session:
                await VariantState(session, row).retry()
                await session.commit()
        except UnknownVariantError:
            assert row.status not in (VariantStatus.FAILED, VariantStatus.CANCELLED)
            return
        assert row.status in (VariantStatus.FAILED, VariantStatus.CANCELLED)
        self.known[variant].is_cancelled = False
        self.known[variant].attempts += is_over
        if not is_over:  # what it has given is still to be had
            assert all(run.status != "failed" for run in self._runs(row))

    async def _review(self, variant: int, user: int, is_approved: bool) -> None:
        row = await self._row(variant)
        try:
            async with self.database.session() as session:
                given = Review(user_id=user, is_approved=is_approved, accepts_closeness=True)
                await save_review(session, variant=row, review=given)
                await session.commit()
        except UnknownVariantError:
            assert row.status is not VariantStatus.COMPLETED
        else:
            assert row.status is VariantStatus.COMPLETED

    async def _settle(self, variant: int) -> None:
        before = await self._row(variant)
        if before.status not in (VariantStatus.PENDING, VariantStatus.PROCESSING):
            return
        self.dify.manner, self.dify.log_answers = "well", True
        await self._change(variant, "asked_at = asked_at - interval '1 hour'")
        had_begun, runs = len(self._runs(before)), len(self.dify.runs)
        await self._work(variant)
        after = await self._row(variant)
        (run,) = self._runs(after)
        assert (after.status is VariantStatus.COMPLETED) == (run.status == "succeeded")
        assert len(self.dify.runs) == runs + 1 - had_begun

    async def _check_nothing_in_hand_is_lost(self, variant: int) -> None:
        row = await self._row(variant)
        if any(run.is_told for run in self._runs(row)) and not self.known[variant].is_cancelled:
            assert row.status is VariantStatus.COMPLETED

    async def _check(self) -> None:
        for number, known in self.known.items():
            row = await self._row(number)
            assert row.attempt == known.attempts
            assert len(self._runs(row)) <= 1
            if known.is_cancelled:
                assert row.status is VariantStatus.CANCELLED
            if known.copy is not None or row.status is VariantStatus.COMPLETED:
                (run,) = self._runs(row)
                assert row.status is VariantStatus.COMPLETED
                assert row.description == f"Copy of {run.id}"
                known.copy = row.description
            async with self.database.session() as session:
                reviews = await list_reviews(session, variant_id=number)
            assert not reviews or row.status is VariantStatus.COMPLETED
        users = [run.user for run in self.dify.runs]
        assert len(users) == len(set(users)), "a generation was begun twice for one attempt"

    def _runs(self, row: AdVariant) -> list[Run]:
        return self.dify.of(generation_key(row))

    async def _row(self, variant: int) -> AdVariant:
        async with self.database.session() as session:
            return await read(session, variant)

    async def _change(self, variant: int, change: str) -> None:
        async with self.database.session() as session:
            await session.execute(text(f"UPDATE ad_variant SET {change} WHERE id = {variant}"))
            await session.commit()

    def _generator(self) -> "_Opened":
        return _Opened(self.dify)


class _Opened:
    """A generator over the stand-in, on a client of its own as each process has."""

    def __init__(self, dify: Dify) -> None:
        self._client = DifyClient(
            SecretStr("app-x"),
            base_url="https://dify.example/v1",
            transport=httpx.MockTransport(dify.answer),
        )

    async def __aenter__(self) -> DifyGenerator:
        return DifyGenerator(
            self._client, WorkflowMapping(), run_limit=60, lost_after=1200, listed_within=0
        )

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)


async def _say_nothing(_done: float, _doing: str) -> None:
    """Progress is not what this is about."""


def test_whatever_happens_to_a_variant_it_is_paid_once_and_what_it_gave_is_kept(
    database_url: str, tmp_path: Path
) -> None:
    class Life(VariantLife):
        def __init__(self) -> None:
            super().__init__(database_url, tmp_path / "media")

    run_state_machine_as_test(Life)
