"""Images are pinned by the digests that a registry tells, here a program in the place of Docker."""

from pathlib import Path

import pytest

from adspark.errors import ConfigurationError
from deployments.docker.image_digests import pin

DIGEST = "sha256:" + "0123456789abcdef" * 4
# Answers as `docker pull` and `docker image inspect` do, of an image that was pulled.
DOCKER = f"""#!/bin/sh
for image; do :; done
case "$1" in
  pull) echo "$image";;
  image) echo "other/name@sha256:00"; echo "${{image%:*}}@{DIGEST}";;
esac
"""
OFFLINE = """#!/bin/sh
echo 'Error response from daemon:' >&2
echo 'dial tcp: lookup registry: no such host' >&2
exit 1
"""
BUILT_HERE = "#!/bin/sh\ntrue\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def install(folder: Path, program: str) -> None:
    """Put it where Docker would be found."""
    (folder / "docker").write_text(program)
    (folder / "docker").chmod(0o755)


def test_the_images_of_the_compose_file_are_pinned_and_the_rest_of_env_stays(folder: Path) -> None:
    install(folder, DOCKER)
    env = folder / ".env"
    env.write_text("# mine\nPOSTGRES_PASSWORD=a b#c\nREDIS_IMAGE=registry.local:5000/redis:7.4\n")
    wanted = {
        "ADSPARK_PYTHON": f"3.12-slim-bookworm@{DIGEST}",
        "POSTGRES_IMAGE": f"postgres:17@{DIGEST}",
        "REDIS_IMAGE": f"registry.local:5000/redis:7.4@{DIGEST}",
    }
    assert pin(env) == wanted
    lines = env.read_text().splitlines()
    assert lines[:2] == ["# mine", "POSTGRES_PASSWORD=a b#c"]
    assert set(lines[2:]) == {f"{name}={image}" for name, image in wanted.items()}
    assert pin(env) == wanted  # what is pinned already is looked up by its tag again


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (OFFLINE, "docker pull python:3.12-slim-bookworm: dial tcp: lookup registry: no such host"),
        (BUILT_HERE, "python:3.12-slim-bookworm: Docker knows no digest of it"),
    ],
)
def test_without_a_registry_it_says_so_and_writes_nothing(
    folder: Path, program: str, told: str
) -> None:
    install(folder, program)
    with pytest.raises(ConfigurationError, match=told):
        pin(folder / ".env")
    assert not (folder / ".env").exists()
