"""What every answer to a search begins with: search_metadata and search_parameters."""

from collections.abc import Mapping
from datetime import datetime

from adspark.sandbox.responses import MARKS
from adspark.sandbox.serpapi.search_cache import SearchRecord
from adspark.sandbox.settings import SandboxSettings

_USUAL_TIME = 0.05  # seconds, as total_time_taken of a search without latency
_HIDDEN = {"api_key"}


def write_head(
    settings: SandboxSettings,
    params: Mapping[str, str],
    record: SearchRecord,
    path: str,
    *,
    status: str = "Success",
) -> dict[str, object]:
    """The beginning of a body; `path` leads to the page that the search stands for.

    Args:
        settings: of the sandbox.
        params: of the request.
        record: the search, as it is kept.
        path: of the page at Google.
        status: of the search.
    """
    archived = f"{settings.base_url}/searches/sandbox/{record.id}"
    metadata: dict[str, object] = {
        "id": record.id,
        "status": status,
        "json_endpoint": f"{archived}.json",
        "created_at": _as_text(record.created_at),
        "processed_at": _as_text(record.created_at),
        f"{params['engine']}_url": f"{settings.base_url}{path}",
        "raw_html_file": f"{archived}.html",
        "prettify_html_file": f"{archived}.prettify",
        "total_time_taken": round(settings.latency + _USUAL_TIME, 2),
        **MARKS,
    }
    return {"search_metadata": metadata, "search_parameters": hide_key(params)}


def hide_key(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters as answers repeat them."""
    return {name: value for name, value in params.items() if name not in _HIDDEN}


def _as_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
