"""The table of ads that an artifact shows, in Markdown: each with its picture once it is archived.

A table is written when ads were found, which is before their pictures are archived: what is missing
is marked in it, and filled in by the run of the archive that has it.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from adspark.archive.thumbnails import Thumbnails
from adspark.markdown import escape_markdown
from adspark.notifications.pictures import write_picture

MOST_BYTES = 400_000
"""Of a page with its pictures; those that do not fit are left out."""

_MISSING = "not archived yet"
_INLINE = 1.4  # characters a byte of a picture that stands in its page
_WAITING = re.compile(rf"(?m)^(\|[^|\n]*?){_MISSING} (?=\| (CR\d+) \|)")


def write_ads(
    rows: Sequence[Mapping[str, object]], thumbnails: Mapping[str, Thumbnails], *, waits: bool
) -> str:
    """The table, with the paths of thumbnails instead of pictures; empty without rows.

    Args:
        rows: heading to cell; `ad` is the creative's id, and `what` what a watch noticed.
        thumbnails: by the creative's id.
        waits: whether pictures that are missing will be archived.
    """
    if not rows:
        return ""
    names = [name for name in rows[0] if name != "ad"]
    lines = [_line(["picture", "ad", *names]), _line(["---"] * (len(names) + 2))]
    for row in rows:
        ad = str(row["ad"])
        picture = _picture(ad, thumbnails.get(ad, Thumbnails()), row.get("what"), waits=waits)
        cells = ("" if row[name] is None else escape_markdown(str(row[name])) for name in names)
        lines.append(_line([picture, ad, *cells]))
    return "\n".join(lines)


def find_waiting(page: str) -> list[str]:
    """The ads of a page whose picture is missing."""
    return [ad for _, ad in _WAITING.findall(page)]


def fill_in(page: str, thumbnails: Mapping[str, Thumbnails]) -> str:
    """The page with the paths of those thumbnails that are archived now."""

    def fill(found: re.Match[str]) -> str:
        one = thumbnails.get(found[2], Thumbnails())
        return found[1] + write_picture(found[2], one.present) if one.present else found[0]

    return _WAITING.sub(fill, page)


def choose_pictures(page: str, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """The first pictures that fit into the page."""
    left = MOST_BYTES - len(page)
    chosen = {}
    for path, content in pictures.items():
        left -= int(_INLINE * len(content))
        if left < 0:
            break
        chosen[path] = content
    return chosen


def _picture(ad: str, thumbnails: Thumbnails, what: object, *, waits: bool) -> str:
    present = write_picture(ad, thumbnails.present) or (f"{_MISSING} " if waits else "")
    if what != "changed" or thumbnails.before is None:
        return present.strip()
    return f"{write_picture(ad, thumbnails.before)}→ {present}".strip()


def _line(cells: Collection[str]) -> str:
    return f"| {' | '.join(cells)} |"
