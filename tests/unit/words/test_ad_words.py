"""What a person is told of the words that were read, or were not."""

from typing import Any

import pytest

from adspark.words.ad_words import AdWords

READ: dict[str, Any] = {
    "status": "read", "lines": ["Big sale"], "headline": "Big sale", "language": "en",
    "script": "latin", "unread_lines": 0, "confidence": 0.974, "engine": "RapidOCR 3.10.0",
    "read_at": None, "failure": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "read from its picture, 97% sure, language en"),
        ({"language": None, "unread_lines": 1},
         "read from its picture, 97% sure; 1 more could not be read"),
        ({"lines": [], "unread_lines": 3, "script": "greek"},
         "its picture has words that were not read; 3 lines are in a script (greek) that "
         "RapidOCR 3.10.0 does not know"),
        ({"lines": [], "unread_lines": 1, "script": "unknown"},
         "its picture has words that were not read; 1 line is in a script that RapidOCR 3.10.0 "
         "does not know"),
        ({"lines": []}, "none: its picture was read and has none"),
        ({"status": "failed", "failure": "It is broken."},
         "could not be read from its picture: It is broken."),
        ({"status": "pending"}, "not read yet"),
    ],
)  # fmt: skip
def test_what_is_told(changed: dict[str, Any], told: str) -> None:
    assert AdWords.model_validate(READ | changed).describe().startswith(told)
