"""The local stack: embedded Postgres, Prefect's server, workers, the gallery, the sandbox.

The processes are started in order and end together: when the stack is asked to stop, and when one
of them dies again and again. What an earlier stack left behind when it was killed is stopped first.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib import import_module
from urllib.parse import urlsplit

import httpx
import psutil
from filelock import FileLock, Timeout

from adspark.concurrency import in_thread
from adspark.db.embedded import ADSPARK_DATABASE, PREFECT_DATABASE, LocalPostgres, postgres_folder
from adspark.db.libpq import forget_libpq_variables
from adspark.db.revisions import check_newest
from adspark.errors import ConfigurationError, ServiceUnavailableError
from adspark.home.private_folder import make_folder, make_home
from adspark.home.processes import ProcessId, stop_process_trees
from adspark.home.running_stack import (
    LOCK,
    LOCK_PATIENCE,
    StackState,
    check_no_stack,
    read_state,
    state_file,
)
from adspark.notifications.addresses import check_notify_addresses
from adspark.rendering.program import check_program
from adspark.settings import Settings
from deployments.environment.stack_settings import (
    HOST,
    process_environment,
    sandbox_settings,
    server_environment,
)
from deployments.queue_classes import POOL_NAMES
from deployments.stack.ports import check_ports, stack_ports
from deployments.stack.processes import STOP_PATIENCE, ProcessState, StackProcess
from deployments.stack.supervisor import supervise

WORKERS = "workers"
"""The name of the process that serves all pools."""

# What the stack does with Prefect's server is slow to import, so that it is done in the meantime.
_MEANWHILE = (
    "adspark.db.migrate",
    "deployments.provisioning.provision",
    "deployments.operations.health",
    "deployments.operations.runs.active",
    "deployments.stack.metrics_server",
)
_ANSWER = 10.0  # seconds for the answer of a process whether it is ready; it may be slow
_REQUEUE_PATIENCE = 20.0  # seconds in which a stack that is stopped requeues what its workers left


class LocalStack:
    """The stack's processes, from their start to their end.

    Args:
        settings: of the caller; its home holds lock and state of the stack.
        sandbox: run on the sandbox, with its data in this folder of the home; None: run on SerpApi.
        on_change: called whenever a process's state changes.
    """

    def __init__(
        self, settings: Settings, *, sandbox: str | None, on_change: Callable[["LocalStack"], None]
    ) -> None:
        self._base = settings
        self._settings = sandbox_settings(settings, sandbox) if sandbox else settings
        ui_url = f"http://{HOST}:{settings.prefect_port}"
        self.state = StackState(
            home=self._settings.home,
            api_url=f"{ui_url}/api",
            ui_url=ui_url,
            gallery_url=f"http://{HOST}:{settings.gallery_port}",
            sandbox_url=f"http://{HOST}:{settings.sandbox_port}" if sandbox else None,
        )
        names = ["postgres", *(["sandbox"] if sandbox else []), "prefect server", "provisioning"]
        names += [WORKERS, "gallery", "metrics"]
        self._on_change = partial(on_change, self)
        self.processes = {name: StackProcess(name, self._on_change) for name in names}
        self._postgres = LocalPostgres(postgres_folder(self._settings.home))
        self._asking: httpx.AsyncClient

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LocalStack"]:
        """The stack, all of it ready; stopped at the end.

        Raises:
            ConfigurationError: a stack runs already, a port is taken, or a setting is wrong.
            StackFailedError: a process did not start.
        """
        make_folder(self._settings.home / "logs")
        if self._settings.database_url is None:
            forget_libpq_variables()
        async with AsyncExitStack() as cleanup:
            cleanup.callback(self._lock().release)
            # One for all looks: to make one is twenty times the work of an answer.
            asking = httpx.AsyncClient(timeout=_ANSWER, trust_env=False)
            self._asking = await cleanup.enter_async_context(asking)
            if old := read_state(self._base.home):
                stop_process_trees(old.running_processes(), timeout=STOP_PATIENCE)
                LocalPostgres(postgres_folder(old.home)).stop_unused()
            await _check_settings(self._settings)
            check_ports(stack_ports(self._base, with_sandbox=bool(self.state.sandbox_url)))
            self.state.write(self._base.home)
            cleanup.callback(lambda: state_file(self._base.home).unlink(missing_ok=True))
            serving_postgres = cleanup.enter_context(ExitStack())
            cleanup.push_async_callback(self._stop)
            environment = self._start_server()
            await self._start_postgres(serving_postgres)
            await self._start_others(environment)
            cleanup.enter_context(self._asking_server())
            await self._set_up()
            cleanup.enter_context(self._serving_metrics())
            self.state.ready = True
            self.state.write(self._base.home)
            self._on_change()
            yield self

    async def watch(self) -> None:
        """Keep the processes running.

        Raises:
            StackFailedError: one dies again and again; with its exit code and its last line.
            DatabaseUnavailableError: PostgreSQL was killed and does not start again.
        """
        await supervise(self._settings.home, self._postgres, self.processes, self._record)

    def _lock(self) -> FileLock:
        make_home(home := self._base.home)
        lock = FileLock(home / LOCK)
        try:
            lock.acquire(timeout=LOCK_PATIENCE)
        except Timeout:
            check_no_stack(home)
            raise ConfigurationError(f"A stack of {home} has just ended; call again.") from None
        return lock

    def _start_server(self) -> dict[str, str]:
        """Start Prefect's server, which waits for PostgreSQL once it is imported, for that takes as
        long; returns the environment of the stack's processes."""
        state = self.state
        self._postgres.prepare()
        own = self._settings.database_url
        self._database_url = own.get_secret_value() if own else self._postgres.url(ADSPARK_DATABASE)
        environment = process_environment(
            self._settings, database_url=self._database_url, api_url=state.api_url
        )
        prefect_url = self._postgres.url(PREFECT_DATABASE)
        prefect_url = prefect_url.replace("postgresql://", "postgresql+asyncpg://", 1)
        self._serve(
            "prefect server",
            "deployments.server.app",
            server_environment(environment, self._settings, prefect_url),
            url=state.ui_url,
            health="/api/health",
        )
        return environment

    async def _start_postgres(self, serving: ExitStack) -> None:
        """Start the embedded server, which has Prefect's database, and bring AdSpark's up to date;
        of one's own its operator decides when it is migrated."""
        process = self.processes["postgres"]
        process.set_state(ProcessState.STARTING)
        importing = threading.Thread(target=_import_meanwhile, name="imports")
        importing.start()
        serving.callback(importing.join)  # the process does not end while it imports
        serving.enter_context(self._postgres.running())
        # Two threads that import at once can each meet a module of which the other has only a part.
        await in_thread(importing.join)
        serving.callback(process.set_state, ProcessState.STOPPED)
        process.log = self._postgres.folder / "server.log"
        process.set_state(ProcessState.READY, address=str(self._postgres.folder))
        from adspark.db import migrate  # noqa: PLC0415  (_MEANWHILE)

        if self._settings.database_url is None:
            await in_thread(migrate.upgrade, self._database_url)
            self.state.database_url = self._database_url
        else:
            check_newest(await in_thread(migrate.current, self._database_url))
            await in_thread(migrate.check_writable, self._database_url)

    async def _start_others(self, environment: dict[str, str]) -> None:
        """Start what serves people and runs: one after another, for Prefect's server, which takes
        longest, needs a core of its own."""
        from deployments.operations.runs.active import have_workers  # noqa: PLC0415  (_MEANWHILE)

        state, processes = self.state, self.processes
        if url := state.sandbox_url:
            self._serve("sandbox", "adspark.sandbox", environment, url=url)
        self._serve("gallery", "deployments.gallery.server", environment, url=state.gallery_url)
        await processes["gallery"].wait_ready()
        # They import what runs need, and claim none before their pools are provisioned.
        processes[WORKERS].is_ready = partial(have_workers, POOL_NAMES)
        arguments = ["-m", "deployments.cli.main", "worker", *POOL_NAMES]
        self._spawn(WORKERS, arguments, environment, address=", ".join(POOL_NAMES))

    async def _set_up(self) -> None:
        """Provision the server, and wait until all that is started is ready."""
        from prefect.client.orchestration import get_client  # noqa: PLC0415  (_MEANWHILE)

        from deployments.operations.health import read_not_set_up  # noqa: PLC0415  (_MEANWHILE)
        from deployments.provisioning.provision import provision  # noqa: PLC0415  (_MEANWHILE)

        processes = self.processes
        for name in (
            ("sandbox", "prefect server") if self.state.sandbox_url else ("prefect server",)
        ):
            await processes[name].wait_ready()
        processes["provisioning"].set_state(ProcessState.STARTING)
        await provision(self._settings, database_url=self._database_url)
        processes["provisioning"].set_state(ProcessState.READY)
        for process in processes.values():
            if process.state is ProcessState.STARTING:
                await process.wait_ready()
        async with get_client() as client:
            self.state.not_set_up = [str(one) for one in await read_not_set_up(client)]

    @contextmanager
    def _serving_metrics(self) -> Iterator[None]:
        """Serve figures, from threads of this process."""
        from deployments.stack.metrics_server import serving_metrics  # noqa: PLC0415  (_MEANWHILE)

        process = self.processes["metrics"]
        with serving_metrics(
            self._settings, api_url=self.state.api_url, database_url=self._database_url
        ) as address:
            process.set_state(ProcessState.READY, address=address)
            yield
        process.set_state(ProcessState.STOPPED)

    @contextmanager
    def _asking_server(self) -> Iterator[None]:
        """Prefect's clients of this process ask the stack's server."""
        from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415  (slow)

        with temporary_settings({PREFECT_API_URL: self.state.api_url}):
            yield

    def _serve(
        self, name: str, module: str, env: dict[str, str], *, url: str, health: str = "/health"
    ) -> None:
        self.processes[name].is_ready = partial(self._answers, url + health)
        arguments = ["-m", module, "--host", HOST, "--port", str(urlsplit(url).port)]
        self._spawn(name, arguments, env, address=url)

    async def _answers(self, url: str) -> bool:
        try:
            return (await self._asking.get(url)).is_success
        except httpx.HTTPError:
            return False

    def _spawn(
        self, name: str, arguments: list[str], environment: dict[str, str], *, address: str = ""
    ) -> None:
        process = self.processes[name]
        log = self._settings.home / "logs" / f"{name.replace(' ', '-')}.log"
        # Its working folder is the stack's: none of the caller's is on the import path.
        process.start(arguments, log=log, env=environment, cwd=self._settings.home)
        self._record(process)
        process.set_state(ProcessState.STARTING, address=address)

    def _record(self, process: StackProcess) -> None:
        """Record the id of a process for other commands."""
        with suppress(psutil.NoSuchProcess):  # it has ended already, which the supervisor notices
            if process.process is not None:
                self.state.parts[process.name] = ProcessId.of(process.process.pid)
        with suppress(OSError):  # the disk is full: what there was is left
            self.state.write(self._base.home)

    async def _requeue_runs(self) -> None:
        from deployments.operations.runs.active import (  # noqa: PLC0415  (_MEANWHILE)
            requeue_unfinished_runs,
        )

        # On a full disk the server answers with failures, or it does not answer at all; `reconcile`
        # finds those runs later.
        with self._asking_server(), suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_REQUEUE_PATIENCE):
                await requeue_unfinished_runs("The local stack was stopped.")

    async def _stop(self) -> None:
        """End all, workers first, so that their runs can still end or be requeued."""
        running = [one for one in self.processes.values() if one.process]
        workers = self.processes[WORKERS]
        if workers in running:
            await _stop_process(workers, self._settings.drain_time + STOP_PATIENCE)
        try:
            if self.state.ready and self.processes["prefect server"].is_alive:
                await self._requeue_runs()
        finally:
            for process in reversed([one for one in running if one is not workers]):
                await _stop_process(process, STOP_PATIENCE)


async def _check_settings(settings: Settings) -> None:
    """Raise ConfigurationError for what keeps a part of the stack from its work.

    A bucket is not asked: its service may be away for a moment.
    """
    check_notify_addresses(settings)
    check_program(settings.browser)
    if settings.media_url is not None:
        from adspark.media.store import MediaStore  # noqa: PLC0415  (slow)

        with suppress(ServiceUnavailableError):  # of one that is away, or a full disk
            media = await in_thread(MediaStore, settings.media_url.get_secret_value())
            if media.folder is not None:
                await media.check_writable()


def _import_meanwhile() -> None:
    for module in _MEANWHILE:
        import_module(module)


async def _stop_process(process: StackProcess, patience: float) -> None:
    await asyncio.to_thread(process.stop, patience)
    if process.state is not ProcessState.DIED:
        process.set_state(ProcessState.STOPPED)
