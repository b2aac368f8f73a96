"""The local stack: embedded Postgres, Prefect's server, workers, the gallery, the sandbox.

The processes are started in order and end together: when the stack is asked to stop, and when one
of them dies again and again. What an earlier stack left behind when it was killed is stopped first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from urllib.parse import urlsplit

import httpx
import psutil
from filelock import FileLock, Timeout
from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.concurrency import in_thread
from adspark.db.embedded import ADSPARK_DATABASE, PREFECT_DATABASE, LocalPostgres, postgres_folder
from adspark.db.libpq import forget_libpq_variables
from adspark.db.revisions import check_newest
from adspark.errors import ConfigurationError
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
from adspark.settings import Settings
from deployments.environment.stack_settings import (
    HOST,
    process_environment,
    sandbox_settings,
    server_environment,
)
from deployments.operations.runs.active import have_workers, requeue_unfinished_runs
from deployments.queue_classes import POOL_NAMES
from deployments.stack.ports import check_ports, stack_ports
from deployments.stack.processes import STOP_PATIENCE, ProcessState, StackProcess
from deployments.stack.supervisor import supervise

WORKERS = "workers"
"""The name of the process that serves all pools."""

# Slow to import, so that it is done while Prefect's server starts.
_MEANWHILE = ("deployments.provisioning.provision", "deployments.stack.metrics_server")
_ANSWER = 10.0  # seconds for the answer of a process whether it is ready; it may be slow


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
        self._postgres: LocalPostgres | None = None
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
            check_notify_addresses(self._settings)
            check_ports(stack_ports(self._base, with_sandbox=bool(self.state.sandbox_url)))
            self.state.write(self._base.home)
            cleanup.callback(lambda: state_file(self._base.home).unlink(missing_ok=True))
            database_url, prefect_url = self._start_postgres(cleanup)
            cleanup.enter_context(temporary_settings({PREFECT_API_URL: self.state.api_url}))
            cleanup.push_async_callback(self._stop)
            await self._start(database_url, prefect_url)
            from deployments.stack.metrics_server import serving_metrics  # noqa: PLC0415  (_MEANWHILE)

            address = cleanup.enter_context(  # in threads of this process
                serving_metrics(
                    self._settings, api_url=self.state.api_url, database_url=database_url
                )
            )
            cleanup.callback(self.processes["metrics"].set_state, ProcessState.STOPPED)
            self.processes["metrics"].set_state(ProcessState.READY, address=address)
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
        if self._postgres is not None:
            home = self._settings.home
            await supervise(home, self._postgres, self.processes, self._record)

    def _lock(self) -> FileLock:
        make_home(home := self._base.home)
        lock = FileLock(home / LOCK)
        try:
            lock.acquire(timeout=LOCK_PATIENCE)
        except Timeout:
            check_no_stack(home)
            raise ConfigurationError(f"A stack of {home} has just ended; call again.") from None
        return lock

    def _start_postgres(self, cleanup: AsyncExitStack) -> tuple[str, str]:
        """Start the embedded server, which has Prefect's database; AdSpark's may be elsewhere.
        Returns the addresses of AdSpark's and of Prefect's."""
        process = self.processes["postgres"]
        process.set_state(ProcessState.STARTING)
        folder = postgres_folder(self._settings.home)
        server = self._postgres = cleanup.enter_context(LocalPostgres(folder).running())
        cleanup.callback(process.set_state, ProcessState.STOPPED)
        database_url = self._database_url(server)
        process.log = folder / "server.log"
        process.set_state(ProcessState.READY, address=str(folder))
        prefect_url = server.url(PREFECT_DATABASE)
        return database_url, prefect_url.replace("postgresql://", "postgresql+asyncpg://", 1)

    def _database_url(self, server: LocalPostgres) -> str:
        """Of the embedded database; or of one's own, whose operator decides when it is migrated."""
        if (own := self._settings.database_url) is None:
            return server.url(ADSPARK_DATABASE)
        from adspark.db import migrate  # noqa: PLC0415  (slow)

        url = own.get_secret_value()
        check_newest(migrate.current(url))
        return url

    async def _start(self, database_url: str, prefect_url: str) -> None:
        """Start the processes that need PostgreSQL, and wait until they are ready."""
        state, processes = self.state, self.processes
        environment = process_environment(
            self._settings, database_url=database_url, api_url=state.api_url
        )
        server = server_environment(environment, self._settings, prefect_url)
        if url := state.sandbox_url:
            self._serve("sandbox", "adspark.sandbox", environment, url=url)
        self._serve(
            "prefect server",
            "deployments.server.app",
            server,
            url=state.ui_url,
            health="/api/health",
        )
        if self._settings.database_url is None:  # while the server starts, which takes longer
            from adspark.db import migrate  # noqa: PLC0415  (slow)

            await in_thread(migrate.upgrade, database_url)
            state.database_url = database_url
        for module in _MEANWHILE:
            await in_thread(import_module, module)
        # One after another, for the server, which takes longest, needs a core of its own.
        self._serve("gallery", "deployments.gallery.server", environment, url=state.gallery_url)
        await processes["gallery"].wait_ready()
        # They import what runs need, and claim none before their pools are provisioned.
        processes[WORKERS].is_ready = partial(have_workers, POOL_NAMES)
        arguments = ["-m", "deployments.cli.main", "worker", *POOL_NAMES]
        self._spawn(WORKERS, arguments, environment, address=", ".join(POOL_NAMES))
        for name in ("sandbox", "prefect server") if state.sandbox_url else ("prefect server",):
            await processes[name].wait_ready()
        from deployments.provisioning.provision import provision  # noqa: PLC0415  (_MEANWHILE)

        processes["provisioning"].set_state(ProcessState.STARTING)
        await provision(self._settings, database_url=database_url)
        processes["provisioning"].set_state(ProcessState.READY)
        for process in processes.values():
            if process.state is ProcessState.STARTING:
                await process.wait_ready()

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

    async def _stop(self) -> None:
        """End all, workers first, so that their runs can still end or be requeued."""
        running = [one for one in self.processes.values() if one.process]
        workers = self.processes[WORKERS]
        if workers in running:
            await _stop_process(workers, self._settings.drain_time + STOP_PATIENCE)
        try:
            # On a full disk the server answers with failures; `reconcile` finds those runs later.
            with suppress(httpx.HTTPError):
                if self.state.ready and self.processes["prefect server"].is_alive:
                    await requeue_unfinished_runs("The local stack was stopped.")
        finally:
            for process in reversed([one for one in running if one is not workers]):
                await _stop_process(process, STOP_PATIENCE)


async def _stop_process(process: StackProcess, patience: float) -> None:
    await asyncio.to_thread(process.stop, patience)
    if process.state is not ProcessState.DIED:
        process.set_state(ProcessState.STOPPED)
