"""Run pip-audit and say in one line what came of it: `audit.py pip-audit …`.

Exit codes: 0 nothing is known against any package; 1 something is; 75 (EX_TEMPFAIL) a package
could not be looked up, which pip-audit itself lets pass, or the database cannot be reached.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

NOT_AUDITED = 75


def main(command: Sequence[str]) -> int:
    """Run the command, which has to be pip-audit with its options; returns the exit code."""
    done = subprocess.run(
        [*command, "--format=json", "--progress-spinner=off"], capture_output=True, text=True
    )
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        words = (done.stderr.strip().splitlines() or ["no reason is told"])[-1]
        if "ConnectionError" in done.stderr or "Timeout" in done.stderr:
            words = "the database of vulnerabilities cannot be reached from here"
        print(f"Nothing was audited: {words}")
        return NOT_AUDITED
    found = [one for one in packages if one.get("vulns")]
    for one in found:
        for flaw in one["vulns"]:
            mended = ", ".join(flaw.get("fix_versions") or []) or "no version yet"
            print(f"{one['name']} {one['version']}: {flaw['id']}, mended in {mended}")
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if skipped:
        named = ", ".join(skipped[:3]) + (", …" if len(skipped) > 3 else "")
        print(f"{len(skipped)} of {len(packages)} packages could not be audited: {named}")
    else:
        told = f"{len(found)} with known vulnerabilities" if found else "nothing known against any"
        print(f"{len(packages)} packages audited, {told}.")
    return 1 if found else NOT_AUDITED if skipped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
