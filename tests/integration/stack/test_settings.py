"""Settings with which a part of the stack could not work keep it from starting."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adspark.errors import ConfigurationError
from adspark.home.running_stack import read_state
from adspark.settings import Settings
from deployments.stack.local_stack import LocalStack


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"browser": Path("/no/such")}, "ADSPARK_BROWSER: there is no program /no/such. Correct"),
        ({"browser": Path("/usr/bin")}, "ADSPARK_BROWSER: there is no program /usr/bin"),
        ({"media_url": SecretStr("s4://bucket")}, "ADSPARK_MEDIA_URL: 's4://bucket' cannot be"),
        ({"media_url": SecretStr("/etc/hostname/x")}, "ADSPARK_MEDIA_URL: /etc/hostname/x cannot"),
        ({"notify_addresses": SecretStr("nonsense://x")}, "ADSPARK_NOTIFY_ADDRESSES"),
    ],
)
async def test_nothing_is_started_with_a_setting_that_cannot_work(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    settings = Settings(home=tmp_path / "home").model_copy(update=wrong)
    stack = LocalStack(settings, sandbox=None, on_change=lambda _: None)
    with pytest.raises(ConfigurationError, match=said):
        async with stack.running():
            pass
    assert [one for one in stack.processes.values() if one.process] == []
    assert read_state(settings.home) is None
