"""Tesseract, the second engine: for scripts that the first does not know, where it is installed.

Which it knows are the languages that are installed with it. It runs as a program within the bounds
of the process that starts it, the `reader`.
"""

import csv
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import groupby

import cv2
import numpy

from adspark.words.lines import SeenLine

_MOST_LANGUAGES = 8  # each takes as long again; those that the first engine does not know are first
_NO_LANGUAGES = {"osd", "equ"}
_KNOWN_BEFORE = ("eng", "deu", "fra", "spa", "ita", "por", "nld", "chi", "jpn")
_TIMEOUT = 60.0  # seconds
_SMALL = 1_000_000  # pixels below which a picture is made twice as large: small letters are lost
_WORD_LEVEL = "5"
_SPARSE = "11"  # the layout: text in any place, as on ads
_LINE = ("block_num", "par_num", "line_num")


@cache
def find_tesseract() -> tuple[str, str] | None:
    """Its name with the version, and the languages it reads with, as `rus+ell`; None: not here."""
    version = (_run("--version") or "").partition("\n")[0]
    listed = (_run("--list-langs") or "").splitlines()[1:]
    known = [one for one in listed if "/" not in one and one not in _NO_LANGUAGES]
    known.sort(key=lambda one: one.startswith(_KNOWN_BEFORE))
    if not version or not known:
        return None
    languages = "+".join(known[:_MOST_LANGUAGES])
    return f"Tesseract {version.rpartition(' ')[2]} ({languages})", languages


def read_with_tesseract(pixels: bytes, width: int, height: int, languages: str) -> list[SeenLine]:
    """All lines of a picture, from top to bottom; none where it does not work.

    Args:
        pixels: three bytes each, RGB.
        width: of the picture.
        height: of the picture.
        languages: as `rus+ell`.
    """
    if width * height < _SMALL:
        image = numpy.frombuffer(pixels, numpy.uint8).reshape(height, width, 3)
        width, height = 2 * width, 2 * height
        larger = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        pixels = larger.tobytes()
    given = f"P6 {width} {height} 255\n".encode() + pixels
    printed = _run("-", "-", "-l", languages, "--psm", _SPARSE, "tsv", given=given)
    return list(_lines(printed)) if printed else []


def _lines(printed: str) -> Iterator[SeenLine]:
    rows = csv.DictReader(printed.split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = (row for row in rows if row["level"] == _WORD_LEVEL and (row["text"] or "").strip())
    for _, group in groupby(words, lambda row: tuple(row[name] for name in _LINE)):
        line = list(group)
        left = min(int(row["left"]) for row in line)
        right = max(int(row["left"]) + int(row["width"]) for row in line)
        tallest = max(int(row["height"]) for row in line)
        sure = sum(float(row["conf"]) for row in line) / len(line) / 100
        yield SeenLine(" ".join(row["text"] for row in line), sure, right - left, tallest)


def _run(*arguments: str, given: bytes = b"") -> str | None:
    """What it prints; None where it is not installed, fails, or takes too long."""
    if (program := shutil.which("tesseract")) is None:
        return None
    try:
        done = subprocess.run(
            [program, *arguments],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")
