# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that starts other programs, and the error that all parts raise."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class BuildError(Exception):
    """The image cannot be built; the message says what was asked and what to do."""


def run(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run a program in the C locale and return its standard output.

    :raises BuildError: the program is missing or fails; carries the end of its error output.
    """
    environment = {**os.environ, "LC_ALL": "C", **(env or {})}
    try:
        done = subprocess.run(
            argv, cwd=cwd, env=environment, check=False, text=True, errors="replace",
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError as missing:
        raise BuildError(f"The program {argv[0]} is not installed") from missing
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise BuildError(f"{' '.join(argv[:3])} failed with status {done.returncode}: {tail}")
    return done.stdout
