"""The node as a machine to install on: the installer, the power switch, and what its disks have."""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path
from typing import Any

import yaml

from lab import machine as lab_machine
from lab import paths

NAME = "node1"
DISK, OTHER, SMALL = "/dev/ubdb", "/dev/ubdc", "/dev/ubdd"
"""What is installed on, and two that are not; in lab.yml these are the first three."""
VOLUME = "/dev/ubdf"
"""The one for answers; no test but one puts any there."""
IMAGE = "/run/live/medium/live/filesystem.squashfs"
STATE = "/run/pextra-installer"
TARGET = f"{STATE}/target"
PASSWORD = "correct horse battery staple"
HOSTNAME, TIMEZONE = "node1.example.com", "Europe/Berlin"
ANSWERS: dict[str, Any] = {
    "version": 1,
    "agreement": "accepted",
    "hostname": HOSTNAME,
    "organization": "Example",
    "timezone": TIMEZONE,
    "administrator": {"password": PASSWORD},
    "disk": {"match": [{"path": DISK}]},
    "when_done": "stay",
    "ignore_checks": ["cores", "memory"],
}
SECONDS = 300
"""How long a step may take to come on a busy machine; a whole installation takes 50."""


class Machine:
    """The node that the installer runs on."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab

    def run(self, command: str) -> Any:
        """The result of a shell's command."""
        return self.lab.host(NAME).run(command)

    def ask(self, command: str) -> str:
        """What a command prints, which succeeds."""
        done = self.run(command)
        assert done.rc == 0, f"{command}: {done.rc}: {done.stdout}{done.stderr}"
        return str(done.stdout).strip()

    def answer(self, text: str | None = None, **changes: Any) -> None:
        """Write the answer file."""
        text = text if text is not None else yaml.safe_dump({**ANSWERS, **changes})
        self.ask(f"printf %s {shlex.quote(text)} > /run/answers.yaml")

    def install(self, *, image: str = IMAGE, within: str = "") -> Any:
        """Run the installer to its end, within another command if wanted."""
        done = self.run(f"{within} {_installer(image)}")
        print(done.stdout, done.stderr)
        return done

    def begin(self) -> None:
        """Start the installer and leave it running."""
        self.run("systemctl reset-failed installer")
        self.ask(f"systemd-run --quiet --unit=installer {_installer(IMAGE)}")

    def until(self, condition: str) -> None:
        """Wait for what a running installation does; it is not to end before."""
        script = (
            f"until {condition}; do systemctl is-active --quiet installer || exit 9; sleep 0.05;"
            " done; systemctl is-active --quiet installer"
        )
        done = self.run(f"timeout {SECONDS} sh -c {shlex.quote(script)}")
        assert done.rc == 0, self.ask("journalctl --no-pager --unit installer | tail -n 30")

    def cut_the_power(self) -> None:
        """Take the power away from whatever runs, and switch it on again."""
        self.lab.kill(NAME)
        self.lab.start(NAME)
        # What the installer notes is gone, as with any live system.
        assert self.run(f"test -e {STATE}").rc == 1

    def console(self) -> str:
        """The end of what the kernel's console shows."""
        return lab_machine.console(self.lab.name, NAME, 60)

    def has_file(self, path: str) -> bool:
        """Whether a file is on the disk's root file system, in whatever state that is."""
        # What was committed is in its journal, or in its place already.
        self.run(f"e2fsck -p -E journal_only {DISK}2")
        said = self.run(f"debugfs -R 'stat {path}' {DISK}2").stdout
        return "Type: regular" in said

    def journal(self) -> dict[str, Any]:
        """What the installer noted."""
        journal: dict[str, Any] = yaml.safe_load(self.ask(f"cat {STATE}/journal.json"))
        return journal

    def digest(self, device: str) -> str:
        """A checksum of all that a disk has: the file behind it, where there is something in it."""
        self.ask("sync")
        image = paths.node(self.lab.name, NAME) / f"{Path(device).name}.img"
        total = hashlib.sha256()
        with image.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            place = 0
            while (place := _next_data(file.fileno(), place)) < end:
                file.seek(place)
                block = file.read(1 << 20)
                if block.strip(b"\0"):
                    total.update(f"{place} ".encode() + block)
                place += len(block)
        return total.hexdigest()


def _installer(image: str) -> str:
    return f"pextra-installer install --yes --answers /run/answers.yaml --image {image}"


def _next_data(file: int, place: int) -> int:
    """Where there is something next, in blocks of 1 MiB."""
    try:
        return os.lseek(file, place, os.SEEK_DATA) >> 20 << 20
    except OSError:  # nothing more
        return os.lseek(file, 0, os.SEEK_END)
