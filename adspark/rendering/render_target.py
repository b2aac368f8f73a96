"""What is rendered: the one thing of a creative that shows it best, and the name of its picture."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from adspark.errors import UnusableContentError
from adspark.models import Creative

RENDERING_VERSION = 1
"""To be raised when the same input would look different."""


class Kind(StrEnum):
    """What a subject's content is."""

    PICTURE = "picture"
    PREVIEW = "preview"
    PAGE = "page"
    HTML = "html"


@dataclass(frozen=True)
class RenderTarget:
    """What is rendered.

    Attributes:
        content: the address, or the HTML.
        width, height: CSS pixels; None: the content's own.
    """

    kind: Kind
    content: str
    width: int | None = None
    height: int | None = None


def subject_of(creative: Creative) -> RenderTarget:
    """What shows a creative best: its picture, else its preview, else its page.

    Raises:
        UnusableContentError: it has none of them.
    """
    width, height = creative.width, creative.height
    if creative.image_url:
        return RenderTarget(Kind.PICTURE, creative.image_url, width, height)
    if creative.video_link:
        return RenderTarget(Kind.PREVIEW, creative.video_link, width, height)
    if creative.details_link:
        return RenderTarget(Kind.PAGE, creative.details_link)
    raise UnusableContentError(
        f"{creative.ad_creative_id} has no picture, no preview and no page to be drawn."
    )


def rendering_key(subject: RenderTarget, scale: float = 1.0) -> str:
    """A name for the result, in hex: the same input has the same, and nothing else has it."""
    parts = (
        RENDERING_VERSION,
        subject.kind.value,
        subject.content,
        subject.width,
        subject.height,
        float(scale),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
