"""Tests; the folder says what a test needs: nothing, a database, Prefect, or the whole stack.

Prefect reads the `.env` of the working folder when it is imported. That of whoever runs the tests,
with the password of their server, is none of the tests' business.
"""

from contextlib import chdir
from tempfile import TemporaryDirectory

with TemporaryDirectory(prefix="adspark-tests-") as elsewhere, chdir(elsewhere):
    import prefect.settings  # noqa: F401  (reads it now)
