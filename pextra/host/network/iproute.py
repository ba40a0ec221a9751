# SPDX-License-Identifier: Apache-2.0
"""Netlink by way of iproute2: everything of a kind is read in one call, and written in one batch.

One process that reads all links takes 3 ms; a netlink library in Python takes 400 ms to import.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from typing import Any

from pextra.model.errors import HostError

_FAILED = re.compile(r"Command failed [^:]*:(\d+)")


def read(*argv: str) -> list[dict[str, Any]]:
    """What a program of iproute2 prints as JSON.

    Raises:
        HostError: It failed, or is not there.
    """
    done = _run(argv, "")
    if done.returncode:
        raise HostError(f"{' '.join(argv)} failed: {_reason(done.stderr)}")
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


def text(*argv: str) -> str:
    """What a program of iproute2 prints; empty where what is asked about is not there."""
    return _run(argv, "").stdout


def batch(tool: str, lines: Sequence[str], doing: str) -> None:
    """Carry out commands of ``ip``, ``bridge`` or ``tc`` in one process, up to the first failure.

    Raises:
        HostError: The kernel refused one; it is named.
    """
    if not lines:
        return
    done = _run((tool, "-batch", "-"), "\n".join(lines) + "\n")
    if done.returncode:
        failed = _FAILED.search(done.stderr)
        line = lines[int(failed[1]) - 1] if failed else lines[0]
        raise HostError(f"{doing} failed: {tool} {line}: {_reason(done.stderr)}")


def _run(argv: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise HostError(
            f"there is no program {argv[0]}", hint="Install the Debian package iproute2"
        ) from None


def _reason(text: str) -> str:
    lines = [line for line in text.splitlines() if line and not _FAILED.match(line)]
    return "; ".join(lines).removeprefix("RTNETLINK answers: ").removeprefix("Error: ")[:300]
