"""What a shell exports (proxies, certificates, libpq, Prefect, Python), kept from doing harm."""

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from adspark.db.libpq import libpq_variables
from adspark.errors import ConfigurationError
from adspark.home.env_file import read_env_file
from adspark.home.private_folder import private_folder
from adspark.net.proxies import keep_from_proxies
from adspark.net.telemetry import switch_off_telemetry

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_PROXY = re.compile(r"((https?|socks5h?)://)?[^\s/]+/?", re.IGNORECASE)
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
# Of Prefect's own settings those that lead to another server than the stack's, or its UI there.
_ELSEWHERE = re.compile(
    r"PREFECT_(API_(URL|KEY|TLS|SSL)|CLOUD_|PROFILE$|UI_|(SERVER_|API_)?DATABASE_|SERVER_(UI_|API_"
    r"(HOST|PORT|BASE_PATH|CORS_)|CORS_|DOCKET_|EVENTS_MESSAGING_)|MESSAGING_|REDIS_)"
)
_SECRET = re.compile("KEY|PASSWORD|AUTH|SECRET|TOKEN|HEADERS|NOTIFY|DATABASE_URL|MEDIA_URL")
OUR_FOLDER = Path(__file__).parents[2]
"""The folder in which `deployments`, `flows` and their neighbours lie."""


def prepare_process() -> list[str]:
    """Make this process's environment one in which its own servers are reached; gives warnings.

    Raises:
        ConfigurationError: a proxy that no client of ours can use, or a `.env` that is not UTF-8.
    """
    keep_from_proxies()
    switch_off_telemetry()
    for name in (*_PROXIES, *map(str.lower, _PROXIES)):
        if (proxy := os.environ.get(name)) and not _PROXY.fullmatch(proxy):
            raise ConfigurationError(
                f"{name}: not a proxy's address; write http://host:port or socks5://host:port, or "
                f"unset it."
            )
    found = [_find_open_secrets(Path(".env")), *map(_drop_if_missing, _CERTIFICATES)]
    return [warning for warning in found if warning]


def _find_open_secrets(file: Path) -> str | None:
    """What is wrong with a `.env` that others can read and that holds a secret."""
    try:
        is_open = file.stat().st_mode & 0o044
        is_secret = is_open and any(
            _SECRET.search(name) and value for name, value in read_env_file(file).items()
        )
    except OSError:
        return None
    return (
        f"{file} holds secrets and can be read by others: chmod 600 {file}" if is_secret else None
    )


def use_private_temporary_folder() -> None:
    """Let this process, and its children, keep temporary files where no other user has names."""
    os.environ["TMPDIR"] = str(_temporary_folder())
    tempfile.tempdir = None  # found anew at its next use


def _temporary_folder() -> Path:
    name = f"adspark-{os.geteuid()}"
    current = Path(tempfile.gettempdir())
    return current if current.name == name else private_folder(name)


def _drop_if_missing(name: str) -> str | None:
    if (path := os.environ.get(name)) and not Path(path).exists():
        del os.environ[name]
        return f"{name} names {path}, which does not exist; it is not used."
    return None


def clean_environment(environment: Mapping[str, str], *, own_database: bool) -> dict[str, str]:
    """An environment for the stack's processes: a shell's, without what leads them elsewhere.

    Where AdSpark's data are on a server of the user's own, libpq's variables stay: its password and
    certificates may stand in them.

    Raises:
        ConfigurationError: the temporary folder is somebody else's.
    """
    libpq = frozenset() if own_database else libpq_variables()
    kept = {
        name: value
        for name, value in environment.items()
        if name not in libpq and not name.startswith("ADSPARK_") and not _ELSEWHERE.match(name)
    }
    # Prefect and Chromium use names in it that another user of this machine may hold already.
    temporary = _temporary_folder()
    return kept | {
        "TMPDIR": str(temporary),
        # Before whatever else has packages of such names; Prefect loads flows by their module.
        "PYTHONPATH": str(OUR_FOLDER),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}",
    }
