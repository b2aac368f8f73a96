"""The files of a hand-over: CSV as Google Ads Editor imports it, and a ZIP file with pictures.

Columns: https://support.google.com/google-ads/editor/answer/57747. Ads are paused, so that
nothing is shown before a person has looked.
"""

import asyncio
import csv
import io
import math
import zipfile
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, BinaryIO
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from adspark.errors import InvalidQueryError, UnusableContentError
from adspark.media.store import MediaStore
from adspark.rules.surfaces import count_characters
from adspark.rules.verdicts import RuleCheck
from adspark.text.counts import counted
from adspark.text.formulas import guard_address, guard_cell
from adspark.text.quotes import in_quotes
from adspark.text.visible import blank_controls, drop_hidden
from adspark.validation.names import check_line, check_visible
from adspark.validation.notes import clean_note
from adspark.validation.public_addresses import check_web_address
from adspark.validation.stored import check_storable
from adspark.variants.handover.approved import MOST
from adspark.variants.handover.copy_lines import (
    DESCRIPTIONS,
    HEADLINES,
    LONGEST_PATH,
    AdCopy,
    read_copy_lines,
    row_of,
)

_MARK = "\ufeff"  # without it spreadsheets take the file for another encoding
_LONGEST_NAME, _LONGEST_URL = 255, 2048
_TOO_MANY = (
    f"a file takes the newest {MOST:,}, not this one and those older; hand them over batch by "
    "batch (on the command line: --batch)"
)
_MOST_NAMED = 10  # of what is left out, in an error
_FULL = "there is no more room in this file; adspark variant export writes one of any size"
_COLUMNS = (
    "Campaign",
    "Ad Group",
    "Ad type",
    *(f"Headline {number}" for number in range(1, HEADLINES + 1)),
    *(f"Description {number}" for number in range(1, DESCRIPTIONS + 1)),
    "Path 1",
    "Path 2",
    "Final URL",
    "Status",
)
_LINEAGE = (
    "variant", "original_ad_id", "advertiser", "original_version", "parent_id", "batch_id",
    "prompt", "rules", "generator", "workflow", "model", "seed", "requested_by", "completed_at",
    "approved_by",
)  # fmt: skip


class Destination(BaseModel):
    """Where the ads go in Google Ads, and where they lead."""

    model_config = ConfigDict(frozen=True)

    campaign: str
    ad_group: str
    final_url: str
    path_1: str = ""
    path_2: str = ""


class LeftOut(BaseModel):
    """What of an approved variant is not in the ad, and why."""

    variant: int
    words: str
    reason: str


class HandOver(BaseModel):
    """What was handed over."""

    ads: Annotated[int, Field(description="Rows of the CSV.")]
    pictures: Annotated[int, Field(description="In the ZIP file; 0 in a CSV.")] = 0
    left_out: list[LeftOut]


def check_destination(given: Destination) -> Destination:
    """The destination, trimmed; what shows nothing is empty.

    Raises:
        InvalidQueryError: names the field.
    """
    values = {name: clean_note(value) for name, value in given}
    for name in ("campaign", "ad_group"):
        _check_cell(name, values[name], _LONGEST_NAME)
        if not values[name]:
            raise InvalidQueryError(name, "is empty; name one of your account in Google Ads.")
    for name in ("path_1", "path_2"):
        _check_cell(name, values[name], LONGEST_PATH)
        if "/" in values[name]:
            raise InvalidQueryError(name, "holds a slash; Google puts it there itself.")
    if values["path_2"] and not values["path_1"]:
        raise InvalidQueryError("path_2", "needs a path_1 before it.")
    _check_url(values["final_url"])
    values["final_url"] = guard_address(values["final_url"])
    _check_cell("final_url", values["final_url"], _LONGEST_URL)
    return Destination(**values)


def write_csv(output: BinaryIO, variants: Sequence[Any], destination: Destination) -> HandOver:
    """Write a row for each variant, of the newest that a hand-over takes.

    Args:
        output: is written to.
        variants: as `read_approved` gives them.
        destination: a checked one.

    Raises:
        InvalidQueryError: there are none, or nothing of them fits; says why.
    """
    if not variants:
        raise InvalidQueryError("variants", "none is approved; approve some first.")
    content, summary = _ads(variants, destination)
    if summary.ads == 0:
        raise _nothing_fits(summary.left_out)
    output.write(content)
    return summary


async def write_zip(
    output: BinaryIO,
    variants: Sequence[Any],
    destination: Destination,
    media: MediaStore,
    *,
    most_bytes: int | None = None,
) -> HandOver:
    """Write the CSV, the pictures, what was left out, and where each variant came from.

    Args:
        output: is written to.
        variants: as `read_approved` gives them.
        destination: a checked one.
        media: where the pictures are.
        most_bytes: of pictures in all; those beyond are left out, with the remedy. None: any
            number.

    Raises:
        InvalidQueryError: as `write_csv`.
        AdSparkError: the media store does not work.
    """
    table = io.BytesIO()
    summary = write_csv(table, variants, destination)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("google-ads.csv", table.getvalue())
        handed_over = [one for one in variants[:MOST] if not _is_broken(one)]
        most = math.inf if most_bytes is None else most_bytes
        pictures = await _write_pictures(archive, handed_over, media, most, summary.left_out)
        rows = [(one.variant, one.words, one.reason) for one in summary.left_out]
        archive.writestr("left-out.csv", _table(("variant", "words", "reason"), rows))
        lineage = [(*_lineage(one), pictures.get(one.id)) for one in handed_over]
        archive.writestr("variants.csv", _table((*_LINEAGE, "picture"), lineage))
    summary.pictures = len(pictures)
    return summary


async def _write_pictures(
    archive: zipfile.ZipFile,
    variants: Iterable[Any],
    media: MediaStore,
    most_bytes: float,
    left_out: list[LeftOut],
) -> dict[int, str]:
    """The names of the pictures that are in the archive then, by variant; notes the others."""
    names: dict[int, str] = {}
    for one in variants:
        if one.image_path is None:
            continue
        reason = _FULL
        try:
            content = await media.read(one.image_path) if most_bytes >= 0 else b""
            most_bytes -= len(content)
        except UnusableContentError:
            content, reason = b"", "the media store has lost it"
        if not content or most_bytes < 0:
            left_out.append(LeftOut(variant=one.id, words="picture", reason=reason))
            continue
        names[one.id] = f"pictures/variant-{one.id}.{one.image_path.rpartition('.')[2]}"
        await asyncio.to_thread(archive.writestr, names[one.id], content, zipfile.ZIP_STORED)
    return names


def _ads(variants: Sequence[Any], to: Destination) -> tuple[bytes, HandOver]:
    rows, left_out = [], list[LeftOut]()
    for one in variants[:MOST]:
        if _is_broken(one):
            broken = counted(one.failed_rules, "brand rule")
            reason = f"it breaks {broken} since it was approved; review it again"
            left_out.append(LeftOut(variant=one.id, words="ad", reason=reason))
            continue
        copy = read_copy_lines(one.description)
        left_out += [
            LeftOut(variant=one.id, words=words, reason=reason) for words, reason in copy.left_out
        ]
        if not (copy.headlines or copy.descriptions):
            left_out.append(LeftOut(variant=one.id, words="ad", reason="no line of it fits"))
            continue
        left_out += _lacking(one.id, copy)
        last = (to.path_1, to.path_2, to.final_url, "Paused")
        rows.append((to.campaign, to.ad_group, "Responsive search ad", *row_of(copy), *last))
    left_out += [LeftOut(variant=one.id, words="ad", reason=_TOO_MANY) for one in variants[MOST:]]
    return _table(_COLUMNS, rows), HandOver(ads=len(rows), left_out=left_out)


def _nothing_fits(left_out: Sequence[LeftOut]) -> InvalidQueryError:
    said = [f"variant {one.variant}, {one.words[:40]} ({one.reason})" for one in left_out]
    if len(said) > _MOST_NAMED:
        said[_MOST_NAMED:] = [f"and {len(said) - _MOST_NAMED} more"]
    return InvalidQueryError(
        "variants",
        "nothing of those approved can be handed over; approve others first. "
        f"Left out: {'; '.join(said)}.",
    )


def _is_broken(one: Any) -> bool:  # noqa: ANN401  (a row)
    """Whether it breaks rules that nobody has overruled: it was approved before it was checked."""
    return bool(one.failed_rules) and not one.is_overruled


def _lacking(variant: int, copy: AdCopy) -> list[LeftOut]:
    if not copy.lacks:
        return []
    reason = f"Google asks for {' and '.join(copy.lacks)}; add them in Google Ads Editor"
    return [LeftOut(variant=variant, words="", reason=reason)]


def _lineage(one: Any) -> tuple[object, ...]:  # noqa: ANN401  (a row)
    return (
        one.id, one.original_ad_id, one.advertiser, one.original_version, one.parent_id,
        one.batch_id, one.prompt, _rules(one), one.generator, one.workflow, one.model, one.seed,
        one.user_id,
        one.completed_at.replace(tzinfo=None).isoformat(" ", "seconds"), one.approved_by,
    )  # fmt: skip


def _rules(one: Any) -> str | None:  # noqa: ANN401  (a row)
    """The versions of the brand rules that it was checked by."""
    if one.rule_check is None:
        return None
    check = RuleCheck.model_validate(one.rule_check)
    return ", ".join(version.name for version in check.versions)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV that a spreadsheet shows and never computes, and a terminal does not obey."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        cells = ("" if one is None else str(one) for one in row)
        writer.writerow([blank_controls(guard_cell(drop_hidden(one))) for one in cells])
    return (_MARK + written.getvalue()).encode()


def _check_cell(name: str, value: str, longest: int) -> None:
    check_storable(name, value)
    check_line(name, value)
    check_visible(name, value)
    if count_characters(value) > longest:
        raise InvalidQueryError(
            name, f"has {count_characters(value)} characters; shorten it to {longest}."
        )
    if blank_controls(value) != value or value == "[]":
        said = f"{in_quotes(value[:40])} cannot be read there; write it otherwise."
        raise InvalidQueryError(name, said)
    if guard_cell(value) != value:
        raise InvalidQueryError(
            name,
            f"{in_quotes(value[:40])} has =, +, - or @ at its beginning, or behind a comma or "
            "semicolon, which a spreadsheet takes for a formula; write it without.",
        )


def _check_url(url: str) -> None:
    try:
        is_usable = "@" not in urlsplit(check_web_address(url)).netloc  # no name and password
    except ValueError:
        is_usable = False
    if not is_usable:
        raise InvalidQueryError("final_url", "write the address of your page, as https://…")
