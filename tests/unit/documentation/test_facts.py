"""What the README and the pages say in tables and words is what the code says."""

import re
from functools import cache
from itertools import chain

import pytest

from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS
from adspark.library.ads.similar import MOST_OTHERS, MOST_OWN
from adspark.settings import Settings
from deployments.queue_classes import QUEUE_CLASSES, FlowClass, QueueClass
from scripts.reference.pages import FOLDER, PAGES
from tests.support.documentation.pages import DOCS, ROOT, page_names

README = ROOT / "README.md"
RATES = {
    SEARCHES: "10 searches a minute",
    GENERATIONS: "30 generations a minute",
    SWEEPS: "5 begun a minute",
    CLEANUPS: "1 begun an hour",
    None: "",
}


def test_the_library_page_tells_with_how_many_ads_one_is_compared() -> None:
    text = " ".join((DOCS / "marketers" / "library.md").read_text().split())
    assert f"with the advertiser's latest {MOST_OWN:,} ads, the latest {MOST_OTHERS:,} arch" in text


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 200


@pytest.mark.parametrize("page", page_names())
def test_every_table_of_a_page_has_a_heading_without_which_it_is_shown_as_text(page: str) -> None:
    tables = re.findall(r"^\|.*\n(?:\|.*\n?)*", (ROOT / page).read_text(), re.MULTILINE)
    lines = [one.splitlines() for one in tables]
    rules = [[bool(re.fullmatch(r"[|:\- ]+", line)) for line in table[:2]] for table in lines]
    assert rules == [[False, True]] * len(tables)


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / f"{name}.md").read_text() == PAGES[name](), "make reference"
    assert "| |\n" not in (FOLDER / "settings.md").read_text()  # each setting has its meaning


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


@cache
def names_of_tests() -> frozenset[str]:
    """Of all tests that there are."""
    sources = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(chain.from_iterable(re.findall(r"\bdef (test_\w+)\(", one) for one in sources))


def deaths() -> list[str]:
    """The rows of the table "When something dies"."""
    text = (DOCS / "operators" / "recovery.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert table[0] == "| what dies | what happens | proof |"
    return table[2:]


@pytest.mark.parametrize("row", deaths(), ids=lambda one: one.split("|")[1].strip())
def test_what_happens_when_something_dies_is_proved_by_a_test_that_exists(row: str) -> None:
    proofs = re.findall(r"`(test_\w+)`", row.split("|")[3])
    assert proofs
    assert set(proofs) <= names_of_tests()


def test_the_files_that_the_guide_for_contributors_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    trees = "adspark|blocks|orchestration|tasks|flows|deployments|tests"
    named = set(re.findall(rf"`((?:{trees})/[\w/]+\.py)`", text))
    named = {one for one in named if "my_" not in one}  # examples
    assert len(named) > 80
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []
