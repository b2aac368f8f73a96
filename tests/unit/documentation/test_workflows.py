"""The workflows of GitHub: actions by their commits, few rights, no secret for others' code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.documentation.pages import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OURS = re.compile(r"\./\.github/workflows/\w+\.yml")

pytestmark = pytest.mark.skipif(not FILES, reason="no checkout")


def read(file: Path) -> dict[str, Any]:
    # YAML 1.1 takes `on` for a truth value.
    loaded = yaml.safe_load(file.read_text())
    return {"on" if key is True else key: value for key, value in loaded.items()}


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in read(file)["jobs"].values() for step in job.get("steps", ())]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(file: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.+)$", file.read_text(), re.MULTILINE)
    assert used
    assert [one for one in used if not (PINNED.fullmatch(one) or OURS.fullmatch(one))] == []


def test_an_action_is_of_one_commit_everywhere() -> None:
    text = "".join(file.read_text() for file in FILES)
    pins = set(re.findall(r"uses: (\S+)@([0-9a-f]{40}) # (\S+)", text))
    assert len({name for name, _, _ in pins}) == len(pins)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_rights_are_to_read_unless_a_job_says_more(file: Path) -> None:
    workflow = read(file)
    assert workflow["permissions"] == {"contents": "read"}
    granted = [job.get("permissions", {}) for job in workflow["jobs"].values()]
    more = {name for one in granted for name, right in one.items() if right != "read"}
    assert more == ({"packages"} if file.name == "release.yml" else set())
    for step in steps(file):
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


def test_what_pull_requests_start_has_no_secret() -> None:
    for file in FILES:
        triggers = read(file)["on"]
        assert "pull_request_target" not in triggers
        if "pull_request" in triggers:
            assert "secrets." not in file.read_text()


def test_ci_is_what_every_change_passes_on_every_python() -> None:
    (job,) = read(FOLDER / "ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = "Programming Language :: Python :: 3."
    supported = [one.rpartition(" ")[2] for one in project["classifiers"] if one.startswith(named)]
    assert job["strategy"]["matrix"]["python"] == supported


def test_a_tag_builds_the_image_with_what_it_is_made_of() -> None:
    workflow = read(FOLDER / "release.yml")
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    image = workflow["jobs"]["image"]
    assert image["needs"] == "check"
    (built,) = [s for s in image["steps"] if "build-push-action" in str(s.get("uses"))]
    assert (built["with"]["sbom"], built["with"]["provenance"]) == (True, "mode=max")
    assert (ROOT / built["with"]["file"]).is_file()
