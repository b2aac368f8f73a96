"""What is rendered: the one thing of a creative that shows it best, and the name of its picture."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from adspark.errors import UnusableContentError
from adspark.models import Creative

RENDERING_VERSION = 1
"""To be raised when the same input would look different."""


class RenderKind(StrEnum):
    """What is behind a target's address."""

    PICTURE = "picture"
    PREVIEW = "preview"
    PAGE = "page"


@dataclass(frozen=True)
class RenderTarget:
    """What is rendered, in CSS pixels; without a width or a height, at the content's own."""

    kind: RenderKind
    url: str
    width: int | None = None
    height: int | None = None


def choose_render_target(creative: Creative) -> RenderTarget:
    """What shows a creative best: picture, preview or page; UnusableContentError without any."""
    width, height = creative.width, creative.height
    if creative.image_url:
        return RenderTarget(RenderKind.PICTURE, creative.image_url, width, height)
    if creative.video_link:
        return RenderTarget(RenderKind.PREVIEW, creative.video_link, width, height)
    if creative.details_link:
        return RenderTarget(RenderKind.PAGE, creative.details_link)
    raise UnusableContentError(
        f"{creative.ad_creative_id} has no picture, no preview and no page to be rendered."
    )


def rendering_key(target: RenderTarget, scale: float = 1.0) -> str:
    """A name for the result, in hex: the same input has the same, and nothing else has it."""
    size = (target.width, target.height)
    fields = (RENDERING_VERSION, target.kind.value, target.url, *size, float(scale))
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
