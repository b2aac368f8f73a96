"""While a stack is being started, every command says so, and none shows what the start prints."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from adspark.errors import ConfigurationError
from adspark.home.running_stack import LOCK, START_LOCK, StackState, check_no_stack, is_starting
from adspark.settings import get_settings
from deployments.cli.main import run

FOREIGN = "Error: of another process\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ADSPARK_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    get_settings.cache_clear()
    (tmp_path / "stack.log").write_text(FOREIGN)
    yield tmp_path
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("command", "lock", "code"),
    [
        (["up"], LOCK, 2),
        (["up", "-d"], LOCK, 2),
        (["up", "-d"], START_LOCK, 2),
        (["demo"], START_LOCK, 2),
        (["init", "--sandbox", "--no-browser"], LOCK, 2),
        (["init", "--sandbox", "--no-browser"], START_LOCK, 2),
        (["status"], LOCK, 1),
        (["status"], START_LOCK, 1),
        (["down"], START_LOCK, 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_stack_that_is_being_started_is_told_of(
    home: Path, command: list[str], lock: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with FileLock(home / lock):
        assert run(command) == code
    told = f"Error: A stack of {home} is being started; wait until it is ready: adspark status"
    said = capfd.readouterr()
    assert (said.out, said.err.splitlines()) == ("", [told])
    assert (home / "stack.log").read_text() == FOREIGN


def test_it_is_being_started_until_it_is_ready(tmp_path: Path) -> None:
    assert not is_starting(tmp_path / "nowhere")
    check_no_stack(tmp_path)
    with FileLock(tmp_path / LOCK):
        state = StackState(home=tmp_path, api_url="", ui_url="http://127.0.0.1:9")
        state.write(tmp_path)
        assert is_starting(tmp_path)
        state.ready = True
        state.write(tmp_path)
        assert not is_starting(tmp_path)
        with pytest.raises(ConfigurationError, match=r"runs already at http://127.0.0.1:9; stop"):
            check_no_stack(tmp_path)
    (tmp_path / "stack.json").unlink()
    assert not is_starting(tmp_path)
