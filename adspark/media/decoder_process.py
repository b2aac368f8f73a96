"""The processes in which pictures are decoded (`decoder`), two at a time."""

from typing import Any

from adspark.media.picture_pool import PicturePool
from adspark.media.picture_process import Answer, PictureProgram

_AT_ONCE = 2
_PROGRAM = PictureProgram("adspark.media.decoder", "decoder of pictures", "decode", "decoded")
_pool = PicturePool(_PROGRAM, at_once=_AT_ONCE)


async def decode(content: bytes, request: dict[str, Any]) -> Answer:
    """Have a picture decoded; as `decoder.decode_picture`. A cancellation ends the decoder.

    Raises:
        UnusableContentError: it is no picture, broken, too large, or harmful.
        ServiceUnavailableError: this machine lacks time or memory for it.
        ConfigurationError: the decoder does not start.
    """
    return await _pool.ask(content, request)


def close_idle() -> None:
    """End the decoders that have nothing to do; the next picture gets a new one."""
    _pool.close_idle()
