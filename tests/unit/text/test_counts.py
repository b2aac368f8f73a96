"""Numbers of things read as English, and nobody writes a plural after a number by hand."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from adspark.text.counts import counted, plural

ROOT = Path(__file__).parents[3]
NOUNS = (
    "ad", "attempt", "board", "campaign", "day", "event", "fetch", "generation", "hour", "look",
    "message", "minute", "page", "picture", "review", "row", "run", "search", "slot", "tag",
    "user", "variant", "version", "watch", "worker",
)  # fmt: skip
# A number that is never one, or a column or interval in SQL.
EXCEPTIONS = {
    "adspark/library/search/page.py", "adspark/library/filters/definition.py",
    "adspark/library/advertisers/listing.py", "adspark/library/advertisers/stored.py",
    "adspark/export/columns.py",  # interval '… days'
    "deployments/cli/demo/tables.py",  # ads of the demo, dozens
    "adspark/generators/dify/client.py", "adspark/generators/dify/log.py",  # a page's hundreds
    "adspark/maintenance/health_checks.py",  # of a plan's thousands
    "orchestration/server/prefect_health.py",  # … of 2 runs
    "deployments/operations/probe.py",  # chosen beside it
    "deployments/provisioning/pools.py", "deployments/stack/local_stack.py",  # no number
    "adspark/home/running_stack.py",
    "deployments/cli/setup/command.py",  # no number either
}  # fmt: skip


@pytest.mark.parametrize(
    ("number", "noun", "written"),
    [
        (0, "run", "0 runs"),
        (1, "search", "1 search"),
        (2, "search", "2 searches"),
        (1, "late run", "1 late run"),
        (1200, "due watch", "1,200 due watches"),
        (2, "day", "2 days"),
        (2, "copy", "2 copies"),
    ],
)
def test_a_thing_is_counted_as_people_write_it(number: int, noun: str, written: str) -> None:
    assert counted(number, noun) == written


def uncounted(source: str) -> Iterator[str]:
    """Places of f-strings where a plural follows a number that may be one."""
    plurals = {plural(noun) for noun in NOUNS}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for number, words in zip(node.values, node.values[1:], strict=False):
            if not (isinstance(number, ast.FormattedValue) and isinstance(words, ast.Constant)):
                continue
            said = str(words.value)
            first = " ".join(said.split()[:1]).strip(".,;:'")
            is_constant = isinstance(number.value, ast.Name) and number.value.id.isupper()
            if said.startswith(" ") and not is_constant and first in plurals:
                yield ast.unparse(number) + said[:30]


def test_no_plural_stands_after_a_number_by_hand() -> None:
    found = {
        str(path.relative_to(ROOT)): list(uncounted(path.read_text()))
        for folder in ("adspark", "blocks", "orchestration", "tasks", "flows", "deployments")
        for path in (ROOT / folder).rglob("*.py")
        if str(path.relative_to(ROOT)) not in EXCEPTIONS and "sandbox" not in path.parts
    }
    assert {path: places for path, places in found.items() if places} == {}
