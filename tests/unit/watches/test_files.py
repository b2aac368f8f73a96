"""Watches in files: what is written comes back, and every mistake is named with its place."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import text

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.watches.definition import (
    WatchDefinition,
    WatchFields,
    change_definition,
    parse_watch,
)
from adspark.watches.files.watch_file import (
    WatchFile,
    WatchFormat,
    check_mistakes,
    format_of,
    read_watch_file,
    read_watches,
    write_watches,
)
from tests.support.factories import ADVERTISER_ID

OTHER_ID = "AR01566006373894848513"


def define(file: WatchFile) -> list[WatchDefinition]:
    """The watches of a file without mistakes, where none is stored yet."""
    check_mistakes(file.mistakes)
    return [change_definition(None, one.fields, one.clear)[0] for one in file.entries]


def read_yaml(written: str) -> list[WatchDefinition]:
    """The watches of a YAML text."""
    return define(read_watches(written, form=WatchFormat.YAML, source="w.yaml"))


def read_csv(written: str) -> list[WatchDefinition]:
    """The watches of a CSV text."""
    return define(read_watches(written, form=WatchFormat.CSV, source="w.csv"))


def definitions() -> list[WatchDefinition]:
    """Watches of every kind."""
    words: list[dict[str, object]] = [
        {"name": "plain", "text": "example.com"},
        {"name": "2026-01-01", "advertiser_ids": [OTHER_ID, ADVERTISER_ID], "region": "US"},
        {"name": "NO", "text": "example.com", "region": "NO", "is_active": False},
        {"name": 'quotes ", commas, "; # é 日本 🥾: - null', "text": "two words", "user_id": 3},
        {"name": "null", "text": "example.com", "monthly_budget": 0, "political_ads": True,
         "region": "GB", "platform": "PLAY", "creative_format": "video", "interval_minutes": 5,
         "max_pages": 100, "ended_after_days": 365, "details_per_sweep": 100},
        {"name": "=1+1", "text": "example.com"},
    ]  # fmt: skip
    return [parse_watch(**one)[0] for one in words]  # type: ignore[arg-type]


@pytest.mark.parametrize("form", WatchFormat)
def test_what_is_written_reads_back_the_same(form: WatchFormat) -> None:
    written = write_watches(definitions(), form=form)
    assert define(read_watches(written, form=form, source="w")) == definitions()
    assert write_watches([], form=form)
    assert read_watches(write_watches([], form=form), form=form, source="w") == ([], [])


def test_yaml_has_every_field_so_that_an_import_restores_it() -> None:
    assert write_watches(definitions()[1:2], form=WatchFormat.YAML) == (
        "watches:\n- name: '2026-01-01'\n  user_id: 1\n  advertiser_ids:\n"
        f"  - {OTHER_ID}\n  - {ADVERTISER_ID}\n  text: null\n  region: US\n  platform: null\n"
        "  creative_format: null\n  political_ads: false\n  is_active: true\n"
        "  interval_minutes: 60\n  max_pages: 5\n  monthly_budget: null\n  ended_after_days: 7\n"
        "  details_per_sweep: 0\n"
    )


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (WatchFormat.CSV, "name,monthly_budget,max_pages\nA,,\n"),
        (WatchFormat.CSV, "name,monthly_budget,max_pages\nA\n"),
        (WatchFormat.CSV, "name,monthly_budget,max_pages\nA, \u200b,\n"),
        (WatchFormat.YAML, "watches: [{name: A, monthly_budget: null, max_pages: ''}]"),
        (WatchFormat.YAML, "watches: [{name: A, monthly_budget: , max_pages: }]"),
    ],
)
def test_what_is_there_and_empty_is_emptied_and_what_is_not_there_is_left_alone(
    form: WatchFormat, written: str
) -> None:
    ((_, _, fields, clear),) = read_watches(written, form=form, source="w").entries
    assert fields == {"name": "A", "user_id": 1, "max_pages": 5}
    assert clear == ["monthly_budget"]


def test_csv_has_a_line_a_watch_with_advertisers_in_one_cell() -> None:
    head, _, second, *_ = write_watches(definitions(), form=WatchFormat.CSV).splitlines()
    assert head.startswith("name,user_id,advertiser_ids,text,region,")
    assert second.startswith(f"2026-01-01,1,{OTHER_ID} {ADVERTISER_ID},,US,,,false,true,60,5,,7,0")


@pytest.mark.parametrize(
    ("written", "code"),
    [("NO", "2578"), ("no", "2578"), ('"NO"', "2578"), ("2840", "2840"), ("'US'", "2840"),
     ("~", None), ("null", None), ("", None), ("''", None)],
)  # fmt: skip
def test_a_region_is_read_as_it_is_written(written: str, code: str | None) -> None:
    (made,) = read_yaml(f"watches: [{{name: a, text: x.com, region: {written}}}]")
    assert made.region == code


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("political_ads: yes, region: US", {"political_ads": True, "region": "2840"}),
        ("is_active: OFF", {"is_active": False}),
        ('interval_minutes: "90"', {"interval_minutes": 90}),
        (f"advertiser_ids: {ADVERTISER_ID}", {"advertiser_ids": (ADVERTISER_ID,)}),
        (
            f'advertiser_ids: "{ADVERTISER_ID} {OTHER_ID}"',
            {"advertiser_ids": (OTHER_ID, ADVERTISER_ID)},
        ),
    ],
)
def test_values_may_be_written_as_people_do(cells: str, expected: dict[str, object]) -> None:
    (made,) = read_yaml(f"watches: [{{name: a, text: x.com, {cells}}}]")
    assert made == WatchDefinition(name="a", text="x.com").model_copy(update=expected)


def test_aliases_are_refused_for_a_few_lines_of_them_never_end() -> None:
    levels = "".join(f"- &b{n} {{<<: [*b{n - 1}, *b{n - 1}]}}\n" for n in range(1, 25))
    for written in (
        f"watches:\n- &b0 {{name: a, text: x.com}}\n{levels}",
        "watches:\n- &base {name: a, text: x.com, max_pages: 9}\n- {<<: *base, name: b}\n",
        "watches: [{name: a, advertiser_ids: &ids [AR1], text: *ids}]",
    ):
        with pytest.raises(ConfigurationError, match=r"aliases .* are not read; write the value"):
            read_yaml(written)
    with pytest.raises(ConfigurationError, match="<<: there is no such field"):
        read_yaml("watches:\n- {<<: {max_pages: 9}, name: b, text: x.com}\n")


def test_a_spreadsheets_csv_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "Watches.CSV"
    file.write_bytes(
        "\ufeffname; text ;is_active;monthly_budget\r\né;x.com;TRUE;\r\n;;;\r\n".encode()
    )
    assert define(read_watch_file(file)) == [WatchDefinition(name="é", text="x.com")]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "w.yaml: is empty; write the watches as a list below watches: at the top."),
        ("- name: a", "w.yaml: write the watches as a list below watches: at the top."),
        ("watches: {name: a}", "w.yaml: write the watches as a list below watches: at the top."),
        ("watches: []\nwatch: []", "w.yaml: only watches: is known at the top, not 'watch'."),
        ("watches:\n- name: [", "w.yaml, line 2: is not YAML (expected the node content"),
        ("watches:\n- {name: a, text: b,\n   text: c}", "line 3: is not YAML (text stands there t"),
        ("watches: [{[a]: b}]", "w.yaml, line 1: is not YAML (a field's name is not plain)"),
        ("watches: [\x07]", "w.yaml: is not YAML (special characters are not allowed); correct it"),
        ("watches: " + "[" * 5000, "w.yaml: is not YAML (too deep)"),
        ("watches: [a]", "w.yaml, row 1: is not a watch; write its fields as name: value."),
        ("watches: [!!python/name:os.system x]", "is not YAML (could not determine a constructor"),
        ("watches: [{name: a, text: x.com}, {name: b, regions: US}]",
         "w.yaml, row 2, watch 'b': regions: there is no such field; known are name, user_id, adv"),
        ("watches: [{text: x.com}]", "w.yaml, row 1, watch '': name: is empty; name the watch."),
        ("watches: [{name: a, user_id: 0}]", "row 1, watch 'a': user_id: must be 1 or more, not 0"),
        ("watches: [{name: a, text: x.com, max_pages: 1.5}]",
         "max_pages: '1.5' is not a whole number."),
        ("watches: [{name: a, text: x.com, max_pages: [1]}]",
         "max_pages: holds a list or a mapping; write one value."),
        ("watches: [{name: a, text: x.com, is_active: maybe}]",
         "is_active: 'maybe' is neither yes nor no"),
        ("watches: [{name: a, text: x.com}, {name: ' a', text: y.com}]",
         "w.yaml, row 2, watch ' a': name: is in row 1 already; leave one out."),
    ],
)  # fmt: skip
def test_a_mistake_in_yaml_is_named_with_its_place(written: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_yaml(written)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("name,text\na,x.com\n\nb,y.com,z\n",
         "w.csv, row 2 (line 4), watch 'b': (no heading): the row has more cells than headings."),
        ("name,txt\na,x.com\n", "w.csv, headings: txt: there is no such field; known are name, "),
        ("name,regoin,rubbish\n", "regoin: there is no such field; known are name, user_id, adv"),
        ("name,regoin\n", "did you mean 'region'?"),
        ("rubbish\n", "w.csv, headings: rubbish: there is no such field; known are name, user_id"),
        ("name,text,text\na,x.com,\n", "w.csv: two columns are headed 'text'; keep one."),
        ("text\nx.com\n", "w.csv, row 1 (line 2), watch '': name: is empty; name the watch."),
        ('name,text\na,"x.com\n', "w.csv, line 2: is not CSV (unexpected end of data); correct"),
        ("name,text\na,x.com\na,y.com\n", "row 2 (line 3), watch 'a': name: is in row 1 (line 2)"),
    ],
)  # fmt: skip
def test_a_mistake_in_csv_is_named_with_its_place(written: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_csv(written)
    assert message in str(raised.value)


def test_every_mistake_of_a_file_is_named_on_a_line_of_its_own() -> None:
    written = (
        "name,text,region,max_pages\n"
        "a,x.com,US,1.5\n"
        ",x.com,US,\n"
        "c,x.com,US,1\n"
        "d,x.com,US,1,more\n"
        "c,y.com,US,1\n"
        'e,"x.com\n'
    )
    with pytest.raises(ConfigurationError) as raised:
        read_csv(written)
    lines = str(raised.value).splitlines()
    assert [line.removeprefix("w.csv, ")[:41] for line in lines] == [
        "row 1 (line 2), watch 'a': max_pages: '1.",
        "row 2 (line 3), watch '': name: is empty;",
        "row 4 (line 5), watch 'd': (no heading): ",
        "row 5 (line 6), watch 'c': name: is in ro",
        "line 7: is not CSV (unexpected end of dat",
    ]


def test_the_mistakes_of_one_watch_are_all_named() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_yaml("watches: [{name: a, is_active: maybe, max_pages: x, regions: US}, b]")
    names = [line.split(": ")[1] for line in str(raised.value).splitlines()]
    assert names == [
        "is_active",
        "max_pages",
        "regions",
        "is not a watch; write its fields as name",
    ]


def test_only_so_many_mistakes_are_named() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_csv("name,text,max_pages\n" + "a,x.com,x\n" * 30)
    lines = str(raised.value).splitlines()
    assert (len(lines), lines[-1]) == (21, "… and 10 more.")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("watches.txt", "give the file a name that ends in .yaml, .yml or .csv"),
        ("missing.yaml", "missing.yaml: No such file or directory; name another file"),
        ("folder.yml", "folder.yml: Is a directory; name another file"),
        ("latin.csv", "latin.csv: is not UTF-8; save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "latin.csv").write_bytes("name\né\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=message):
        read_watch_file(tmp_path / name)


def test_the_name_of_a_file_tells_its_format() -> None:
    forms = [format_of(Path(name)) for name in ("a.yaml", "b.YML", "c.csv")]
    assert forms == [WatchFormat.YAML, WatchFormat.YAML, WatchFormat.CSV]


A = WatchDefinition(name="A", text="example.com", region="2840")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"name,user_id,text,region,,,\r\nA,,example.com,US,,,\r\n", id="empty end"),
        pytest.param(b"sep=;\r\nname;text;region\r\nA;example.com;US\r\n", id="sep"),
        pytest.param(b'"SEP=|",,\r\nname|text|region\r\nA|example.com|US\r\n', id="sep quoted"),
        pytest.param(b"sep=\t\nname\ttext\tregion\nA\texample.com\tUS\n", id="sep tab"),
        pytest.param(b"Name,Text,Region\nA,example.com,US\n", id="capitals"),
        pytest.param(b" NAME ; Advertiser IDs ;TEXT;Region\nA;;example.com;US\n", id="blanks"),
        pytest.param("name\u200b,\ufefftext,region\nA\u200b,example\u200b.com\u200b,US\u00a0\n".encode(),
                     id="invisible"),
        pytest.param("\ufeffname;text;region\nA;example.com;US\n".encode(), id="BOM"),
        pytest.param("name\ttext\tregion\r\nA\texample.com\tUS\r\n".encode("utf-16"), id="UTF-16"),
        pytest.param("\ufeffname\ttext\tregion\nA\texample.com\tUS\n".encode("utf-16-be"), id="BE"),
        pytest.param("name,text,region\nA,example.com,US\n".encode("utf-16-le"), id="LE, no BOM"),
        pytest.param(b"\r\n,,\r\nname,text,region\r\n,,\r\n\r\nA,example.com,US", id="empty lines"),
        pytest.param(b"name,text,region\rA,example.com,US\r", id="CR"),
        pytest.param(b'"name","text","region"\n"A","example.com\n","2840.0"\n', id="quoted"),
        pytest.param(
            b"name;text;region;political_ads;is_active;interval_minutes;max_pages;monthly_budget\n"
            b"A;example.com;US;FALSCH;WAHR;60,0;5.0;\n", id="numbers and flags",
        ),
        pytest.param(b"name,text,region,is_active,max pages\nA,example.com,US,1.0, 5 \n", id="1.0"),
        pytest.param(b"name,text,region,Is-Active\nA,example.com,US,VRAI\n", id="hyphens"),
    ],
)  # fmt: skip
def test_a_file_is_read_as_spreadsheets_save_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "w.csv"
    file.write_bytes(content)
    assert define(read_watch_file(file)) == [A]


@pytest.mark.parametrize(
    ("written", "number"),
    [("60", 60), ("60.0", 60), ("60,00", 60), ("1.000,0", 1000), ("1,000.00", 1000),
     ("1 000", 1000), ("1\u202f000", 1000), ("10.000.000,0", 10_000_000), (" 60 ", 60),
     ("1.000", None), ("1,000", None), ("1.000.000", None), ("1.5", None), ("1,5", None),
     ("10.00.0", None), ("-1.0", None), ("1e3", None), ("=60", None), ("1.000,5", None)],
)  # fmt: skip
def test_a_number_is_read_where_it_means_one_only(written: str, number: int | None) -> None:
    table = f'name,text,monthly_budget\na,x.com,"{written}"\n'
    if number is not None:
        assert [one.monthly_budget for one in read_csv(table)] == [number]
        return
    with pytest.raises(ConfigurationError, match=r"watch 'a': monthly_budget: "):
        read_csv(table)


def test_a_number_that_countries_read_differently_is_refused_with_its_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"'1\.000' is one number in some countries and"):
        read_csv("name;text;monthly_budget\na;x.com;1.000\n")


@pytest.mark.parametrize("written", ["x", "WAHRSCHEINLICH", "2", "0.5", "✓"])
def test_a_flag_that_is_neither_is_refused(written: str) -> None:
    with pytest.raises(ConfigurationError, match="is neither yes nor no; write one of them"):
        read_csv(f"name,text,is_active\na,x.com,{written}\n")


def test_a_flags_word_is_a_name_like_any_other_in_the_name() -> None:
    assert [one.name for one in read_csv("name,text\nWAHR,x.com\n60.0,y.com\n")] == ["WAHR", "60.0"]


def test_names_that_look_the_same_are_the_same_in_a_file() -> None:
    with pytest.raises(ConfigurationError, match=r"row 2 \(line 3\), watch 'A': name: is in row 1"):
        read_csv("name,text\nA\u200b,example.com\u200b\nA,example.com\n")


def test_several_advertisers_may_stand_in_a_cell_as_people_write_them() -> None:
    for written in (f'"{OTHER_ID}, {ADVERTISER_ID}"', f'"{OTHER_ID}\r\n{ADVERTISER_ID}"',
                    f"{OTHER_ID};{ADVERTISER_ID}"):  # fmt: skip
        (made,) = read_csv(f"name,advertiser_ids\na,{written}\n")
        assert made.advertiser_ids == (OTHER_ID, ADVERTISER_ID)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "w.csv: is empty; write a line of headings (name, user_id, "),
        ("\r\n,,\r\n \r\n", "w.csv: is empty; write a line of headings"),
        ("sep=;\r\n", "w.csv: is empty; write a line of headings"),
        ("sep=;\nname;text\na;x.com;z\n", "row 1 (line 3), watch 'a': (no heading): the row has"),
        ("name,Text,TEXT\n", "w.csv: two columns are headed 'text'; keep one."),
        ("name,text,,\na,x.com,,z\n", "watch 'a': (no heading): the row has more cells"),
        ("name;txt\na;x.com\n", "w.csv, headings: txt: there is no such field"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_spreadsheets_file_is_named(written: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_csv(written)
    assert message in str(raised.value)


def test_a_table_of_headings_holds_no_watch() -> None:
    assert read_csv("name;text\n") == []
    assert read_csv("sep=,\r\nName,Text,,\r\n,,,\r\n") == []


FORMULA_NAMES = [
    "=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "'=1", "''=1", "'quoted'", "a;=1+1",
    "a,=1+1", "a, =b", "a;'-1", "\uff1d1", "b=c", "x-y", "=", "'", "O'Neill", 'a;"=1', "\u200b=1",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMULA_NAMES)
def test_no_cell_of_an_export_is_a_formula_and_an_import_takes_it_back(name: str) -> None:
    made = [parse_watch(name=name, text="example.com")[0]]
    check_export(made)


def check_export(made: list[WatchDefinition]) -> None:
    """No spreadsheet of any country sees a formula, and an import sees the same watches."""
    written = write_watches(made, form=WatchFormat.CSV)
    for delimiter in ",;\t":
        table = csv.reader(written.splitlines(), delimiter=delimiter)
        cells = [cell for row in table for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\uff1d"))]
    assert read_csv(written) == made


@given(text("=+-@'\"ab,; \u200bé", min_size=1, max_size=12))
def test_an_import_takes_any_name_back(name: str) -> None:
    try:
        made = [change_definition(None, WatchFields(name=name, text="example.com"))[0]]
    except InvalidQueryError:
        return
    check_export(made)
