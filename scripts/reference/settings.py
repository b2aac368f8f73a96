"""The reference of settings: from `Settings`, and from `.env.example` for the containers."""

import re
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from adspark.settings import Settings
from adspark.validation.bounds import PORT, TIME_LIMIT, Range
from scripts.reference.docstrings import field_docs
from scripts.reference.markdown import code, make_document, make_paragraph, make_table, sentence

_UNTOLD = (PORT, TIME_LIMIT)  # what anybody expects
EXAMPLE = Path(__file__).parents[2] / ".env.example"
_ABOUT = """
From the environment or a `.env` in the working folder (`.env.example` is one to copy). An empty
value counts as unset. SerpApi, Dify and chat endpoints are asked through the proxy that
`HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` names (http, https, socks5), this machine's own servers
never.
"""
_CONTAINERS = """
These are read by `docker-compose.yml` alone, beside those above. A variable that `.env.example`
does not name is given to a service in a `docker-compose.override.yml`.
"""


def make_page() -> str:
    docs = field_docs(Settings)
    rows = [
        (code(f"ADSPARK_{name.upper()}"), _default(name, field), _meaning(docs[name], field))
        for name, field in Settings.model_fields.items()
    ]
    return make_document(
        "Settings",
        _ABOUT,
        make_table(("variable", "default", "meaning"), rows),
        "## Of the containers",
        make_paragraph(_CONTAINERS),
        make_table(("variables", "in `.env.example`", "meaning"), _of_containers()),
    )


def _default(name: str, field: FieldInfo) -> str:
    if name == "home":
        return "`~/.adspark`; for root `/var/lib/adspark`"
    value = field.default
    if value is None or value == () or isinstance(value, SecretStr):
        return ""
    if isinstance(value, tuple):
        return code(",".join(_plain(one) for one in value))
    return code(_plain(value))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meaning(text: str, field: FieldInfo) -> str:
    bounds = [one for one in field.metadata if isinstance(one, Range)]
    told = [f"; {one.least:,} to {one.most:,}" for one in bounds if one not in _UNTOLD]
    return sentence(text) + "".join(told)


def _of_containers() -> list[tuple[str, str, str]]:
    """The variables of the second part of `.env.example`, with the comment above each group."""
    _, _, part = EXAMPLE.read_text().partition("# In containers")
    rows: list[tuple[str, str, str]] = []
    comment: list[str] = []
    names: list[str] = []
    defaults: list[str] = []
    for line in [*part.splitlines()[1:], "# end"]:
        if found := re.fullmatch(r"#?([A-Z][A-Z0-9_]+)=(.*)", line):
            names.append(found[1])
            defaults.append(found[2])
            continue
        if names:
            meaning = sentence(" ".join(comment))
            rows.append((_list(names), _list(filter(None, defaults)), meaning))
            comment, names, defaults = [], [], []
        if line.startswith("# "):
            comment.append(line.removeprefix("# "))
        elif not line:
            comment = []
    return rows


def _list(names: object) -> str:
    return ", ".join(code(one) for one in names)  # type: ignore[attr-defined]
