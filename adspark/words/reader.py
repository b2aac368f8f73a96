"""The program that reads the words of pictures, one after the other, in bounded time and memory.

`python -m adspark.words.reader FD` serves the socket of its parent (`reader_process`) until that is
closed. It decodes the picture itself: one that takes too much, or breaks a library, ends this
process and nothing else.
"""

import os
import sys
from dataclasses import asdict
from typing import Any

from adspark.media.decoder import decode_picture
from adspark.media.picture_server import RefusedError, serve
from adspark.words.lines import judge_lines
from adspark.words.rapid_ocr import SCRIPTS, RapidOcr, find_language
from adspark.words.tesseract import find_tesseract, read_with_tesseract

_MOST_RESIDENT = 640 * 1024 * 1024  # bytes of memory after which it ends, to give them back
_REASON = 200  # characters of a library's error


def main() -> None:
    """Serve the socket of this number."""
    engine = RapidOcr()

    def read(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        facts, pixels = decode_picture(content, {**request, "output": "pixels"})
        try:
            seen = engine.read(pixels, facts["output_width"], facts["output_height"])
        except Exception as error:  # libraries raise nearly anything
            reason = f"{type(error).__name__}, {str(error)[-_REASON:]}"
            raise RefusedError(f"RapidOCR cannot read the picture: {reason}") from error
        judged, name = judge_lines(seen, scripts=SCRIPTS), engine.name
        if judged.unread > len(judged.lines) and (second := find_tesseract()) is not None:
            size = facts["output_width"], facts["output_height"]
            other = judge_lines(read_with_tesseract(pixels, *size, second[1]), scripts=None)
            if len(other.lines) > max(len(judged.lines), other.unread):
                judged, name = other, second[0]
        language = find_language(" ".join(judged.lines))
        return {**asdict(judged), "language": language, "engine": name}, b""

    serve(int(sys.argv[1]), read, most_resident=_MOST_RESIDENT)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
