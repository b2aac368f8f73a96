"""The local stack: embedded Postgres, Prefect's server, provisioning, a worker a pool, sandbox.

One supervisor starts the parts in order, starts those again that die, and ends all of them
together: when it is asked to stop, and when one of them dies again and again. Whatever an earlier
supervisor left behind when it was killed is cleared away first.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import httpx
import psutil
from filelock import FileLock, Timeout
from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.db import migrate as schema
from adspark.db.configured import postgres_folder
from adspark.db.embedded import ADSPARK_DATABASE, PREFECT_DATABASE, LocalPostgres
from adspark.db.libpq import forget_libpq_variables
from adspark.errors import ConfigurationError
from adspark.home.private_folder import make_folder, make_home
from adspark.home.processes import ProcessId, stop_process_trees
from adspark.home.running_stack import StackState, read_state, running_stack, state_file
from adspark.settings import Settings
from deployments.environment.stack_settings import (
    HOST,
    part_environment,
    port_holder,
    sandbox_settings,
    server_environment,
)
from deployments.operations.runs.active import has_worker, requeue_unfinished_runs
from deployments.provisioning.provision import provision
from deployments.queue_classes import QUEUE_CLASSES
from deployments.stack.metrics_server import serving_metrics
from deployments.stack.processes import STOP_PATIENCE, Part, PartState
from deployments.stack.supervisor import Keeper

_ANSWER = 10.0  # seconds for an answer of a part that is asked whether it is ready; it may be slow


class LocalStack:
    """The parts and their lives.

    Args:
        settings: of the caller; its home holds lock and state of the stack.
        sandbox: run on the sandbox, with its data in this folder of the home; None: run on SerpApi.
        on_change: called whenever a part's state changes.
    """

    def __init__(
        self, settings: Settings, *, sandbox: str | None, on_change: Callable[["LocalStack"], None]
    ) -> None:
        self._base = settings
        self._settings = sandbox_settings(settings, sandbox) if sandbox else settings
        self._sandbox = sandbox
        self._on_change = on_change
        self.ui_url = f"http://{HOST}:{settings.prefect_port}"
        self.state = StackState(
            home=self._settings.home,
            api_url=f"{self.ui_url}/api",
            ui_url=self.ui_url,
            sandbox_url=f"http://{HOST}:{settings.sandbox_port}" if sandbox else None,
        )
        self._logs = self._settings.home / "logs"
        self.parts = {name: Part(name) for name in self._part_names()}
        self._postgres: LocalPostgres | None = None
        self._is_ready: dict[str, Callable[[], Awaitable[bool]]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LocalStack"]:
        """The stack, all of it ready; stopped at the end.

        Raises:
            ConfigurationError: a stack runs already, or a port is taken.
            StackFailedError: a part did not start.
        """
        make_folder(self._logs)
        if self._settings.database_url is None:
            forget_libpq_variables()
        async with AsyncExitStack() as cleanup:
            cleanup.callback(self._lock().release)
            self._clear_leftovers()
            self._check_ports()
            self.state.write(self._base.home)
            cleanup.callback(lambda: state_file(self._base.home).unlink(missing_ok=True))
            database_url, prefect_url = self._start_postgres(cleanup)
            environment = part_environment(
                self._settings, database_url=database_url, api_url=self.state.api_url
            )
            cleanup.enter_context(temporary_settings({PREFECT_API_URL: self.state.api_url}))
            cleanup.push_async_callback(self._stop_parts)
            await self._start_parts(environment, prefect_url, database_url)
            self._serve_metrics(cleanup, database_url)
            self.state.ready = True
            self.state.write(self._base.home)
            self._on_change(self)
            yield self

    async def watch(self) -> None:
        """Keep the parts running.

        Raises:
            StackFailedError: one dies again and again; with its exit code and last words.
            DatabaseUnavailableError: PostgreSQL was killed and does not start again.
        """
        if self._postgres is not None:
            keeper = Keeper(
                self._settings.home,
                parts=self.parts,
                is_ready=self._is_ready,
                set_state=self._set,
                on_restart=self._note,
            )
            await keeper.keep(self._postgres)

    def _part_names(self) -> list[str]:
        workers = [f"worker {queue_class.name}" for queue_class in QUEUE_CLASSES]
        sandbox = ["sandbox"] if self._sandbox else []
        return ["postgres", *sandbox, "prefect server", "provisioning", *workers, "metrics"]

    def _lock(self) -> FileLock:
        make_home(self._base.home)
        lock = FileLock(self._base.home / "stack.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            other = running_stack(self._base.home)
            where = f" at {other.ui_url}" if other else ""
            raise ConfigurationError(
                f"A stack of {self._base.home} runs already{where}; stop it with: adspark down"
            ) from None
        return lock

    def _clear_leftovers(self) -> None:
        if old := read_state(self._base.home):
            stop_process_trees(old.running_parts(), patience=STOP_PATIENCE)
            LocalPostgres(postgres_folder(old.home)).stop_unused()

    def _check_ports(self) -> None:
        wanted = {
            self._base.prefect_port: ("Prefect's server", "ADSPARK_PREFECT_PORT"),
            self._base.metrics_port: ("metrics", "ADSPARK_METRICS_PORT"),
        }
        if self._sandbox:
            wanted[self._base.sandbox_port] = ("the sandbox", "ADSPARK_SANDBOX_PORT")
        for port, (purpose, variable) in wanted.items():
            if holder := port_holder(port):
                raise ConfigurationError(
                    f"Port {port} for {purpose} is taken by {holder}; stop that, or set {variable}."
                )

    def _start_postgres(self, cleanup: AsyncExitStack) -> tuple[str, str]:
        """Start the embedded server; AdSpark's own database may be elsewhere, Prefect's is here."""
        self._set("postgres", PartState.STARTING)
        folder = postgres_folder(self._settings.home)
        server = self._postgres = cleanup.enter_context(LocalPostgres(folder).running())
        cleanup.callback(lambda: self._set("postgres", PartState.STOPPED))
        database_url = self._product_database(server)
        self.parts["postgres"].log = folder / "server.log"
        self._set("postgres", PartState.READY, address=str(folder))
        prefect_url = server.url(PREFECT_DATABASE)
        return database_url, prefect_url.replace("postgresql://", "postgresql+asyncpg://", 1)

    def _product_database(self, server: LocalPostgres) -> str:
        """The embedded database, migrated; or one's own, whose operator decides when it is."""
        if (own := self._settings.database_url) is None:
            url = self.state.database_url = server.url(ADSPARK_DATABASE)
            schema.upgrade(url)
            return url
        url = own.get_secret_value()
        if schema.current(url) != schema.newest():
            raise ConfigurationError(
                "ADSPARK_DATABASE_URL: this database lacks migrations; run: adspark db upgrade"
            )
        return url

    async def _start_parts(
        self, environment: dict[str, str], prefect_url: str, database_url: str
    ) -> None:
        if self.state.sandbox_url:
            port = str(self._base.sandbox_port)
            command = ["-m", "adspark.sandbox", "--host", HOST, "--port", port]
            self._is_ready["sandbox"] = partial(_answers, f"{self.state.sandbox_url}/health")
            self._spawn("sandbox", command, environment, address=self.state.sandbox_url)
            await self._until_ready("sandbox")
        port = str(self._base.prefect_port)
        self._is_ready["prefect server"] = partial(_answers, f"{self.state.api_url}/health")
        self._spawn(
            "prefect server",
            ["-m", "deployments.server.app", "--host", HOST, "--port", port],
            server_environment(environment, self._settings, prefect_url),
            address=self.ui_url,
        )
        await self._until_ready("prefect server")
        self._set("provisioning", PartState.STARTING)
        await provision(self._settings, database_url=database_url)
        self._set("provisioning", PartState.READY)
        for queue_class in QUEUE_CLASSES:
            pool, name = queue_class.name, f"worker {queue_class.name}"
            self._is_ready[name] = partial(has_worker, pool)
            self._spawn(name, ["-m", "deployments.cli.main", "worker", pool], environment)
        for queue_class in QUEUE_CLASSES:
            await self._until_ready(f"worker {queue_class.name}")

    def _serve_metrics(self, cleanup: AsyncExitStack, database_url: str) -> None:
        """Serve figures for Prometheus, in threads of this process."""
        address = cleanup.enter_context(
            serving_metrics(self._settings, api_url=self.state.api_url, database_url=database_url)
        )
        self._set("metrics", PartState.READY, address=address)

    def _spawn(
        self, name: str, arguments: list[str], environment: dict[str, str], *, address: str = ""
    ) -> None:
        part = self.parts[name]
        log = self._logs / f"{name.replace(' ', '-')}.log"
        # Its working folder is the stack's: none of the caller's is on the import path.
        part.start(arguments, log=log, env=environment, cwd=self._settings.home)
        self._note(part)
        self._set(name, PartState.STARTING, address=address)

    def _note(self, part: Part) -> None:
        """Leave word of a part's process for other commands."""
        with suppress(psutil.NoSuchProcess):  # it has ended already, which `_keep` will notice
            if part.process is not None:
                self.state.parts[part.name] = ProcessId.of(part.process.pid)
        with suppress(OSError):  # the disk is full: what there was is left
            self.state.write(self._base.home)

    async def _until_ready(self, name: str) -> None:
        await self.parts[name].until(self._is_ready[name])
        self._set(name, PartState.READY)

    async def _stop_parts(self) -> None:
        """End the parts, workers first, so that their runs can still end or be handed back."""
        workers = [part for part in self.parts.values() if part.name.startswith("worker ")]
        others = [part for part in self.parts.values() if part not in workers and part.process]
        draining = self._settings.drain_time + STOP_PATIENCE
        await asyncio.gather(*(self._stop(part, draining) for part in workers))
        try:
            # On a full disk the server answers with failures; `reconcile` finds those runs later.
            with suppress(httpx.HTTPError):
                if self.state.ready and self.parts["prefect server"].is_alive:
                    await requeue_unfinished_runs("The local stack was stopped.")
        finally:
            for part in reversed(others):
                await self._stop(part)

    async def _stop(self, part: Part, patience: float = STOP_PATIENCE) -> None:
        await asyncio.to_thread(part.stop, patience)
        if part.state is not PartState.DIED:
            self._set(part.name, PartState.STOPPED)

    def _set(self, name: str, state: PartState, *, address: str = "") -> None:
        part = self.parts[name]
        part.state = state
        part.address = address or part.address
        self._on_change(self)


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=_ANSWER, trust_env=False) as client:
            return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False
