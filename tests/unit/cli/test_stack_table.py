"""The table of `adspark up` on a terminal of 80 columns: no address and no file is cut."""

from pathlib import Path

import pytest

from adspark.db.embedded import postgres_folder
from adspark.settings import Settings
from adspark.text.terminal import SafeConsole
from deployments.cli.operating.stack import _draw
from deployments.queue_classes import POOL_NAMES
from deployments.stack.local_stack import WORKERS, LocalStack
from deployments.stack.processes import ProcessState


@pytest.mark.parametrize("state", [ProcessState.READY, ProcessState.NO_ROOM])
def test_addresses_and_files_are_whole(tmp_path: Path, state: ProcessState) -> None:
    home = tmp_path / "a folder with a long name" / "that is in another one with a long name"
    stack = LocalStack(Settings(home=home), sandbox="sandbox", on_change=lambda _: None)
    url = "http://127.0.0.1:14210/metrics"
    other = {
        "postgres": str(postgres_folder(stack.state.home)),
        WORKERS: ", ".join(POOL_NAMES),
        "provisioning": "",
    }
    for one in stack.processes.values():
        one.log = home / "logs" / f"{one.name.replace(' ', '-')}.log"
        one.state, one.address = state, other.get(one.name, url)
    console = SafeConsole(width=80, record=True, force_terminal=True)
    console.print(_draw(stack))
    shown = console.export_text()
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert shown.count(url) == len(stack.processes) - len(other)
    words = shown.replace(",", " ").split()
    assert {"postgres.log", "prefect-server.log", *POOL_NAMES} <= set(words)
    assert words.count("postgres") == 2  # its name, and its folder in the stack's
