"""The site builds strictly and asks nobody else; links, anchors and commands in texts exist."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from deployments.cli.commands import COMMANDS
from tests.support.documentation.pages import DOCS, ROOT, page_names

_LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)")
_LOADED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*(?:src|href)=\"?(https?://[^\"> ]+)")


def anchors(path: Path) -> set[str]:
    """Of the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in heads}


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=str)
def test_the_links_of_a_page_in_the_repository_lead_somewhere(page: Path) -> None:
    for file, anchor in _LINK.findall(page.read_text()):
        target = ROOT / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def test_the_pages_that_files_outside_the_documentation_name_are_there() -> None:
    files = [*ROOT.glob("*.y*ml"), ROOT / ".env.example", ROOT / "Makefile"]
    for package in ("adspark", "deployments", "flows"):
        files += [one for one in (ROOT / package).rglob("*") if one.suffix in {".py", ".yaml"}]
    named = {page for one in files for page in re.findall(r"docs/[\w/-]+\.md", one.read_text())}
    assert {"docs/operators/containers.md", "docs/operators/hosts.md"} <= named
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []


def test_all_pages_stand_in_the_navigation() -> None:
    there_are = {str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md")}
    assert there_are == set(page_names()[1:])


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(DOCS, tmp_path / "docs")
    program = Path(sys.executable).parent / "zensical"
    built = subprocess.run(
        [program, "build", "--strict", "--config-file", "mkdocs.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(page_names()) - 1
    for path in pages:
        assert not _LOADED.findall(path.read_text()), path


@cache
def command(name: str) -> Any:  # noqa: ANN401  (Typer's own)
    """A command of the first level; None where there is none."""
    found = next((one for one in COMMANDS if one.name == name), None)
    return found and typer.main.get_command(found.typer())


@pytest.mark.parametrize("page", page_names())
def test_the_commands_and_options_that_a_text_names_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    for written in re.findall(r"`(adspark [a-z][^`]*)`", text):
        _adspark, *words = written.split()
        found = command(words[0])
        assert found, written
        if hasattr(found, "list_commands") and len(words) > 1:
            found = found.get_command(typer.Context(found), words[1])
            assert found, written
        options = {one for each in getattr(found, "params", ()) for one in each.opts}
        named = {
            one.strip("[],;").partition("=")[0] for one in words if one.strip("[").startswith("-")
        }
        assert named <= options | {"--help"}, written
