# SPDX-License-Identifier: Apache-2.0
"""Starting a machine from the medium, and from the disk that it was installed on.

The machine is emulated by QEMU, with one processor, a BIOS and the medium as a CD: times are long,
and only their ratios mean something.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from answers import Place, placed
from benchmarks.rows import Row, Say
from benchmarks.timing import Figure, Sample
from guest import ADDRESS, Guest
from pextra_image.boot import Attachment, Console, Firmware
from pextra_image.grub import INSTALL
from pextra_image.settings import ROOT
from system.test_install import ANSWERS, PASSWORD

_SCREEN, SERIAL, AUTOMATED = INSTALL
MEDIUM, NODE = "medium, from power on", "node, from power on"
FIRST_BOOT = 1.5
"""Times its start to a login that a node may take, at most, until its first boot is done."""


def rows(folder: Path, say: Say) -> Iterator[Row]:
    """Each start."""
    iso = (ROOT / "dist/pextra-ce.iso").resolve(strict=True)

    def row(what: str, side: str, seconds: float) -> Row:
        say(f"{what}, {side}: {seconds:.0f} s")
        return Row(what, side, Figure((Sample(seconds, 0),)))

    (folder / "guest").mkdir()
    guest = Guest(folder / "guest", Firmware.BIOS, Attachment.CD, ADDRESS, PASSWORD)
    for entry, pattern, side in (
        ("Rescue shell on the serial console", "This is the rescue shell", "a shell"),
        (SERIAL.title, "1/7  Licence agreement", "the wizard's first page"),
    ):
        began = time.monotonic()
        with guest.medium(iso) as console:
            console.choose(entry)
            console.expect(pattern, side)
        yield row(MEDIUM, side, time.monotonic() - began)
    with (
        placed(Place.VOLUME, ANSWERS, iso, folder) as source,
        guest.medium(iso, source.volume) as console,
    ):
        yield row(MEDIUM, "installed, unattended", _installed(console))
    for boot, most in (("first", FIRST_BOOT), ("second", None)):
        began = time.monotonic()
        with guest.running():
            login = time.monotonic() - began
            yield row(NODE, f"login by SSH, {boot} start", login)
            guest.ask("systemctl is-system-running --wait || true")
            ready = time.monotonic() - began
            guest.ask("sync")
        say(f"{NODE}, ready, {boot} start: {ready:.0f} s")
        yield _ready(f"ready, {boot} start", login, ready, most)


def _ready(side: str, login: float, ready: float, most: float | None) -> Row:
    """A start to its end, in seconds; at most so many times its way to a login, if it must be."""
    passed = None if most is None else ready <= most * login
    note = f"{ready / login:.2f} times its login"
    if most is not None:
        note += f"; at most {most}: {'yes' if passed else '**no**'}"
    return Row(NODE, side, Figure((Sample(ready, 0),)), note, passed)


def _installed(console: Console) -> float:
    began = time.monotonic()
    console.choose(AUTOMATED.title)
    console.expect("The installation is done", "the end of the installation")
    console.wait_off("switching off")
    return time.monotonic() - began
