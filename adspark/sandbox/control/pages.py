"""The sandbox's HTML pages: what it is, what to try, and one ad."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from urllib.parse import urlencode

from adspark.sandbox.dify.app import DifyApp
from adspark.sandbox.dify.faults import DifyFault
from adspark.sandbox.library.catalogue import Row
from adspark.sandbox.responses import NOTICE
from adspark.sandbox.serpapi.engine import SearchEngine
from adspark.sandbox.serpapi.faults import ArmedFault, Fault
from adspark.sandbox.serpapi.query import DETAILS_ENGINE, ENGINE
from adspark.sandbox.settings import SandboxSettings

_ADVERTISERS_SHOWN = 25
_LONG = 60  # characters; more may break anywhere
_LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #202124; margin: 0; background: #f8f9fa }}
header {{ background: #e8710a; color: #fff; padding: 14px 24px }}
header b {{ letter-spacing: 3px; font-size: 20px; margin-right: 12px }}
main {{ max-width: 900px; margin: 0 auto; padding: 8px 24px 40px }}
h2 {{ font-size: 17px; margin: 28px 0 8px }}
table {{ border-collapse: collapse; background: #fff; width: 100% }}
th, td {{ border: 1px solid #dadce0; padding: 6px 10px; text-align: left }}
th {{ background: #f1f3f4; font-weight: 600 }}
td.long {{ overflow-wrap: anywhere }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums }}
code, pre {{ background: #f1f3f4; padding: 2px 5px; font-size: 13px; overflow-wrap: anywhere }}
pre {{ padding: 10px; white-space: pre-wrap }}
</style></head><body><header><b>SANDBOX</b> {notice}</header><main>{content}</main></body></html>
"""
_SWITCHES = """curl -X PUT {base}/sandbox/faults -d '[{{"kind": "server_error_500", "times": 2}}]'
curl -X PUT {base}/sandbox/faults -d '[]'
curl -X POST {base}/sandbox/reset"""
_CHANGE = """curl -X PUT {base}/sandbox/changes -d \\
  '[{{"action": "remove", "ad_creative_id": "{creative_id}"}}]'
curl -X PUT {base}/sandbox/changes -d \\
  '[{{"action": "alter", "ad_creative_id": "{creative_id}", "row": {{"last_shown": {now}}}}}]'
curl -X PUT {base}/sandbox/changes -d \\
  '[{{"action": "add", "row": {{"advertiser_id": "{advertiser_id}", "advertiser": "{advertiser}",
     "ad_creative_id": "CR00000000000000000001", "format": "text",
     "first_shown": {now}, "last_shown": {now}}}}}]'"""

_DIFY = """curl -X PUT {base}/sandbox/dify/faults -d '[{{"kind": "cut_stream", "times": 1}}]'
curl -X PUT {base}/sandbox/dify/workflow -d '{{"outputs": "markdown"}}'
curl {base}/sandbox/dify/stats"""


def write_home(settings: SandboxSettings, engine: SearchEngine, dify: DifyApp) -> str:
    """The page at `/`.

    Args:
        settings: of the sandbox.
        engine: its SerpApi.
        dify: its Dify.
    """
    account = engine.meter.account(settings.clock(), engine.faults.refusal)
    advertisers = engine.catalogue.advertisers(_ADVERTISERS_SHOWN)
    detailed = engine.details.example
    changes = len(engine.catalogue.changes)
    shown = ("total_searches_left", "this_month_usage", "this_hour_searches")
    counters = {**engine.meter.describe(), **{name: account[name] for name in shown}}
    base, key = settings.base_url, settings.api_key
    search = f"{base}/search.json?api_key={key}"
    example = f"{search}&engine={ENGINE}&advertiser_id={advertisers[0].id}"
    details = f"{search}&engine={DETAILS_ENGINE}&{urlencode(asdict(detailed))}"
    count = settings.generated_advertisers
    change = _CHANGE.format(
        base=escape(base),
        creative_id=detailed.creative_id,
        advertiser_id=advertisers[0].id,
        advertiser=escape(advertisers[0].name),
        now=int(time.time()),
    )
    more = f"<p>Generated: Sandbox Advertiser 1 to {count}.</p>" if count else ""
    content = f"""<h2>Counters</h2>{_table(list(counters), [tuple(counters.values())])}
<h2>Advertisers to try</h2>{
        _table(
            ("advertiser_id", "advertiser", "text", "ads"),
            ((a.id, a.name, a.domain or "", a.creatives) for a in advertisers),
        )
    }
{more}<p>A search to start with:</p>
{_link(example)}<p>The details of one ad:</p>{_link(details)}
<h2>Faults</h2>{_fault_table(engine.faults.armed)}
<pre>{_SWITCHES.format(base=escape(base))}</pre>
<h2>Changes</h2><p>Changes made to the ads: {changes}. They can be removed, altered and added,
each time in place of the former changes. As at SerpApi, a search comes from the cache, without
later changes, for {settings.cached_for / 60:.0f} minutes.</p>
<pre>{change}</pre>
{_describe_dify(settings, dify)}"""
    return _lay_out("SANDBOX of SerpApi and Dify", content)


def write_creative(row: Row, picture: str | None) -> str:
    """The page of one ad."""
    image = f'<p><img src="{escape(picture)}" alt="placeholder"></p>' if picture else ""
    facts = _table(("field", "value"), row.items())
    return _lay_out(
        f"SANDBOX: {row['ad_creative_id']}",
        f"<h2>{escape(str(row['advertiser']))}</h2>{image}{facts}",
    )


def _describe_dify(settings: SandboxSettings, dify: DifyApp) -> str:
    base = escape(settings.base_url)
    stats = dify.runs.describe()
    by_user = stats["by_user"]
    users = len(by_user) if isinstance(by_user, Mapping) else 0
    counters = {name: value for name, value in stats.items() if name != "by_user"}
    counters["users"] = users
    return f"""<h2>Dify</h2>
<p>The base address is <code>{base}/v1</code>, the key <code>{escape(settings.dify_key)}</code>.
Variants are made by plain rules, cost nothing and say SANDBOX.</p>
{_table(list(counters), [tuple(counters.values())])}{_fault_table(dify.faults.armed)}
<pre>{_DIFY.format(base=base)}</pre>"""


def _lay_out(title: str, content: str) -> str:
    return _LAYOUT.format(title=escape(title), notice=escape(NOTICE), content=content)


def _link(address: str) -> str:
    return f'<pre><a href="{escape(address)}">{escape(address)}</a></pre>'


def _fault_table(
    faults: Sequence[ArmedFault[Fault]] | Sequence[ArmedFault[DifyFault]],
) -> str:
    if not faults:
        return "<p>None is switched on.</p>"
    rows = ((a.fault.model_dump_json(exclude_none=True), a.fired, a.is_over) for a in faults)
    return _table(("fault", "fired", "over"), rows)


def _table(heads: Sequence[str], rows: Iterable[tuple[object, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    text = str(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    kind = "number" if is_number else "long" if len(text) > _LONG else ""
    return f'<td class="{kind}">{escape(text)}</td>'
