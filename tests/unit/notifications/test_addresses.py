"""The addresses of ADSPARK_NOTIFY_ADDRESSES, checked before anything starts with them."""

import sys
from subprocess import run

import pytest
from pydantic import SecretStr

from adspark.errors import ConfigurationError
from adspark.maintenance.check import CheckState, look_at
from adspark.notifications.addresses import check_notify_addresses
from adspark.settings import Settings
from deployments.diagnosis.installation import check_settings
from deployments.provisioning.provision import provision
from deployments.stack.local_stack import LocalStack


@pytest.mark.parametrize(
    "written",
    ["nonsense://x", "json://h/x slak://a/b/c", "me@example.com", "json://h/x\n\n://x"],
)
def test_an_address_of_no_service_is_named_by_its_place_and_not_shown(written: str) -> None:
    with pytest.raises(ConfigurationError, match="ADSPARK_NOTIFY_ADDRESSES: address") as raised:
        check_notify_addresses(Settings(notify_addresses=SecretStr(written)))
    last = written.split()[-1]
    assert f"{len(written.split())} of {len(written.split())}" in str(raised.value)
    assert last not in str(raised.value)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ\nMAILTO://a:b@example.com",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    ],
)
def test_addresses_as_operators_write_them_are_taken(written: str) -> None:
    check_notify_addresses(Settings(notify_addresses=SecretStr(written)))


async def test_a_wrong_address_is_found_by_doctor_a_stack_and_provisioning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADSPARK_NOTIFY_ADDRESSES", "slak://hunter2")
    check = await look_at("settings", check_settings, remedy=".env")
    assert (check.state, "address 1 of 1" in check.what) == (CheckState.FAILED, True)
    stack = LocalStack(Settings(), sandbox=None, on_change=lambda _: None)
    with pytest.raises(ConfigurationError, match="address 1 of 1"):
        async with stack.running():
            pass
    with pytest.raises(ConfigurationError, match="address 1 of 1"):
        await provision(Settings(), database_url="postgresql://nobody@127.0.0.1:9/none")


def test_reading_the_settings_imports_no_apprise() -> None:
    code = (
        "import sys; from adspark.settings import get_settings; get_settings(); "
        "sys.exit('apprise' in sys.modules)"
    )
    environment = {"ADSPARK_NOTIFY_ADDRESSES": "json://127.0.0.1/x"}
    assert run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
