"""What the README says of the queue classes is what their table says, and its proofs exist."""

import re
from pathlib import Path

import pytest

from adspark.db.rate_limits import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS
from adspark.export.columns import COLUMNS
from adspark.settings import Settings
from deployments.queue_classes import QUEUE_CLASSES, FlowClass, QueueClass

README = Path(__file__).parents[2] / "README.md"
RATES = {
    SEARCHES: "10 searches a minute",
    GENERATIONS: "30 generations a minute",
    SWEEPS: "5 begun a minute",
    CLEANUPS: "1 begun an hour",
    None: "",
}


def row(flow: FlowClass) -> str:
    """The line of a flow."""
    seconds = getattr(Settings(), flow.time_limit) if flow.time_limit else None
    cells = (
        f"`{flow.name}`",
        f"{seconds:g} s" if seconds else "",
        RATES[flow.rate],
        "one at a time" if flow.is_alone else "",
        f"`{flow.schedule}`" if flow.schedule else "",
    )
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize("queue_class", QUEUE_CLASSES, ids=lambda one: one.name)
def test_the_readme_tells_each_pool_and_its_flows_as_they_are(queue_class: QueueClass) -> None:
    text = README.read_text()
    memory = f"{queue_class.memory // 1024} GB" if queue_class.memory >= 1024 else "512 MB"
    pool = f"| **{queue_class.name}**: {queue_class.concurrency} at once, {memory} a run | | | | |"
    rows = [pool, *(row(flow) for flow in queue_class.flows)]
    assert "\n".join(rows).replace("|  |", "| |").replace("|  |", "| |") in text


def test_the_columns_of_an_export_are_told_in_their_order() -> None:
    _, _, told = README.read_text().partition("Columns, in all of them: ")
    told = told.partition("stored_at`")[0] + "stored_at`"
    named = re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", told))
    assert named == [one.name for one in COLUMNS]


def deaths() -> list[str]:
    """The rows of the table "When something dies"."""
    _, _, section = README.read_text().partition("### When something dies")
    table = [line for line in section.split("\n##")[0].splitlines() if line.startswith("|")]
    assert table[0] == "| what dies | what happens | proof |"
    return table[2:]


@pytest.mark.parametrize("row", deaths(), ids=lambda one: one.split("|")[1].strip())
def test_what_happens_when_something_dies_is_linked_to_a_test_that_exists(row: str) -> None:
    proofs = re.findall(r"\[[^]]+\]\((tests/[\w/]+\.py)#(\w+)\)", row.split("|")[3])
    assert proofs
    for file, name in proofs:
        source = (README.parent / file).read_text()
        assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file}: {name}"


def test_the_files_that_the_guide_for_contributors_names_are_there() -> None:
    text = (README.parent / "CONTRIBUTING.md").read_text()
    trees = "adspark|blocks|orchestration|tasks|flows|deployments|tests"
    named = set(re.findall(rf"`((?:{trees})/[\w/]+\.py)`", text))
    named = {one for one in named if "my_" not in one}  # examples
    assert len(named) > 80
    assert [one for one in sorted(named) if not (README.parent / one).exists()] == []
