"""The tests work in a folder of their own from the first import on.

Prefect reads the `.env` of the working directory when it is imported; that of whoever runs the
tests, with the password of their server, is none of the tests' business.
"""

import os
from tempfile import TemporaryDirectory

_elsewhere = TemporaryDirectory(prefix="adspark-tests-")
os.chdir(_elsewhere.name)
