"""Files of rules: what may stand in them, and the line and remedy of every mistake."""

from pathlib import Path

import pytest

from adspark.errors import ConfigurationError
from adspark.rules.copy_lines import Field
from adspark.rules.definition import MOST_PHRASES
from adspark.rules.files import LARGEST, read_rule_file, read_rules
from adspark.rules.merging import merge_rules
from adspark.rules.prompt import write_rules
from adspark.rules.surfaces import Surface

BAD = {
    "empty": ("", 1, "holds no rules; write one, or {} for none."),
    "only a comment": ("# rules\n", 1, "holds no rules; write one, or {} for none."),
    "a list": ("- free\n", 1, "is no mapping of rules; write each as name: value"),
    "a text": ("free", 1, "is no mapping of rules; write each as name: value"),
    "no YAML": ("banned_words: [free\n", 2, "is not YAML .*correct it"),
    "a tab": ("banned_words:\n\t- free\n", 2, "is not YAML .*correct it"),
    "two documents": ("tone_words: [a]\n---\nx: y\n", 2, "is not YAML .*correct it"),
    "a tag of a text": ("banned_words: [!!bool yes]\n", 1, r"tags \(!name\) are not read"),
    "a tag of a list": ("languages: [de]\ntone_words: !set [x]\n", 2, r"tags \(!name\) are not"),
    "an alias": ("tone_words: &a [x]\nbanned_words: *a\n", 2, r"aliases \(\*name\) are not read"),
    "a bomb": ("tone_words: " + "[" * 3000, 1, "is nested too deeply; write"),
    "NUL": ("\n\nbanned_words: [a\0b]\n", 3, "holds a NUL or half a character; remove it"),
    "a field twice": ("languages: en\n\nlanguages: de\n", 3, "stands there twice; remove one"),
    "a name that is a list": ("? [a]\n: b\n", 1, "has a name that is no text; write name: value"),
    "an unknown rule": ("\nbaned_words: [x]\n", 2, "no such rule; did you mean 'banned_words'"),
    "quite another rule": ("zzz: 1\n", 1, "no such rule; known are banned_words, banned_claims"),
    "an empty list's value": ("banned_words:\n", 1, r"is empty; write it as banned_words: \["),
    "an empty bound": ("too_close:\n", 1, "is empty; write a number from 0.001 to 1, or remove"),
    "a mapping for a list": ("tone_words: {a: b}\n", 1, "is not a list; write it as tone_words:"),
    "a list in a list": ("tone_words:\n- a\n- [b]\n", 3, "entry 2: is not a text; write it as"),
    "no word": ("banned_words:\n- free\n- '!!!'\n", 3, "entry 2: holds no word; write letters"),
    "a star inside": ("banned_words: ['fr*ee']\n", 1, r"a \* may only end a word, .*remove it"),
    "a star alone": ("banned_words: ['* free']\n", 1, r"a \* may only end a word, .*remove it"),
    "a long phrase": (f"banned_words: [{'x' * 201}]\n", 1, "has 201 characters; shorten it to 200"),
    "many words": (f"banned_words: ['{'a ' * 41}']\n", 1, "has 41 words; shorten it to 40"),
    "a long claim": (f"banned_claims: ['{'a ' * 13}']\n", 1, "has 13 words; shorten it to 12"),
    "many phrases": (
        f"banned_words: [{', '.join(f'w{n}' for n in range(MOST_PHRASES + 1))}]\n",
        1,
        "has more than 200 items; write it as",
    ),
    "twice, but for an accent": ("banned_words:\n- café\n- CAFE\n", 3, "list twice; remove one"),
    "a language's name": ("languages: [english]\n", 1, "write its two letters, as en or de"),
    "an unknown language": ("languages:\n- en\n- qq\n", 3, "'qq' is no language that is known"),
    "no size": ("picture_sizes: [large]\n", 1, "'large' is no size; write pixels as 1200x628"),
    "a size of nothing": ("picture_sizes: [0x0]\n", 1, "'0x0' is no size; write pixels"),
    "an unknown surface": ("surfaces: [search]\n", 1, "no such surface; known are responsi"),
    "an unknown field": ("surfaces:\n  display:\n    descripton: 9\n", 3, "did you mean 'descri"),
    "a field of another surface": (
        "surfaces:\n  display:\n    path: 15\n", 3, "is no field of ads on display; write short_h",
    ),
    "no number": ("surfaces:\n  display:\n    description: long\n", 3, "is not a whole number; w"),
    "a limit of nothing": ("surfaces: {display: {description: 0}}\n", 1, "must be 1 to 1000"),
    "a bound above 1": ("too_close: 80\n", 1, "must be 0.001 to 1, not 80.0; write it as"),
    "no bound": ("too_close: high\n", 1, "is not a number; write it as too_close: 0.8"),
    "another place": ("disclaimer_place: top\n", 1, "is none of 'copy', 'picture' or 'either'"),
    "a disclaimer that is banned": (
        "banned_words: [free]\ndisclaimers:\n- Terms apply\n- Free for members\n", 4,
        "entry 2: holds 'free', which banned_words forbids; change one of them",
    ),
    "a disclaimer that is a banned claim": (
        "banned_claims: [terms apply]\ndisclaimers: [Terms may apply.]\n", 2,
        "holds 'terms apply', which banned_claims forbids; change one of them",
    ),
    "a disclaimer that no field can hold": (
        "disclaimers:\n- Terms apply\n- Terms and conditions apply everywhere\n"
        "disclaimer_place: copy\nsurfaces: {responsive_search: {headline: 5, description: 8}}\n", 3,
        "entry 2: has 37 characters, and no field takes more than 15; shorten it, or raise a limit",
    ),
    "a tone that no field of both surfaces can hold": (
        "tone_words: [wonderfully]\nsurfaces:\n  responsive_search: {description: 9, path: 9}\n"
        "  display: {short_headline: 10, long_headline: 9, business_name: 9}\n", 1,
        "has 11 characters, and no field takes more than 10; shorten it",
    ),
    "a tone that is banned": (
        "tone_words: [bold]\nbanned_words: ['bol*']\n", 1, r"holds 'bol\*', which banned_words for",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "line", "remedy"), BAD.values(), ids=BAD)
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    written: str, line: int, remedy: str
) -> None:
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        read_rules(written, source="brand.yaml")
    assert str(caught.value).startswith(f"brand.yaml, line {line}: ")
    assert "\0" not in str(caught.value)


def test_what_nobody_sees_of_a_phrase_is_left_out() -> None:
    rules = read_rules('banned_words: ["a\\x00b", "\\u200bfree\\e"]\n', source="brand.yaml")
    assert rules.banned_words == ["a b", "free"]


def test_a_long_disclaimer_may_stand_in_the_longest_field_or_on_the_picture() -> None:
    limits = "surfaces: {display: {description: 10, business_name: 10, long_headline: 10}}"
    for place, words in (("copy", "x" * 30), ("either", "x" * 31), ("picture", "x" * 31)):
        written = f"disclaimers: [{words}]\ndisclaimer_place: {place}\n{limits}\n"
        assert read_rules(written, source="brand.yaml").disclaimers == [words]


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    written = "too_close: 9\nlanguages: [xx]\nbanned_words:\n- '...'\n"
    with pytest.raises(ConfigurationError) as caught:
        read_rules(written, source="brand.yaml")
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "brand.yaml, line 1", "brand.yaml, line 2", "brand.yaml, line 4",
    ]  # fmt: skip


TWICE = """\
banned_words: [free, FREE]
too_close: 7
foo: 1
banned_words:
- cheap
- '...'
surfaces: {display: {path: 9, path: no}}
? [a]
: b
"""


def test_what_stands_there_twice_hides_no_other_mistake() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_rules(TWICE, source="brand.yaml")
    lines = [line.removeprefix("brand.yaml, line ") for line in str(caught.value).splitlines()]
    assert [" ".join(line.split()[:5]) for line in lines] == [
        "1: banned_words, entry 2: 'FREE'",
        "2: too_close: must be 0.001",
        "3: foo: there is no",
        "4: banned_words: stands there twice;",
        "6: banned_words, entry 2: holds",
        "7: surfaces.display.path: is no field",
        "7: surfaces.display.path: is not a",
        "7: surfaces.display.path: stands there twice;",
        "8: has a name that",
    ]


def test_a_file_that_cannot_be_read_is_told_too(tmp_path: Path) -> None:
    file = tmp_path / "brand.yaml"
    for content, problem in (
        (b"banned_words:\n- caf\xe9\n", "line 2: is not UTF-8; save the file as UTF-8"),
        (b"#" * (LARGEST + 1), "has more than 64 KB; shorten it"),
    ):
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match=problem):
            read_rule_file(file)
    with pytest.raises(ConfigurationError, match="name another file"):
        read_rule_file(tmp_path)


def test_values_are_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "brand.yaml"
    file.write_text(
        "\ufeffbanned_words: [no, 007, 1.50]\nlanguages: no\npicture_sizes: [1:1, 1200 x 628]\n"
        "surfaces: [responsive_search]\ndisclaimers: Terms apply.\ntoo_close: 0.8\n"
    )
    _, rules = read_rule_file(file)
    assert rules.banned_words == ["no", "007", "1.50"]
    assert rules.languages == ["no"]
    assert rules.picture_sizes == ["1:1", "1200x628"]
    assert rules.disclaimers == ["Terms apply."]
    assert rules.too_close == 0.8
    assert rules.limits_of(Surface.RESPONSIVE_SEARCH) == {
        Field.HEADLINE: 30, Field.DESCRIPTION: 90, Field.PATH: 15,
    }  # fmt: skip


def test_no_rules_are_rules_too() -> None:
    assert read_rules("{}", source="brand.yaml").given == []


def test_a_users_file_adds_to_the_workspaces_and_takes_no_ban_away() -> None:
    workspace = read_rules(
        "banned_words: [free, cheap]\ndisclaimers: Terms apply.\nlanguages: [en]\ntoo_close: 0.9\n"
        "surfaces: {display: {description: 60}}\ntone_words: [warm]\n",
        source="workspace",
    )
    own = read_rules(
        "banned_words: [cheap, bold]\nlanguages: [de]\nsurfaces:\n  display: {short_headline: 20}\n"
        "  responsive_search:\n",
        source="own",
    )

    merged = merge_rules(workspace, own)

    assert merged.banned_words == ["free", "cheap", "bold"]
    assert merged.disclaimers == ["Terms apply."]
    assert (merged.languages, merged.too_close, merged.tone_words) == (["de"], 0.9, ["warm"])
    assert merged.limits_of(Surface.DISPLAY)[Field.DESCRIPTION] == 60
    assert merged.limits_of(Surface.DISPLAY)[Field.SHORT_HEADLINE] == 20
    assert list(merged.surfaces) == [Surface.DISPLAY, Surface.RESPONSIVE_SEARCH]


def test_the_prompt_names_every_rule() -> None:
    written = write_rules(
        read_rules(
            "banned_words: [free]\nbanned_claims: [best ever]\ndisclaimers: Terms apply.\n"
            "tone_words: [warm]\noff_tone_words: [crazy]\nsurfaces: [display]\n"
            "picture_sizes: ['1:1']\ncompetitor_names: [Nike]\ncompetitor_marks: [Air Zoom]\n"
            "languages: [en]\n",
            source="all",
        )
    )
    for one in (
        "free", "best ever", "Terms apply.", "warm", "crazy", "short headline 30", "1:1", "Nike",
        "Air Zoom", "en",
    ):  # fmt: skip
        assert one in written
