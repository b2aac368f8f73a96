"""`make audit`: what pip-audit says, or lets pass, in a line and an exit code."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit.py"
FLAW = {"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": "…"}
GOOD: dict[str, Any] = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [FLAW]}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found"}


def audit(said: str, told: str = "", code: int = 0) -> tuple[int, list[str]]:
    """Exit code and lines, where pip-audit says this on standard output and standard error."""
    program = f"import sys; print({said!r}); sys.stderr.write({told!r}); sys.exit({code})"
    command = [sys.executable, str(SCRIPT), sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("packages", "code", "lines"),
    [
        ([GOOD], 0, ["1 packages audited, nothing known against any."]),
        ([GOOD, BAD], 1, ["bad 2.0: PYSEC-1, mended in 2.1",
                          "2 packages audited, 1 with known vulnerabilities."]),
        ([GOOD, UNKNOWN], 75, ["1 of 2 packages could not be audited: ours"]),
        ([BAD, UNKNOWN], 1, ["bad 2.0: PYSEC-1, mended in 2.1",
                             "1 of 2 packages could not be audited: ours"]),
    ],
)  # fmt: skip
def test_what_is_known_and_what_could_not_be_looked_up_is_told(
    packages: list[dict[str, Any]], code: int, lines: list[str]
) -> None:
    assert audit(json.dumps({"dependencies": packages, "fixes": []})) == (code, lines)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("Traceback …\nrequests.exceptions.ConnectionError: (host='x')\n",
         "Nothing was audited: the database of vulnerabilities cannot be reached from here"),
        ("The lock is odd\n", "Nothing was audited: The lock is odd"),
    ],
)  # fmt: skip
def test_what_cannot_reach_its_database_says_so_in_one_line(told: str, line: str) -> None:
    assert audit("", told, code=1) == (75, [line])
