# SPDX-License-Identifier: Apache-2.0
"""A Debian in a folder that runs: its own systemd, this machine's kernel, and no network."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTING = 600
"""Seconds that its start may take on a busy machine, to the end of the first boot."""


class Container:
    """A running one.

    :ivar process: systemd-nspawn's.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        return subprocess.run(
            ["nsenter", "--target", self._init(), "--all", "--root", "--wd", "/usr/bin/env", "-i",
             "HOME=/root", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *argv],
            check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, *argv: str) -> str:
        """Run a program in it that succeeds; returns what it prints."""
        done = self.run(*argv)
        assert done.returncode == 0, f"{argv}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout.strip()

    def state(self) -> str:
        """Wait until it has started; what systemd says of it then, such as running."""
        end = time.monotonic() + STARTING
        said = ""
        while time.monotonic() < end and self.process.poll() is None:
            if self._init():
                # It fails until systemd answers, and where a unit has failed.
                said = self.run("systemctl", "is-system-running", "--wait").stdout.strip()
                if said not in ("", "offline", "initializing", "starting"):
                    return said
            time.sleep(0.2)
        raise AssertionError(f"it did not start: {said!r}")

    def _init(self) -> str:
        """Its process 1, as this machine counts; empty before there is one."""
        argv = ["pgrep", "--parent", str(self.process.pid)]
        return subprocess.run(argv, check=False, capture_output=True, text=True).stdout.strip()


@contextmanager
def booted(root: Path, log: Path) -> Iterator[Container]:
    """Start the system in a folder; it ends with us.

    What is mounted in it for programs that run there by chroot is not there for it: its /proc is
    that of its own processes.

    :param log: what it shows on its console goes there.
    """
    apart = 'for name in proc dev/shm; do umount --quiet "$0/$name"; done; exec "$@"'
    argv = ["unshare", "--mount", "sh", "-c", apart, str(root), "systemd-nspawn", "--quiet",
            "--register=no", "--keep-unit", "--private-network", "--console=pipe",
            f"--directory={root}", "--boot"]  # fmt: skip
    with log.open("wb") as console:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *argv],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )  # fmt: skip
        try:
            yield Container(process)
        finally:
            process.terminate()
            process.wait()
