"""The version stands in `pyproject.toml`; what cannot read it there says the same."""

import re
import subprocess
import tomllib
from importlib.metadata import version

import pytest

from tests.support.documentation.pages import ROOT

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
IMAGE = re.compile(r"\badspark:(\d+\.\d+\.\d+)")
TAGGED = ("docker-compose.yml", "docker-compose.dev.yml", ".env.example",
          "deployments/docker/Dockerfile", "deployments/kubernetes/adspark.yaml",
          "docs/reference/settings.md")  # fmt: skip


@pytest.mark.parametrize("name", TAGGED)
def test_every_file_with_the_image_names_the_version(name: str) -> None:
    assert set(IMAGE.findall((ROOT / name).read_text())) == {VERSION}


def test_no_other_file_names_the_image_of_a_version() -> None:
    listed = subprocess.run(
        ["git", "-C", ROOT, "grep", "-lIE", r"adspark:[0-9]+\.[0-9]+"],
        capture_output=True,
        text=True,
    )
    if listed.returncode > 1:
        pytest.skip("no checkout of git")
    assert set(listed.stdout.split()) - {"CHANGELOG.md"} == set(TAGGED)


def test_the_installed_package_and_the_lock_are_of_the_version() -> None:
    assert version("adspark") == VERSION, "make install"
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert [one["version"] for one in packages if one["name"] == "adspark"] == [VERSION]


def test_the_changelog_says_what_is_new_and_how_to_upgrade() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert sections[0] == VERSION
    assert "### Upgrading from 0.1\n" in text
