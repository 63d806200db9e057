"""Ask the advisory database about every package of constraints.txt; exit 1 on a known vulnerability.

Where no database can be reached, or the one that is reached knows none of the packages, say so and exit 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PINNED = Path(__file__).parents[1] / "constraints.txt"


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(PINNED), "--no-deps", "--disable-pip"]
    done = subprocess.run(
        [*command, "--format=json", "--progress-spinner=off"], capture_output=True, text=True, check=False
    )
    packages = json.loads(done.stdout)["dependencies"] if done.stdout.strip() else []
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        said = done.stderr.strip().splitlines()[-1:]
        print("audit skipped: no advisory database reachable", *(f"({line})" for line in said if not packages))
        return 0
    found = [(package, flaw) for package in known for flaw in package["vulns"]]
    for package, flaw in found:
        fixed = ", ".join(flaw["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {flaw['id']}, mended in {fixed}")
    print(f"{len(known)} of {len(packages)} packages are in the advisory database; {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
