"""Regions: people write countries in many ways, SerpApi knows one."""

import csv
from importlib import resources

import pytest

from adspark.errors import InvalidQueryError
from adspark.serpapi.regions import REGIONS, region_code, region_name

TABLE = list(
    csv.DictReader(resources.files("adspark").joinpath("data/regions.csv").read_text().splitlines())
)


def test_all_239_regions_are_known_by_code_name_and_iso_codes() -> None:
    assert len(REGIONS) == 239
    for row in TABLE:
        for spelling in filter(None, (row["code"], row["name"], row["alpha_2"], row["alpha_3"])):
            assert region_code(spelling) == row["code"], spelling


def test_codes_are_2000_and_the_iso_number_but_for_the_canary_islands() -> None:
    assert [code for code in REGIONS if not code.startswith("2") or len(code) != 4] == ["20277"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        pytest.param("us", "2840", id="small letters"),
        pytest.param(" United  States ", "2840", id="spaces"),
        pytest.param("uk", "2826", id="not its ISO code"),
        pytest.param("Côte d'Ivoire", "2384", id="accents that SerpApi leaves out"),
        pytest.param("Turkey", "2792", id="the older name"),
        pytest.param("Bahamas", "2044", id="without the article"),
        pytest.param("Burma", "2104", id="the name in brackets"),
        pytest.param("bosnia & herzegovina", "2070", id="ampersand"),
    ],
)
def test_names_are_taken_as_people_write_them(written: str, code: str) -> None:
    assert region_code(written) == code


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param("Germny", "did you mean 'Germany'", id="a slip"),
        pytest.param("840", "(2840)", id="the ISO number alone"),
        pytest.param("XX", "ISO code (US)", id="no such country"),
        pytest.param("RU", "Russia is not served", id="a country that the service leaves out"),
    ],
)
def test_what_is_no_region_is_refused_with_a_remedy(written: str, told: str) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        region_code(written)
    assert caught.value.field == "region"
    assert told in str(caught.value)


def test_a_code_is_shown_as_a_name() -> None:
    assert region_name("2840") == "United States"
    assert region_name("9999") == "9999"
