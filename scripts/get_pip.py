"""Give a virtual environment of `ansible-test` the pip that it asks for.

`ansible-test` downloads a bootstrap script from its project's own host before it installs
anything. This stands in for that script (`scripts/sanity` puts it where the download would be):
it starts from the pip that Python carries, and takes the version asked for from the package
index that pip is set up for, so a machine needs no other host.
"""

from __future__ import annotations

import subprocess
import sys

# Options of the original script that mean nothing here: neither package is installed anyway.
IGNORED = frozenset({"--no-setuptools", "--no-wheel"})


def main() -> int:
    """Install what the command line names, after the pip that comes with Python."""
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    wanted = [argument for argument in sys.argv[1:] if argument not in IGNORED]
    return subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
