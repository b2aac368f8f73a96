"""The reference of metrics: the families that are scraped."""

from deployments.operations.metric_families import FAMILIES
from scripts.reference.markdown import code, make_document, make_table, sentence

_ABOUT = """
`adspark up` serves them for Prometheus at `http://127.0.0.1:4290/metrics`, elsewhere `adspark
metrics` does. Of a source that is down there is `adspark_up 0` alone. Rules for alerts:
[alerts.yml](../alerts.yml); a dashboard for Grafana: [grafana.json](../grafana.json).
"""


def make_page() -> str:
    rows = [
        (code(one.name), ", ".join(map(code, one.labels)), sentence(one.what)) for one in FAMILIES
    ]
    table = make_table(("metric", "labels", "meaning"), rows)
    return make_document("Metrics", _ABOUT, table)
