# Copied from mirror/pextra_mirror/run.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""The one place where programs are started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.errors import AptlyFailed, DiskFull, MirrorError, NotInstalled


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program: this one's, in English, and ``more``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LC_")}
    return {**kept, "LC_ALL": "C.UTF-8", **more}


def run(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, whatever comes of it.

    Raises:
        NotInstalled: There is no such program.
    """
    try:
        return subprocess.run(
            [str(item) for item in argv],
            env=environment(env or {}), input=stdin, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise not_installed(str(argv[0])) from error


def output(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> bytes:
    """The standard output of a program that succeeds.

    Raises:
        NotInstalled: There is no such program.
        AptlyFailed: It failed; the message is the program's own.
        DiskFull: It failed because of that.
    """
    done = run(argv, env=env, stdin=stdin)
    if done.returncode != 0:
        raise failed(argv, done.returncode, (done.stderr + done.stdout).decode(errors="replace"))
    return done.stdout


def failed(argv: Sequence[str | Path], code: int, text: str) -> MirrorError:
    """The error of a program that failed: its first words and what it said last."""
    words = [str(item) for item in argv if not str(item).startswith("-")]
    lines = [line for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    full = [line for line in lines if "no space left on device" in line.lower()]
    said = (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR: ")
    why = full[-1].removeprefix("ERROR: ") if full else said
    kind = DiskFull if full else AptlyFailed
    return kind(
        f"{' '.join(words)[:200]} failed with code {code}: {why}",
        brief=f"{' '.join(words[:3])} failed: {said}",
    )


def not_installed(program: str) -> NotInstalled:
    """The error of a program that is not there."""
    package = {"gpg": "gnupg"}.get(program, program)
    return NotInstalled(f"{program} is not installed", f"apt install {package}")
