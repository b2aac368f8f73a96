"""Regions of the Transparency Center: ISO code, country name or SerpApi code to SerpApi code.

The table `data/regions.csv` holds SerpApi's 239 codes (source: SerpApi's parameter file of the
engine, MIT licence) beside their ISO 3166-1 codes and the other names that people write; a SerpApi
code is 2000 plus the ISO number, but for the Canary Islands, which have no ISO code.
"""

import csv
import re
from importlib import resources

from adspark.errors import InvalidQueryError
from adspark.text.normalized import normalize
from adspark.validation.near_names import ask_for, find_near

# Answered with a reason of its own, for people will look for the mistake in their spelling.
_NOT_SERVED = {
    "ru": "Russia", "rus": "Russia", "russia": "Russia", "cu": "Cuba", "cub": "Cuba",
    "cuba": "Cuba", "ir": "Iran", "irn": "Iran", "iran": "Iran", "sy": "Syria", "syr": "Syria",
    "syria": "Syria", "kp": "North Korea", "prk": "North Korea", "north korea": "North Korea",
    "xk": "Kosovo", "kosovo": "Kosovo",
}  # fmt: skip


def _plain(name: str) -> str:
    """Lower case, no accents, no punctuation, no leading article: how names are compared."""
    letters = normalize("NFKD", name.strip()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", " ", letters.lower().replace("&", " and ")).strip()
    return words.removeprefix("the ")


def _read_table() -> list[dict[str, str]]:
    text = resources.files("adspark").joinpath("data/regions.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _index(table: list[dict[str, str]]) -> dict[str, str]:
    index: dict[str, str] = {}
    for row in table:
        code, name = row["code"], row["name"]
        spellings = [code, row["alpha_2"], row["alpha_3"], name, *row["other_names"].split("|")]
        spellings += re.split(r"[()]", name) if "(" in name else []
        index |= {_plain(spelling): code for spelling in spellings if _plain(spelling)}
    return index


_TABLE = _read_table()
REGIONS: dict[str, str] = {row["code"]: row["name"] for row in _TABLE}
"""SerpApi code to country name, all 239."""
_CODES = _index(_TABLE)
_ALPHA_2 = {row["code"]: row["alpha_2"] for row in _TABLE}


def region_code(region: str) -> str:
    """The SerpApi code of `region`: an ISO code (`US`, `USA`), a name or the code itself.

    Raises:
        InvalidQueryError: it is none of these; the message names the nearest ones.
    """
    plain = _plain(region)
    if code := _CODES.get(plain):
        return code
    if country := _NOT_SERVED.get(plain):
        raise InvalidQueryError(
            "region", f"{country} is not served by the Transparency Center; leave region out."
        )
    near = find_near(plain, [k for k in _CODES if len(k) > 3], cutoff=0.75)
    hint = ask_for(REGIONS[_CODES[name]] for name in near)
    raise InvalidQueryError(
        "region",
        f"{region!r} is not a region. Give an ISO code (US), a country name or a SerpApi code "
        f"(2840){f'; {hint}' if hint else '.'}",
    )


def region_short(code: str) -> str:
    """The ISO code of a SerpApi code, as `US`, or the code itself where the table lacks it."""
    return _ALPHA_2.get(code) or code


def region_name(code: str) -> str:
    """The country name of a SerpApi code, or the code itself where the table lacks it."""
    return REGIONS.get(code, code)
