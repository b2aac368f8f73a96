"""`adspark run -p NAME=VALUE`: what cannot be meant is refused before a server is asked."""

import pytest
from typer.testing import CliRunner

from adspark.errors import InvalidQueryError
from deployments.cli.main import app


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["text"], "--param: 'text' is not NAME=VALUE."),
        (["=x"], "--param: '=x' is not NAME=VALUE."),
        (["text=a.com", "text=b.com"], "--param: 'text' is given twice; leave one out."),
        (["region=US", "text=a.com", " text =a.com"], "--param: 'text' is given twice; leave one"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(given: list[str], message: str) -> None:
    options = [word for one in given for word in ("-p", one)]
    error = CliRunner().invoke(app, ["run", "fetch-creatives", *options]).exception
    assert isinstance(error, InvalidQueryError)
    assert str(error).startswith(message)
