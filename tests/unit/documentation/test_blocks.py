"""Code blocks that are not run: what they are, why, and that they are right all the same."""

import json
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable

import pytest
import yaml

from tests.support.documentation.pages import ROOT, Block, page_names, read_blocks

BLOCKS = [block for page in page_names() for block in read_blocks(page)]
RUN = {"bash", "console", "python", "sql"}  # tests/acceptance/test_documentation.py
READ: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}
PARSED = {"ini", *READ}
# What no test can run, by page and reason: as few as there can be.
NOT_RUN = {
    ("README.md", "they are the demo and these tests themselves"): 1,
    ("README.md", "asks SerpApi itself, with a key that costs money"): 1,
    ("docs/operators/install.md", "they are the demo and these tests themselves"): 1,
    ("docs/operators/install.md", "asks SerpApi itself, with a key that costs money"): 2,
    ("docs/operators/install.md", "Windows alone has PowerShell and WSL"): 1,
    ("docs/operators/troubleshooting.md", "needs Docker"): 3,
    ("docs/operators/containers.md", "needs Docker"): 5,
    ("docs/operators/hosts.md", "needs Docker"): 1,
    ("docs/operators/kubernetes.md", "needs a cluster"): 1,
    ("docs/operators/retention.md", "needs Docker"): 3,
    ("docs/developers/development.md", "needs Docker"): 1,
}
_COMPOSE = re.compile(r"^docker-compose\b(.*)$", re.MULTILINE)
_TAKES_A_VALUE = {"-f", "-p", "--profile", "--scale", "--tail", "--user", "--entrypoint"}


def test_all_blocks_are_of_a_kind_that_is_run_or_parsed_or_shows_output() -> None:
    kinds = {block.kind for block in BLOCKS if not block.not_run}
    assert kinds <= RUN | PARSED | {"text"}, [str(one) for one in BLOCKS if not one.kind]


def test_the_blocks_that_are_not_run_are_these() -> None:
    found = Counter((one.page, one.not_run) for one in BLOCKS if one.not_run)
    assert dict(found) == NOT_RUN


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.kind in PARSED], ids=str)
def test_a_block_of_settings_or_data_can_be_read(block: Block) -> None:
    if block.kind == "ini":
        lines = [one for one in block.text.splitlines() if not one.startswith("#")]
        known = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        assert {one.partition("=")[0] for one in lines} <= known
        return
    assert READ[block.kind](block.text)


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.not_run and one.kind == "bash"], ids=str
)
def test_a_block_that_is_not_run_is_a_script_of_targets_and_services_that_there_are(
    block: Block,
) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", block.text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for file in re.findall(r"[\w.-]+\.yml", block.text):
        assert (ROOT / file).exists(), file
    for command in _COMPOSE.findall(block.text):
        _verb, services = _verb_and_services(command)
        assert services <= _services(), command


def _verb_and_services(command: str) -> tuple[str, set[str]]:
    """The verb of a `docker-compose` command, and the services that it names."""
    words = iter(command.partition("#")[0].partition(">")[0].split())
    bare = []
    for word in words:
        if word in _TAKES_A_VALUE:
            next(words)
        elif not word.startswith("-"):
            bare.append(word)
    verb, *rest = bare
    return verb, set(rest[:1] if verb in {"run", "exec"} else rest)


def _services() -> set[str]:
    files = (ROOT / f"docker-compose{kind}.yml" for kind in ("", ".dev"))
    return {name for file in files for name in yaml.safe_load(file.read_text())["services"]}
