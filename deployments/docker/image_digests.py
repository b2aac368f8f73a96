"""Pin images by their digests, `python -m deployments.docker.image_digests` (`make pin-images`).

A tag can be moved to another image at any time; a digest names one image for good. They are
written into `.env`, from which the compose files take them; run again, it looks them up anew.
"""

import subprocess
import sys
from pathlib import Path

from dotenv import set_key

from adspark.errors import ConfigurationError
from adspark.home.env_file import read_env_file

_PYTHON = "ADSPARK_PYTHON"  # a tag of the image `python`, as the Dockerfile takes it
_IMAGES = {
    _PYTHON: "python:3.12-slim-bookworm",
    "POSTGRES_IMAGE": "postgres:17",
    "REDIS_IMAGE": "redis:7",
}
_DIGESTS = ["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}']


def pin(file: Path) -> dict[str, str]:
    """Write the images with their digests into a `.env`; returns what was written, by variable.

    Raises:
        ConfigurationError: the file is not UTF-8, or Docker or the registry does not answer;
            nothing was written.
    """
    chosen = read_env_file(file)
    pinned = {}
    for variable, default in _IMAGES.items():
        prefix = "python:" if variable == _PYTHON else ""
        image = f"{prefix}{chosen[variable]}" if chosen.get(variable) else default
        pinned[variable] = _with_digest(image.partition("@")[0]).removeprefix(prefix)
    file.touch(mode=0o600)
    for variable, image in pinned.items():
        set_key(file, variable, image, quote_mode="never")
    return pinned


def _with_digest(image: str) -> str:
    _ask("docker", "pull", "--quiet", image)
    name = image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image
    for one in _ask(*_DIGESTS, image).split():
        repository, _, digest = one.partition("@")
        if repository == name:
            return f"{image}@{digest}"
    raise ConfigurationError(
        f"{image}: Docker knows no digest of it; it was built on this machine."
    )


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConfigurationError("docker: is not installed; it looks up the digests.") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ConfigurationError(f"{' '.join(command[:2])} {command[-1]}: {lines[-1]}")
    return done.stdout


def main() -> int:
    """Pin them in the `.env` of this folder; exits with 1 where that cannot be done."""
    try:
        pinned = pin(Path(".env"))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for variable, image in pinned.items():
        sys.stdout.write(f"{variable}={image}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
