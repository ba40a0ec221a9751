"""Programs of the machine: all subprocesses of the lab begin here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from lab.errors import LabError

PACKAGES = {
    "ip": "iproute2",
    "linux.uml": "user-mode-linux",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "patchelf": "patchelf",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
}
"""Programs that the lab runs, and the Debian packages that have them."""


def check_machine() -> None:
    """Refuse a machine that cannot run a lab, before anything is made.

    Raises:
        LabError: It is not root, or a program or device is missing.
    """
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and mounts", "Run it as root.")
    missing = [name for name in PACKAGES if shutil.which(name) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise LabError(
            f"programs are missing: {', '.join(missing)}",
            f"Run `make lab-packages`, or apt-get install {packages}.",
        )
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise LabError("/dev/net/tun is missing", "Run `modprobe tun`, or give this container it.")


def run(*argv: str, text: str | None = None) -> str:
    """The output of a program that succeeds.

    Args:
        text: What it reads from standard input; nothing by default.

    Raises:
        LabError: It failed; the message has what it said.
    """
    done = subprocess.run(
        argv, input=text or "", capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-10:]
        raise LabError(f"`{' '.join(argv)}` failed with {done.returncode}: {' | '.join(said)}")
    return done.stdout


def succeeds(*argv: str) -> bool:
    """Whether a program succeeds, whatever it says."""
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def run_all(commands: Sequence[Sequence[str]]) -> None:
    """Run programs one after the other; all have to succeed."""
    for argv in commands:
        run(*argv)
