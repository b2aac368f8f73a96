"""The second engine is a program that may be there; what it prints, as recorded, becomes lines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("cv2", reason="pip install 'adspark[ocr]'")

from adspark.words.lines import judge_lines
from adspark.words.tesseract import find_tesseract, read_with_tesseract

PROGRAM = """#!/bin/sh
case "$1" in
--version) echo "tesseract 5.3.0" ;;
--list-langs) printf 'List of available languages (4):\\neng\\nosd\\nrus\\nscript/Latin\\n' ;;
*) /bin/cat > "$0.given"; /bin/cat "$0.tsv" ;;
esac
"""
HEAD = "level page_num block_num par_num line_num word_num left top width height conf text"
PRINTED = (
    "1 1 0 0 0 0 0 0 600 260 -1 ",
    "4 1 1 1 1 0 26 28 524 38 -1 ",
    "5 1 1 1 1 1 26 28 210 38 96.5 Большая",
    "5 1 1 1 1 2 256 28 294 38 96.1 распродажа",
    "4 1 1 1 2 0 26 110 200 38 -1 ",
    '5 1 1 1 2 1 26 110 200 30 93.0 "Скидки',
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only one on the path."""
    place = tmp_path / "tesseract"
    place.write_text(PROGRAM)
    place.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    find_tesseract.cache_clear()
    yield place
    find_tesseract.cache_clear()


def test_its_lines_have_their_words_size_and_confidence(program: Path) -> None:
    printed = [HEAD, *PRINTED]
    program.with_name("tesseract.tsv").write_text(
        "\n".join(line.replace(" ", "\t") for line in printed)
    )
    assert find_tesseract() == ("Tesseract 5.3.0 (rus+eng)", "rus+eng")
    first, second = read_with_tesseract(bytes(300 * 130 * 3), 300, 130, "rus+eng")
    assert (first.text, second.text) == ("Большая распродажа", '"Скидки')
    assert (first.width, first.height) == (524, 38)
    assert first.confidence == pytest.approx(0.963)
    judged = judge_lines([first, second], scripts=None)
    assert (judged.script, judged.unread, len(judged.lines)) == ("cyrillic", 0, 2)
    given = program.with_name("tesseract.given").read_bytes()
    assert given.startswith(b"P6 600 260 255\n")  # twice as large


def test_where_it_fails_or_is_not_there_it_reads_nothing(program: Path) -> None:
    assert read_with_tesseract(bytes(12), 2, 2, "rus") == []  # it prints nothing, and fails
    program.unlink()
    assert find_tesseract() is None
    assert read_with_tesseract(bytes(12), 2, 2, "rus") == []
