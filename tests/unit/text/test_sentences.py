"""Words of others get one full stop, or none, whether or not they had it."""

import pytest

from adspark.text.sentences import with_full_stop, without_full_stop


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("it is away", "it is away."),
        ("see https://example.com/key.", "see https://example.com/key."),
        ("did you mean this?", "did you mean this?"),
        ("no!", "no!"),
        ("cut off…", "cut off…"),
    ],
)
def test_a_sentence_has_one_full_stop(said: str, sentence: str) -> None:
    assert with_full_stop(said) == sentence


@pytest.mark.parametrize("said", ["it is away", "it is away.", "it is away.."])
def test_within_a_sentence_there_is_none(said: str) -> None:
    assert without_full_stop(said) == "it is away"
