# SPDX-License-Identifier: Apache-2.0
"""A change that could cut the controller off is undone by the node unless it is confirmed.

What undoes it is ``guard_program``, run as a file: it is found wherever this package is, and needs
nothing else of it.
"""

from __future__ import annotations

import glob
import json
import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from pextra.host.lock import host_lock
from pextra.host.network import guard_program
from pextra.host.network.transition import Op
from pextra.model.errors import HostError

HOME = "/var/lib/pextra-ce/network-guard"
_UNIT = """# Written by pextra.ce.vswitch; it goes when the change of the network is confirmed.
[Unit]
Description=Restore the network configuration that was not confirmed
DefaultDependencies=no
RequiresMountsFor={home}
After=systemd-remount-fs.service
Before=systemd-networkd.service networking.service network-pre.target
Wants=network-pre.target

[Service]
Type=oneshot
ExecStart={program}
"""


class Guard(TypedDict):
    """What undoes a change of the network unless somebody confirms it within so many seconds."""

    confirm: list[str]
    timeout: int
    vswitch: str
    removal: bool


def program(command: str, directory: str) -> list[str]:
    """The command line by which a command of the guard's program is run.

    Args:
        command: ``wait``, ``boot`` or ``confirm``.
        directory: The guard's; for ``boot`` the one that has all guards.
    """
    return ["/usr/bin/python3", "-I", os.path.abspath(guard_program.__file__), command, directory]


def arm(
    operations: Sequence[Op],
    files: Mapping[str, str | None],
    interfaces: Iterable[str],
    timeout: int,
) -> str:
    """Have the node put everything back by itself; where the guard is.

    Args:
        operations: What brings the kernel back to how it is now.
        files: Contents of files as they are now; None where one is to go.
        interfaces: What networkd configures anew when its files are back.
        timeout: Seconds until it does.

    Raises:
        HostError: It could not be armed; then nothing must be changed.
    """
    directory = f"{HOME}/{secrets.token_hex(6)}"
    try:
        for old in glob.glob(f"{HOME}/*"):
            if not os.path.exists(f"{old}/state.json"):
                shutil.rmtree(old, ignore_errors=True)
        os.makedirs(directory, mode=0o700)
        state = {
            "operations": [[item.tool, item.text] for item in operations],
            "files": dict(files), "interfaces": sorted(interfaces), "timeout": timeout,
        }  # fmt: skip
        _write(f"{directory}/state.json", json.dumps(state))
        _detach(directory)
    except OSError as error:
        raise HostError(f"guarding the change failed: {error}") from None
    return directory


def _write(path: str, text: str) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def _detach(directory: str) -> None:
    waiting = program("wait", directory)
    if not os.path.isdir("/run/systemd/system"):
        subprocess.Popen(
            waiting, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        return
    boot = shlex.join(program("boot", HOME))
    _write(guard_program.UNIT, _UNIT.format(home=HOME, program=boot))
    os.makedirs(os.path.dirname(guard_program.WANTED), exist_ok=True)
    if not os.path.islink(guard_program.WANTED):
        os.symlink(guard_program.UNIT, guard_program.WANTED)
    unit = f"--unit=pextra-ce-network-guard-{os.path.basename(directory)}"
    done = subprocess.run(
        ["systemd-run", "--quiet", "--collect", unit, *waiting],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise HostError(f"guarding the change failed: systemd-run: {done.stderr.strip()}")


def await_restored() -> None:
    """Return when no guard is putting something back: until then nothing seen would stay so.

    Raises:
        HostError: One does for over a minute.
    """
    lock = f"{HOME}/{guard_program.LOCK}"
    if os.path.exists(lock):
        with host_lock(lock, timeout=60.0):
            pass


def restore(directory: str) -> None:
    """Put everything back now: the change failed half-way."""
    argv = program("restore", directory)
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
