"""The ports of the local stack, checked before anything of it starts."""

import pytest

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from benchmarks.ports import free_port
from deployments.stack.ports import check_ports, stack_ports


def test_two_parts_on_one_port_are_named_with_their_settings() -> None:
    shared, other = free_port(), free_port()
    settings = Settings(prefect_port=shared, metrics_port=other, gallery_port=shared)
    with pytest.raises(ConfigurationError) as raised:
        check_ports(stack_ports(settings))
    assert str(raised.value) == (
        f"ADSPARK_GALLERY_PORT: port {shared} is Prefect's server's already "
        "(ADSPARK_PREFECT_PORT); choose another one for the gallery."
    )


def test_the_sandboxs_port_counts_where_there_is_a_sandbox() -> None:
    shared, ports = free_port(), [free_port() for _ in range(2)]
    settings = Settings(
        prefect_port=ports[0], metrics_port=shared, gallery_port=ports[1], sandbox_port=shared
    )
    check_ports(stack_ports(settings))
    with pytest.raises(ConfigurationError, match=r"ADSPARK_SANDBOX_PORT.*ADSPARK_METRICS_PORT"):
        check_ports(stack_ports(settings, with_sandbox=True))
