# SPDX-License-Identifier: Apache-2.0
"""Programs of another architecture: the kernel gives them to qemu-user, by binfmt_misc."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from pextra_image.architecture import Architecture
from pextra_image.run import ImageError, Programs, require
from pextra_image.steps import Screen

BINFMT = Path("/proc/sys/fs/binfmt_misc")
RULES = Path("/usr/lib/binfmt.d")
"""Where Debian's package qemu-user-static describes its emulators to the kernel."""

HINT = "apt-get install qemu-user-static binfmt-support, as root; in a container, on its host"


def usable(status: str) -> bool:
    """Say whether the kernel uses an emulator also in a chroot, which does not have it (flag F).

    :param status: what the kernel tells of the emulator.
    """
    flags = re.search(r"^flags: (\w*)", status, re.MULTILINE)
    return status.startswith("enabled\n") and flags is not None and "F" in flags.group(1)


def prepare(programs: Programs, screen: Screen, architecture: Architecture) -> None:
    """See to it that programs of an architecture run here; nothing to do for this machine's own.

    :raises ImageError: they do not, and the kernel does not take the emulator.
    """
    if platform.machine() == architecture.machine:
        return
    emulator = f"qemu-{architecture.machine}"
    # mmdebstrap asks arch-test.
    require({f"{emulator}-static": "qemu-user-static", "arch-test": "arch-test"})
    known = BINFMT / emulator
    if not (BINFMT / "register").exists():
        _mount(programs, architecture)
    if not known.exists():
        _register(RULES / f"{emulator}.conf", architecture)
        screen.say(f"{'emulation':<10} {emulator} registered, until this machine restarts")
    if not known.exists() or not usable(known.read_text(encoding="utf-8")):
        raise ImageError(
            f"{known} is disabled, or lacks the flag F by which it is there in a chroot too: "
            f"write -1 into it, then {HINT}"
        )


def _mount(programs: Programs, architecture: Architecture) -> None:
    try:
        programs.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT])
    except ImageError as error:
        raise _refused(architecture, str(error)) from error


def _register(rule: Path, architecture: Architecture) -> None:
    """Do what systemd and binfmt-support do when a machine that has them starts."""
    try:
        (BINFMT / "register").write_text(rule.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise _refused(architecture, f"{error.filename or rule}: {error.strerror}") from error


def _refused(architecture: Architecture, why: str) -> ImageError:
    return ImageError(f"Programs of {architecture.name} do not run here: {why}\nTry {HINT}")
