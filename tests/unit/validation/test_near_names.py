"""A name that there is not: what it may have meant is asked, in one way everywhere."""

import pytest

from adspark.errors import ConfigurationError
from adspark.validation.near_names import MOST_COMPARED, describe_unknown, find_near
from deployments.queue_classes import POOL_NAMES, validate_pools


@pytest.mark.parametrize(
    ("written", "known", "said"),
    [
        ("hubspt", ["shoes", "hubspot"], "There is no watch; did you mean 'hubspot'?"),
        ("HUBSPT", ["hubspot"], "There is no watch; did you mean 'hubspot'?"),
        ("STRASE", ["Straße", "strasse"], "There is no watch; did you mean 'Straße'?"),
        ("ana", ["anna", "anah"], "There is no watch; did you mean 'anna' or 'anah'?"),
        ("a'b\"d", ["a'b\"c"], "There is no watch; did you mean “a'b\"c”?"),
        ("a'd", ["a'c"], 'There is no watch; did you mean "a\'c"?'),
        (r"c:\adds", [r"c:\ads"], r"There is no watch; did you mean 'c:\ads'?"),
        ("shoes", ["sh\u200boes"], r"There is no watch; did you mean 'sh\u200boes'?"),
        ("zzzz", ["hubspot"], "There is no watch."),
        ("", ["hubspot"], "There is no watch."),
        ("hubspot", [], "There is no watch."),
    ],
)
def test_an_unknown_name_is_told_with_those_spelled_like_it(
    written: str, known: list[str], said: str
) -> None:
    assert describe_unknown("There is no watch.", written, known) == said


def test_long_names_and_many_of_them_are_compared_within_bounds() -> None:
    known = [f"{number:099d}x{'y' * 5000}" for number in range(MOST_COMPARED + 5)]
    assert find_near("z" * 100_000, known) == []
    assert find_near("never compared", [*known[:MOST_COMPARED], "never compared"]) == []


def test_a_pool_is_told_with_what_is_spelled_like_it_or_with_all() -> None:
    with pytest.raises(ConfigurationError) as raised:
        validate_pools(["data-fech"])
    assert str(raised.value) == "There is no pool 'data-fech'; did you mean 'data-fetch'?"
    with pytest.raises(ConfigurationError) as raised:
        validate_pools(["zzz"])
    assert str(raised.value) == f"There is no pool 'zzz'; there are {', '.join(POOL_NAMES)}."
