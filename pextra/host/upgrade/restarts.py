# SPDX-License-Identifier: Apache-2.0
"""What still runs replaced code: services, the kernel, and instances.

Debian's needrestart finds it out: it knows replaced libraries, interpreters' scripts, and kernels.
In batch mode (https://github.com/liske/needrestart/blob/master/README.batch.md) it changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pextra.model.errors import HostError

TIMEOUT = 600.0
MANAGER = "systemd-manager"
"""How needrestart calls systemd itself."""
REBOOT_MARKS = ("/run/reboot-required", "/var/run/reboot-required")
_LINE = re.compile(r"NEEDRESTART-([A-Z]+): (.+)", re.ASCII)
_PENDING = frozenset(("2", "3"))
# These keep what others have open through a restart only when they are asked to reload: they
# start themselves anew and take it along (virtlogd(8), virtlockd(8)).
_RELOADED = re.compile(r"(virtlogd|virtlockd)\.service")
# Restarting these ends sessions, cuts the network, or is what only a boot does; needrestart's own
# configuration of Debian leaves them out by default as well.
_LEFT = re.compile(
    r"(dbus(-broker)?|systemd-logind|elogind|NetworkManager|ModemManager|networking|openvpn.*"
    r"|wpa_supplicant.*|(serial-)?getty@.*|user@\d+|lxcfs|docker|containerd|emergency|rescue"
    r"|rc-local|apt-daily.*|unattended-upgrades|cron-.*|libvirt-guests|machine-.*"
    r"|[gklnswx]dm\d*|lightdm)\.(service|scope)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Restarts:
    """What has to be restarted.

    Attributes:
        services: Units to restart.
        reloads: Units that take new code without letting go of what they hold when reloaded.
        manager: Whether systemd itself runs replaced code.
        left: Units that only a reboot brings to the new code.
        kernel: The installed kernel, if another one runs.
    """

    services: tuple[str, ...]
    reloads: tuple[str, ...]
    manager: bool
    left: tuple[str, ...]
    kernel: str | None


def parse(text: str) -> Restarts:
    """What ``needrestart -b`` printed."""
    found = [
        (match[1], match[2].strip()) for match in map(_LINE.fullmatch, text.splitlines()) if match
    ]
    units = sorted({value for name, value in found if name == "SVC"})
    single = dict(found)
    pending = single.get("KSTA") in _PENDING
    reloads = tuple(unit for unit in units if _RELOADED.fullmatch(unit))
    left = tuple(unit for unit in units if _LEFT.fullmatch(unit))
    taken = {*reloads, *left, MANAGER}
    return Restarts(
        services=tuple(unit for unit in units if unit not in taken),
        reloads=reloads,
        manager=MANAGER in units,
        left=left,
        kernel=single.get("KEXP") if pending else None,
    )


def look() -> Restarts | None:
    """What has to be restarted on this machine; None where needrestart is not installed.

    Raises:
        HostError: needrestart fails.
    """
    program = shutil.which("needrestart")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-b"], env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True,
            check=False, timeout=TIMEOUT, stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HostError(f"needrestart has not ended after {TIMEOUT:.0f} seconds") from None
    if "NEEDRESTART-VER" not in done.stdout:
        raise HostError(f"needrestart failed: {' '.join(done.stderr.split())}")
    return parse(done.stdout)


def reboot_reasons(restarts: Restarts | None) -> list[str]:
    """Why a reboot is needed; none where it is not."""
    reasons = []
    if restarts is not None and restarts.kernel:
        reasons.append(f"kernel {restarts.kernel} is installed, {os.uname().release} runs")
    if any(os.path.exists(path) for path in REBOOT_MARKS):
        reasons.append("a package has asked for it")
    if restarts is not None:
        reasons += [f"{unit} cannot be restarted" for unit in restarts.left if _matters(unit)]
    return reasons


def _matters(unit: str) -> bool:
    """Whether a unit is there as long as the machine runs, and so stays as it is."""
    return unit.startswith(("dbus", "systemd-logind"))


def outdated_instances() -> list[str]:
    """Instances whose QEMU has been replaced since they were started, by libvirt's pid files."""
    found = []
    for path in sorted(Path("/run/libvirt/qemu").glob("*.pid")):
        try:
            process = int(path.read_text(encoding="ascii"))
            program = os.readlink(f"/proc/{process}/exe")
        except (OSError, ValueError):
            continue
        if program.endswith(" (deleted)"):
            found.append(path.stem)
    return found
