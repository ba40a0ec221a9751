# SPDX-License-Identifier: Apache-2.0
"""Boots an ISO in QEMU and drives it through its serial console, as a user would."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pextra_image.architecture import AMD64, ARM64, Architecture
from pextra_image.run import ImageError, require

OVMF = Path("/usr/share/OVMF")
AAVMF = Path("/usr/share/AAVMF")

PROGRAMS = {
    AMD64.name: {"qemu-system-x86_64": "qemu-system-x86"},
    ARM64.name: {"qemu-system-aarch64": "qemu-system-arm"},
}


class Firmware(StrEnum):
    """What starts the machine."""

    BIOS = "bios"
    UEFI = "uefi"
    SECURE_BOOT = "secureboot"


class Attachment(StrEnum):
    """How the medium is attached."""

    CD = "cd"
    USB = "usb"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine to boot; memory in MiB, times in seconds."""

    firmware: Firmware
    attachment: Attachment
    memory: int = 2048
    timeout: int = 900
    processors: int = 2
    architecture: Architecture = AMD64


def command(iso: Path | None, machine: Machine, variables: Path) -> list[str]:
    """Compose QEMU's command line: emulated, so that it runs anywhere.

    :param iso: None for a machine without a medium.
    :param variables: a copy of the firmware's variables, for UEFI.
    """
    arm = machine.architecture is ARM64
    argv = _arm(machine, variables) if arm else _pc(machine, variables)
    argv += ["-accel", "tcg,thread=multi", "-smp", str(machine.processors)]
    argv += ["-m", str(machine.memory), "-nodefaults", "-display", "none", "-no-reboot"]
    argv += ["-serial", "stdio", "-device", "virtio-rng-pci"]
    if iso is None:
        return argv
    medium = f"file={iso},format=raw,if=none,id=medium,readonly=on"
    if machine.attachment is Attachment.CD:
        drive = (
            ["-device", "virtio-scsi-pci", "-device", "scsi-cd"] if arm else ["-device", "ide-cd"]
        )
        drive[-1] += ",drive=medium,bootindex=1"
        return [*argv, "-drive", f"{medium},media=cdrom", *drive]
    return [*argv, "-drive", medium, "-device", "qemu-xhci",
            "-device", "usb-storage,drive=medium,removable=on,bootindex=1"]  # fmt: skip


def _pc(machine: Machine, variables: Path) -> list[str]:
    # What costs an emulator much and a node does not need: an emulated string instruction (erms,
    # fsrm) is interrupted at every step, so that a busy machine keeps a guest from clearing pages;
    # bounds and keys are saved at each change of processes; page tables have a fifth level.
    cpu = "max,-erms,-fsrm,-mpx,-pku,-la57,-smap"
    argv = ["qemu-system-x86_64", "-cpu", cpu, "-vga", "std"]
    match machine.firmware:
        case Firmware.BIOS:
            return [*argv, "-machine", "q35"]
        case Firmware.UEFI:
            return [*argv, "-machine", "q35", *_pflash(OVMF / "OVMF_CODE_4M.fd", variables)]
        case Firmware.SECURE_BOOT:
            argv += ["-machine", "q35,smm=on"]
            argv += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
            return [*argv, *_pflash(OVMF / "OVMF_CODE_4M.secboot.fd", variables)]


def _arm(machine: Machine, variables: Path) -> list[str]:
    # What "max" has beyond this one, such as pointer authentication, costs an emulator much time.
    argv = ["qemu-system-aarch64", "-cpu", "cortex-a72", "-machine", "virt"]
    kind = ".ms" if machine.firmware is Firmware.SECURE_BOOT else ""
    return [*argv, *_pflash(AAVMF / f"AAVMF_CODE{kind}.fd", variables)]


def _pflash(code: Path, variables: Path) -> list[str]:
    return [
        "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
        "-drive", f"if=pflash,format=raw,unit=1,file={variables}",
    ]  # fmt: skip


def new_variables(machine: Machine, variables: Path) -> None:
    """Make the variables of a machine that was never started; a BIOS has none."""
    if machine.firmware is Firmware.BIOS:
        return
    kind = ".ms" if machine.firmware is Firmware.SECURE_BOOT else ""
    if machine.architecture is ARM64:
        template, package = AAVMF / f"AAVMF_VARS{kind}.fd", "qemu-efi-aarch64"
    else:
        template, package = OVMF / f"OVMF_VARS_4M{kind}.fd", "ovmf"
    if not template.exists():
        raise ImageError(f"There is no {template}: apt-get install {package}")
    shutil.copyfile(template, variables)


def boot_test(iso: Path, machine: Machine, transcript: Path) -> Iterator[str]:
    """Boot into the rescue shell, ask it what it runs on, and go on to the installer.

    Gives each thing that holds as soon as it was seen.

    :param transcript: everything that the serial console shows.
    :raises ImageError: a step was not reached; tells the end of the console.
    """
    if machine.firmware is Firmware.BIOS and not machine.architecture.bios:
        raise ImageError(f"Machines of {machine.architecture.name} have no BIOS: --firmware uefi")
    require(PROGRAMS[machine.architecture.name])
    if not iso.is_file():
        raise ImageError(f"There is no file {iso}")
    transcript.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, transcript.open("w", errors="replace") as log:
        variables = Path(name) / "variables.fd"
        new_variables(machine, variables)
        console = Console(command(iso, machine, variables), machine.timeout, log)
        try:
            yield from _seen(console, machine)
        finally:
            console.end()


class Console:
    """The serial console of a machine that runs as our child."""

    def __init__(self, argv: list[str], timeout: int, log: Any) -> None:
        import pexpect

        self._pexpect = pexpect
        environment = {**os.environ, "TERM": "dumb"}
        self._child = pexpect.spawn(
            argv[0], argv[1:], timeout=timeout, encoding="utf-8", codec_errors="replace",
            env=environment, dimensions=(24, 200),
        )  # fmt: skip
        self._child.logfile_read = log

    def expect(self, pattern: str, what: str) -> str:
        """Wait for a pattern; returns what matched."""
        try:
            self._child.expect(pattern)
        except (self._pexpect.TIMEOUT, self._pexpect.EOF) as error:
            why = "QEMU ended" if isinstance(error, self._pexpect.EOF) else "it took too long"
            tail = str(self._child.before or "")[-1500:]
            raise ImageError(f"{what} was not reached: {why}. The console's end:\n{tail}") from None
        return str(self._child.match.group(0))

    def send(self, text: str) -> None:
        """Type something."""
        self._child.send(text)

    def ask(self, line: str, pattern: str, what: str) -> str:
        """Type a line into a shell and wait for what it should print."""
        self.send(f"{line}\r")
        return self.expect(pattern, what)

    def quiet(self, seconds: float = 3) -> None:
        """Wait until nothing more has been shown for some time."""
        while self._child.expect([self._pexpect.TIMEOUT, r"(?s).+"], timeout=seconds) == 1:
            pass

    def choose(self, title: str, words: str = "") -> None:
        """Pick a line of GRUB's menu.

        :param words: to be added to the kernel's command line, in GRUB's editor.
        """
        self._go_to(title)
        if not words:
            self.send("\r")
            return
        self.send("e")
        self.expect("linux ", "GRUB's editor")
        # Its keys are those of Emacs: two lines down from the first, to its end; Ctrl+X starts.
        # Under UEFI firmware and GRUB both read the serial port: faster keys change places.
        for key in f"\x0e\x0e\x05 {words}\x18":
            self.quiet(0.2)
            self.send(key)

    def _go_to(self, title: str) -> None:
        """Move to a line of GRUB's menu; the one that it is at begins with an asterisk."""
        # The lines are padded, so that a title is known to be whole.
        line = r"\*[A-Z][A-Za-z ]+? {3}"
        at = self.expect(line, "GRUB's menu on the serial console")
        for _line in range(10):
            if at.strip("* ") == title:
                return
            # GRUB's key for "down" in a terminal is that of Emacs too.
            self.send("\x0e")
            before = at
            # UEFI shows its own console on the serial port too: each line comes twice.
            while at == before:
                at = self.expect(line, "the next line of GRUB's menu")
        raise ImageError(f"GRUB's menu has no line {title!r}")

    def wait_off(self, what: str) -> None:
        """Wait until the machine switches itself off, or restarts (-no-reboot)."""
        try:
            self._child.expect(self._pexpect.EOF)
        except self._pexpect.TIMEOUT:
            tail = str(self._child.before or "")[-1500:]
            raise ImageError(f"{what}: it took too long. The console's end:\n{tail}") from None

    def end(self) -> None:
        """Switch the machine off."""
        self._child.close(force=True)


def _seen(console: Console, machine: Machine) -> Iterator[str]:
    console.choose("Rescue shell on the serial console")
    yield "GRUB shows its menu on the serial console"
    console.expect("Linux version", "the kernel")
    yield "the kernel starts"
    console.expect("This is the rescue shell", "the rescue shell")
    console.expect(r"root@\S+:.*# ", "a prompt of root")
    yield "the rescue shell has a prompt of root"
    console.ask("findmnt --noheadings --output FSTYPE / | sed s/^/root=/", "root=overlay",
                "a root file system in memory over the medium")  # fmt: skip
    yield "the root file system is the medium's, with memory above it"
    console.ask("echo same=$(cat /run/live/medium/.disk/live-uuid-pextra | wc -c)", "same=37",
                "the medium with its identifier")  # fmt: skip
    yield "the medium was found by its identifier"
    console.ask(r"ss -Hltn | grep -cvE '127\.0\.0|\[::1\]' | sed s/^/open=/", r"open=0\s",
                "a medium on which nothing listens on the network")  # fmt: skip
    yield "nothing listens on the network"
    console.ask("ansible --version | head -1", r"ansible \[core 2\.", "Ansible")
    yield "Ansible runs"
    if machine.firmware is Firmware.SECURE_BOOT:
        console.ask("od -An -t u1 -j 4 /sys/firmware/efi/efivars/SecureBoot-* | sed s/^/sb=/",
                    r"sb=\s+1", "Secure Boot in force")  # fmt: skip
        yield "Secure Boot is in force"
    elif machine.firmware is Firmware.UEFI:
        console.ask("[ -d /sys/firmware/efi ] && echo firm''ware", "firmware", "UEFI")
        yield "the firmware is UEFI"
    console.ask("systemctl --no-block isolate pextra-installer.target", "1/7  Licence agreement",
                "the installer's first page")  # fmt: skip
    yield "the installer shows its first page"
