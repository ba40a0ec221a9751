# SPDX-License-Identifier: Apache-2.0
"""What the platform asks of a machine, and how a machine measures up. Pure.

The numbers are those of the user guide's chapter "System Requirements". Its gigabytes are
decimal here, which is also what lets a machine with 8 GiB fitted pass: the kernel shows
somewhat less than is fitted.
"""

from __future__ import annotations

import textwrap
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pextra.host.preflight.machine import Controller, Disk, Machine

GB = 10**9
CORES, MEMORY, STORAGE, SPEED = (4, 8), (8 * GB, 32 * GB), (16 * GB, 128 * GB), 1000
PYTHON = (3, 11)
VIRTUALIZATION_FLAGS = frozenset({"vmx", "svm"})
FIRMWARE_RAID_DRIVERS = frozenset({"ahci", "vmd"})  # they hand the disks over one by one


class Level(Enum):
    """How a check came out; a warning is below the recommended, or cannot be known."""

    OK = "pass"
    WARNING = "warning"
    FAIL = "fail"


class Check(NamedTuple):
    """One requirement and what was found."""

    name: str
    requirement: str
    found: str
    level: Level
    hint: str | None = None
    ignored: bool = False

    def as_dict(self) -> dict[str, object]:
        """The check as the module returns it."""
        return {**self._asdict(), "level": self.level.value}


class Accelerator(NamedTuple):
    """What runs QEMU guests: ``kvm`` or ``tcg``, and why."""

    name: str
    reason: str


def accelerator(machine: Machine) -> Accelerator:
    """KVM where it really works, else QEMU's own emulation.

    The device alone does not tell: it also exists where the processor shows neither VT-x nor
    AMD-V, and guests hang there. On aarch64 no processor flag exists and the device decides.
    """
    if not machine.kvm_present:
        return Accelerator("tcg", "there is no /dev/kvm")
    if not machine.kvm_opens:
        return Accelerator("tcg", "/dev/kvm cannot be opened")
    if machine.process.architecture == "x86_64":
        shown = sorted(machine.cpu_flags & VIRTUALIZATION_FLAGS)
        if not shown:
            return Accelerator("tcg", "/dev/kvm is there, but the processor shows no VT-x or AMD-V")
        return Accelerator("kvm", f"/dev/kvm opens and the processor shows {shown[0]}")
    return Accelerator("kvm", "/dev/kvm opens")


def _check_root(machine: Machine) -> Check:
    uid = machine.process.uid
    level = Level.OK if uid == 0 else Level.FAIL
    hint = None if uid == 0 else "Connect as root, or set ansible_become"
    return Check("root", "root", "root" if uid == 0 else f"user id {uid}", level, hint)


def _check_operating_system(machine: Machine) -> Check:
    good = (machine.os_id, machine.os_version) == ("debian", "12")
    level = Level.OK if good else Level.FAIL
    hint = None if good else "Install Debian 12 on this machine"
    found = f"{machine.os_id} {machine.os_version}".strip() or "unknown"
    return Check("operating_system", "Debian 12", found, level, hint)


def _check_python(machine: Machine) -> Check:
    version = machine.process.python
    good = version[:2] >= PYTHON
    level = Level.OK if good else Level.FAIL
    hint = None if good else "Point ansible_python_interpreter at Debian 12's /usr/bin/python3"
    return Check("python", "3.11 or newer", ".".join(map(str, version)), level, hint)


def _check_architecture(machine: Machine) -> Check:
    process, asked = machine.process, "64-bit x86_64 or aarch64"
    if process.architecture not in ("x86_64", "aarch64"):
        hint = "Use a server with a 64-bit x86_64 or aarch64 processor"
        return Check("architecture", asked, process.architecture, Level.FAIL, hint)
    if process.bits != 64:
        found = f"{process.architecture}, but a 32-bit system on it"
        return Check("architecture", asked, found, Level.FAIL, "Install Debian for 64 bits")
    return Check("architecture", asked, process.architecture, Level.OK)


def _check_avx2(machine: Machine) -> Check:
    if machine.process.architecture != "x86_64":
        return Check("avx2", "AVX2 on x86_64", "not an x86_64 processor", Level.OK)
    if "avx2" in machine.cpu_flags:
        return Check("avx2", "AVX2 on x86_64", "AVX2", Level.OK)
    hint = "Use a processor with AVX2; in a virtual machine, pass the host's processor through"
    return Check("avx2", "AVX2 on x86_64", "no AVX2", Level.FAIL, hint)


def _check_virtualization(machine: Machine) -> Check:
    name, asked = "virtualization", "VT-x or AMD-V"
    if machine.process.architecture != "x86_64":
        asked = "virtualization extensions"
        if machine.kvm_present:
            return Check(name, asked, "shown by /dev/kvm", Level.OK)
        hint = "Instances run slowly without; start the kernel at exception level EL2"
        return Check(name, asked, "none, as there is no /dev/kvm", Level.WARNING, hint)
    for flag, found in (("vmx", "VT-x"), ("svm", "AMD-V")):
        if flag in machine.cpu_flags:
            return Check(name, asked, found, Level.OK)
    hint = (
        "Instances run slowly without; switch VT-x or AMD-V on in the firmware,"
        " or nested virtualization in the hypervisor around this machine"
    )
    return Check(name, asked, "neither", Level.WARNING, hint)


def _check_kvm(machine: Machine) -> Check:
    found = accelerator(machine)
    if found.name == "kvm":
        return Check("kvm", "/dev/kvm usable", "usable", Level.OK)
    hint = f"Instances are emulated, as {found.reason}"
    if not machine.kvm_present:
        hint += "; load the kernel's module kvm_intel or kvm_amd"
    return Check("kvm", "/dev/kvm usable", "not usable", Level.WARNING, hint)


def _measured(value: float, bounds: tuple[float, float]) -> Level:
    if value < bounds[0]:
        return Level.FAIL
    return Level.OK if value >= bounds[1] else Level.WARNING


def _size(size: int) -> str:
    """Decimal gigabytes, rounded down so that 7.96 GB never reads as 8."""
    return f"{size // GB} GB" if size >= 100 * GB else f"{size * 10 // GB / 10:g} GB"


def _check_cores(machine: Machine) -> Check:
    level = _measured(machine.cores, CORES)
    found = str(machine.cores)
    if machine.threads != machine.cores:
        found += f" ({machine.threads} threads)"
    hint = None if level is Level.OK else "Use a processor with more cores"
    return Check("cores", f"{CORES[0]} (better {CORES[1]})", found, level, hint)


def _check_memory(machine: Machine) -> Check:
    level = _measured(machine.memory, MEMORY)
    asked = f"{_size(MEMORY[0])} (better {_size(MEMORY[1])})"
    hint = None if level is Level.OK else "Fit more memory"
    return Check("memory", asked, _size(machine.memory), level, hint)


def _disk(disk: Disk) -> str:
    medium = {None: "unknown medium", True: "hard disk", False: "SSD"}[disk.rotational]
    return f"{disk.name} {_size(disk.size)} {medium}"


def _check_storage(machine: Machine) -> Check:
    asked = f"{_size(STORAGE[0])} (better {_size(STORAGE[1])})"
    if not machine.disks:
        hint: str | None = "No local disk can be seen here; make sure that there is room"
        return Check("storage", asked, "no local disk is seen", Level.WARNING, hint)
    largest = max(machine.disks, key=lambda disk: disk.size)
    level = _measured(largest.size, STORAGE)
    hint = None if level is Level.OK else "Use a larger disk"
    return Check("storage", asked, f"{largest.name} {_size(largest.size)}", level, hint)


_MEDIA: tuple[tuple[bool | None, Level, str | None], ...] = (
    (False, Level.OK, None),
    (None, Level.WARNING, "A virtual disk's medium cannot be seen; keep it on SSDs"),
    (True, Level.WARNING, "Use an SSD"),
)


def _check_storage_medium(machine: Machine) -> Check:
    name, asked = "storage_medium", "better an SSD"
    enough = [disk for disk in machine.disks if disk.size >= STORAGE[0]]
    for medium, level, hint in _MEDIA:
        found = next((disk for disk in enough if disk.rotational is medium), None)
        if found is not None:
            return Check(name, asked, _disk(found), level, hint)
    return Check(name, asked, "unknown", Level.WARNING, "No local disk is large enough to tell")


def _check_network(machine: Machine) -> Check:
    name, asked = "network", "1 Gbit/s"
    physical = [link for link in machine.interfaces if link.physical]
    links = physical or list(machine.interfaces)
    if not links:
        hint = "Fit a wired network interface"
        return Check(name, asked, "no wired interface", Level.FAIL, hint)
    known = [(link.speed, link.name) for link in links if link.speed is not None]
    speed, fastest = max(known, default=(0, ""))
    if speed >= SPEED:
        return Check(name, asked, f"{fastest} {speed} Mbit/s", Level.OK)
    if len(known) < len(links):
        names = ", ".join(link.name for link in links if link.speed is None)
        hint = "A virtual interface, or one without a link, does not tell its speed"
        return Check(name, asked, f"{names} unknown", Level.WARNING, hint)
    hint = "Connect the node with 1 Gbit/s or more; look at cable and switch port"
    return Check(name, asked, f"{fastest} {speed} Mbit/s", Level.FAIL, hint)


def _controller(controller: Controller) -> str:
    driver = controller.driver or "no driver"
    return f"{controller.slot} {controller.vendor}:{controller.device} ({driver})"


def _check_hardware_raid(machine: Machine) -> Check:
    name, asked = "hardware_raid", "no RAID controller"
    found = "; ".join(_controller(controller) for controller in machine.raid)
    if not machine.raid:
        return Check(name, asked, "none", Level.OK)
    if all(controller.driver in FIRMWARE_RAID_DRIVERS for controller in machine.raid):
        hint = "The disks are seen directly; better switch this RAID off in the firmware"
        return Check(name, asked, found, Level.WARNING, hint)
    hint = (
        "Hardware RAID is not supported; switch the controller to HBA mode or, at your own"
        " risk, make one RAID 0 array of each single disk and ignore this check"
    )
    return Check(name, asked, found, Level.FAIL, hint)


_CHECKS: dict[str, Callable[[Machine], Check]] = {
    "root": _check_root,
    "operating_system": _check_operating_system,
    "python": _check_python,
    "architecture": _check_architecture,
    "avx2": _check_avx2,
    "virtualization": _check_virtualization,
    "kvm": _check_kvm,
    "cores": _check_cores,
    "memory": _check_memory,
    "storage": _check_storage,
    "storage_medium": _check_storage_medium,
    "network": _check_network,
    "hardware_raid": _check_hardware_raid,
}
NAMES = tuple(_CHECKS)
_MARKS = {Level.OK: "ok", Level.WARNING: "warning", Level.FAIL: "FAILED"}


def run_checks(machine: Machine, ignore: Sequence[str] = ()) -> list[Check]:
    """Every check, in the order of the table.

    Args:
        machine: What was read.
        ignore: Names of checks whose failure is only a warning.
    """
    checks = []
    for name, function in _CHECKS.items():
        check = function(machine)
        if check.level is Level.FAIL and name in ignore:
            check = check._replace(level=Level.WARNING, ignored=True)
        checks.append(check)
    return checks


def table(checks: Sequence[Check]) -> list[str]:
    """The checks as aligned lines, hints below what did not pass.

    No line needs quotes in YAML: none starts with a space or contains a colon and a space.
    """
    header = Check("check", "required", "found", Level.OK)
    name_width = max(len(check.name) for check in (header, *checks))
    asked_width = max(len(check.requirement) for check in (header, *checks))
    lines = []
    for check in (header, *checks):
        mark = "result" if check is header else _MARKS[check.level]
        mark = "ignored" if check.ignored else mark
        cells = (mark.ljust(7), check.name.ljust(name_width), check.requirement.ljust(asked_width))
        lines.append("  ".join((*cells, check.found)))
        lines += [f"{'hint':7}  {line}" for line in textwrap.wrap(check.hint or "", 66)]
    return lines


def failure(check: Check) -> str:
    """A failed check in one sentence, with its hint in another."""
    hint = f" {check.hint}." if check.hint else ""
    return f"{check.name}: required {check.requirement}, found {check.found}.{hint}"
