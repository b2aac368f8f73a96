"""Watches in files: what is written comes back, and every mistake is named with its place."""

from pathlib import Path

import pytest

from adspark.errors import ConfigurationError
from adspark.watch_definitions import WatchDefinition, parse_watch
from adspark.watch_files import (
    WatchFormat,
    format_of,
    read_watch_file,
    read_watches,
    write_watches,
)
from tests.factories import ADVERTISER_ID

OTHER_ID = "AR01566006373894848513"


def read_yaml(written: str) -> list[WatchDefinition]:
    """The watches of a YAML text."""
    return read_watches(written, form=WatchFormat.YAML, source="w.yaml")[0]


def read_csv(written: str) -> list[WatchDefinition]:
    """The watches of a CSV text."""
    return read_watches(written, form=WatchFormat.CSV, source="w.csv")[0]


def definitions() -> list[WatchDefinition]:
    """Watches of every kind."""
    words: list[dict[str, object]] = [
        {"name": "plain", "text": "example.com"},
        {"name": "2026", "advertiser_ids": [OTHER_ID, ADVERTISER_ID], "region": "US"},
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
    assert read_watches(written, form=form, source="w")[0] == definitions()
    assert write_watches([], form=form)
    assert read_watches(write_watches([], form=form), form=form, source="w") == ([], [])


def test_yaml_leaves_out_what_is_default() -> None:
    assert write_watches(definitions()[:2], form=WatchFormat.YAML) == (
        "watches:\n- name: plain\n  text: example.com\n- name: '2026'\n  advertiser_ids:\n"
        f"  - {OTHER_ID}\n  - {ADVERTISER_ID}\n  region: '2840'\n"
    )


def test_csv_has_a_line_a_watch_with_advertisers_in_one_cell() -> None:
    head, _, second, *_ = write_watches(definitions(), form=WatchFormat.CSV).splitlines()
    assert head.startswith("name,user_id,advertiser_ids,text,region,")
    assert second.startswith(f"2026,1,{OTHER_ID} {ADVERTISER_ID},,2840,,,false,true,60,5,,7,0")


@pytest.mark.parametrize(
    ("written", "code"),
    [("NO", "2578"), ("no", "2578"), ('"NO"', "2578"), ("2840", "2840"), ("'US'", "2840"),
     ("~", None), ("null", None), ("", None), ("''", None)],
)  # fmt: skip
def test_a_region_is_read_as_it_is_written(written: str, code: str | None) -> None:
    (made,) = read_yaml(f"watches: [{{name: a, text: x.com, region: {written}}}]")
    assert made.region == code


@pytest.mark.parametrize("written", ["false", "true", "on"])
def test_a_region_that_is_none_is_refused_with_its_remedy(written: str) -> None:
    with pytest.raises(ConfigurationError, match=f"region: '{written}' is not a region. Give an"):
        read_yaml(f"watches: [{{name: a, text: x.com, region: {written}}}]")


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
    assert read_watch_file(file) == ([WatchDefinition(name="é", text="x.com")], [])


def test_warnings_name_their_place() -> None:
    written = "name,text\na,x.com\nb,www.y.com\n"
    _, warnings = read_watches(written, form=WatchFormat.CSV, source="w.csv")
    assert warnings == [
        "w.csv, row 2 (line 3), watch 'b': text: searching for 'y.com', since only a bare domain "
        "finds ads."
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "w.yaml: write the watches as a list below watches: at the top."),
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
        ("watches: [{name: a, text: x.com, region: Germny}]", "row 1, watch 'a': region: 'Germny'"),
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
        ("name,txt\na,x.com\n", "w.csv, row 1 (line 2), watch 'a': txt: there is no such field"),
        ("name,text,text\na,x.com,\n", "w.csv: two columns are headed 'text'; keep one."),
        ("text\nx.com\n", "w.csv, row 1 (line 2), watch '': name: is empty; name the watch."),
        ('name,text\na,"x.com\n', "w.csv, line 2: is not CSV (unexpected end of data); correct"),
        ("name,text\na,x.com\na,y.com\n", "row 2 (line 3), watch 'a': name: is in row 1 (line 2)"),
        ("name,text,region\na,x.com,FALSE\n", "region: 'FALSE' is not a region."),
    ],
)  # fmt: skip
def test_a_mistake_in_csv_is_named_with_its_place(written: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_csv(written)
    assert message in str(raised.value)


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
