"""Whatever a table holds, at any width: no line is wider, no word of ours cut, nothing lost."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from adspark.text.terminal import SafeConsole, plain
from deployments.terminal import tables
from deployments.terminal.output import out, print_wrapped
from deployments.terminal.tables import table

HEADINGS = ("id", "name", "not stored before", "searches", "last look", "words")
# Long, wide, joined, hostile, and empty.
CELLS = st.one_of(
    st.none(),
    st.integers(0, 10**6),
    st.sampled_from(
        [
            "日本語のとても長い名前の時計ウォッチ", "👩‍👩‍👧‍👦🇩🇪 family", "می\u200cخ", "a" * 90,
            "New Balance Athletic Shoe, Inc.",
            "[bold]b[/] \x1b[2J\u202e", "Ünï", "",
        ]
    ),
    st.text(max_size=60),
)  # fmt: skip


def shown(rows: list[dict[str, object]], width: int, wraps: str) -> list[str]:
    console = SafeConsole(file=io.StringIO(), width=width, highlight=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "out", console)
        console.print(table("Things that were found", rows, wraps=wraps))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


@given(
    rows=st.lists(st.fixed_dictionaries(dict.fromkeys(HEADINGS, CELLS)), min_size=1, max_size=4),
    width=st.sampled_from([60, 80, 200]),
    wraps=st.sampled_from(["words", "name"]),
)
def test_no_line_is_wider_and_nothing_is_lost(
    rows: list[dict[str, object]], width: int, wraps: str
) -> None:
    lines = shown(rows, width, wraps)
    assert max(map(cell_len, lines)) <= width
    assert "…" not in "".join(lines) or any("…" in str(row) for row in rows)
    told = re.sub(r"\s", "", "".join(lines))
    for heading in HEADINGS:
        assert heading == wraps or heading in "\n".join(lines)
    for row in rows:
        for cell in row.values():
            for word in plain(str(cell)).split() if cell is not None and width == 200 else ():
                assert all(letter in told for letter in word if letter.isalnum())


def test_lines_with_joined_characters_align_with_the_others() -> None:
    names = ["👨\u200d👩\u200d👧", "می\u200cخ", "क्\u200dष", "plain"]
    lines = shown([{"name": one, "words": "x"} for one in names], 80, "words")[4:]
    assert len({cell_len(line.partition("x")[0]) for line in lines}) == 1
    for line, name in zip(lines, names, strict=True):
        assert name in line


@pytest.mark.parametrize("filled", range(60, 78))
def test_a_heading_is_whole_beside_short_texts(filled: int) -> None:
    rows: list[dict[str, object]] = [{"id": "x" * filled, "name": "ab"}, {"id": "y", "name": "c"}]
    lines = shown(rows, 80, "name")
    assert max(map(cell_len, lines)) <= 80
    headings = lines[1].split()
    assert headings in (["id", "name"], ["id"])
    assert len(lines) == (5 if "name" in headings else 7)  # else below its row


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_sentence_goes_on_at_a_word(width: int) -> None:
    console = SafeConsole(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    sentence = "Not retried: 1 run, changed since; what to do instead: adspark task " + "日本 " * 30
    print_wrapped(console, sentence)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(cell_len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == " ".join(sentence.split())


def test_a_pipe_gets_its_lines_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    rows: list[dict[str, object]] = [{"id": 1, "words": "word " * 60}]
    out.print(table("Things", rows, wraps="words"))
    assert len(capsys.readouterr().out.splitlines()) == 4
