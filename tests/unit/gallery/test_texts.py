"""The pages' texts: each one that is named is there, and each one that is there is shown."""

import re
from pathlib import Path

from deployments.gallery.texts import Texts

FOLDER = Path(__file__).parents[3] / "deployments" / "gallery"
_WRITTEN = "\n".join(file.read_text() for kind in ("*.html", "*.py") for file in FOLDER.rglob(kind))
_NAMED = set(re.findall(r"""\b(?:t|texts)\(\s*["']([a-z_]\w*\.[\w.-]*\w)["']\s*[,)]""", _WRITTEN))
_COUNTED = set(re.findall(r"""\bcounted\(\s*["']([a-z_][\w.-]*\w)["']\s*,""", _WRITTEN))
_NOTICES = set(re.findall(r"""\blead_to\([^()]*(?:\([^()]*\)[^()]*)*?,\s*"(\w+)["]""", _WRITTEN))

# Of names that are put together with their last part.
_BEGINNINGS = tuple(re.findall(r"""["'](\w+\.(?:\w*[._])?)["'{]""", _WRITTEN))


def test_each_text_that_is_named_is_there() -> None:
    there = set(Texts()._texts)
    named = _NAMED | {f"{one}.{form}" for one in _COUNTED for form in ("one", "other")}
    named |= {f"notice.{one}" for one in _NOTICES}

    assert len(named) > 300
    assert sorted(named - there) == []


def test_each_text_that_is_there_is_named() -> None:
    words = set(re.findall(r"[\w.-]+", _WRITTEN))
    unused = [
        name
        for name in sorted(Texts()._texts)
        if name not in words
        and re.sub(r"\.(one|other)$", "", name) not in words
        and not name.startswith(_BEGINNINGS)
    ]
    assert unused == []
