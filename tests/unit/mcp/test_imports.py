"""The extra: who does without it does not notice, and who needs it is told how to get it."""

import subprocess
import sys

import pytest

OTHERS = ("deployments.gallery.app", "deployments.server.app", "blocks.alert_recipients")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_neither_the_gallery_nor_prefects_server_loads_it() -> None:
    imported = python(f"import sys, {', '.join(OTHERS)}; print(*sys.modules)").stdout.split()

    assert set(OTHERS) <= set(imported)
    assert {"mcp", "httpx2", "deployments.mcp"}.isdisjoint(imported)


def test_without_it_the_command_says_how_it_is_installed() -> None:
    done = python(
        "import sys; sys.modules['mcp'] = None; sys.argv = ['adspark', 'mcp']\n"
        "from deployments.cli.main import main; main()"
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert "The protocol is not installed: " in done.stderr
    assert "mcp" in done.stderr.partition("installed: ")[2]


@pytest.mark.parametrize("option", [("--port", "4271"), ("--host", "0.0.0.0")])
def test_where_it_listens_goes_with_http(option: tuple[str, str]) -> None:
    done = python(
        f"import sys; sys.argv = ['adspark', 'mcp', *{option}]\n"
        "from deployments.cli.main import main; main()"
    )

    assert done.returncode == 2
    assert "--host and --port go with --http" in " ".join(done.stderr.split())
