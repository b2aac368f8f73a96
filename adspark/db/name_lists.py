"""Names of watches and users for the shell's completion: quick, or none."""

from contextlib import nullcontext

from adspark.db.libpq import without_libpq_variables

_STATEMENTS = {
    "watches": "SELECT DISTINCT name FROM watch ORDER BY name LIMIT 1000",
    "users": "SELECT name FROM app_user ORDER BY name LIMIT 1000",
}
_WAIT = 1000  # milliseconds that a statement, or a lock that it needs, may take


def read_names(url: str, what: str, *, is_ours: bool) -> list[str]:
    """The names of all `watches` or `users`.

    It may take as long as the network does: for a thread that is left alone after a second.

    Args:
        url: of the database, with or without a driver's name.
        what: of these.
        is_ours: whether the server is the embedded one, of which a shell's libpq variables say
            nothing.

    Raises:
        psycopg.Error: the database cannot be read.
    """
    import psycopg  # noqa: PLC0415  (slow; most commands need no driver)

    scheme, _, rest = url.partition("://")
    limits = f"-c statement_timeout={_WAIT} -c default_transaction_read_only=on"
    with (
        without_libpq_variables() if is_ours else nullcontext(),
        psycopg.connect(
            f"{scheme.partition('+')[0]}://{rest}", connect_timeout=2, options=limits
        ) as connection,
    ):
        return [str(row[0]) for row in connection.execute(_STATEMENTS[what])]
