"""The pages of the documentation in their order, and the code blocks in each."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
_FENCE = re.compile(
    r"^```(?P<kind>\w*) *(?:\{(?P<options>[^}]*)\})?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_REASON = re.compile(r'\.no-run reason="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced code block: where it stands, what it is, and why it cannot be run, if so."""

    page: str
    line: int
    kind: str
    text: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def page_names() -> list[str]:
    """The README, then the pages of the site in the order of its navigation."""
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    return ["README.md", *(f"docs/{one}" for one in _paths(navigation))]


def read_blocks(page: str) -> list[Block]:
    """All code blocks of a page, in their order."""
    text = (ROOT / page).read_text()
    assert text.count("\n```") == 2 * len(_FENCE.findall(text)), f"{page}: a fence is not closed"
    return [
        Block(
            page,
            text[: found.start()].count("\n") + 1,
            found["kind"],
            found["text"],
            reason[1] if (reason := _REASON.search(found["options"] or "")) else None,
        )
        for found in _FENCE.finditer(text)
    ]


def _paths(node: Any) -> list[str]:  # noqa: ANN401  (as YAML has it)
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node
    return [path for child in children for path in _paths(child)]
