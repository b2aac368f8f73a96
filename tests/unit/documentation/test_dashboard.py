"""The dashboard for Grafana and the alert rules ask for metrics and labels that are exported."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deployments.operations.metric_families import FAMILIES
from tests.support.documentation.pages import DOCS

LABELS = {one.name: set(one.labels) for one in FAMILIES}
DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULES = yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"][0]["rules"]
METRIC = re.compile(r"\b(adspark_\w+)(?:\{([^}]*)\})?")


def expressions() -> Iterator[tuple[str, str]]:
    """Each expression of a panel or rule, with the text that shows its labels."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for rule in RULES:
        yield rule["expr"], rule["annotations"]["summary"].replace("$labels.", "")


@pytest.mark.parametrize(("expression", "shown"), list(expressions()))
def test_an_expression_asks_for_what_is_exported(expression: str, shown: str) -> None:
    asked = METRIC.findall(expression)
    assert {name for name, _ in asked} <= LABELS.keys()
    exported = set.intersection(*(LABELS[name] for name, _ in asked))
    selected = {label for _, selector in asked for label in re.findall(r"(\w+)\s*=", selector)}
    grouped = {
        label.strip()
        for labels in re.findall(r"\bby \(([^)]*)\)", expression)
        for label in labels.split(",")
    }
    legend = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", shown))
    assert selected | grouped | legend <= exported
    assert expression.count("(") == expression.count(")")


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        name
        for panel in PANELS
        for target in panel["targets"]
        for name, _ in METRIC.findall(target["expr"])
    }
    assert shown == LABELS.keys()


def test_panels_stand_beside_each_other_and_take_the_data_source_that_is_chosen() -> None:
    cells: list[tuple[int, int]] = []
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells += [(x, y) for x in range(place["x"], place["x"] + place["w"])
                  for y in range(place["y"], place["y"] + place["h"])]  # fmt: skip
        sources = [panel["datasource"], *(one["datasource"] for one in panel["targets"])]
        assert {one["uid"] for one in sources} == {"${datasource}"}
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource"]
