# SPDX-License-Identifier: Apache-2.0
"""The actions on an ISO that is there already: verify, write, boot-test."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pextra_image import stick
from pextra_image.architecture import AMD64, ARCHITECTURES, Architecture
from pextra_image.boot import Attachment, Firmware, Machine, boot_test
from pextra_image.run import ImageError, Programs
from pextra_image.settings import ROOT
from pextra_image.steps import Screen
from pextra_image.verify import verify

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_verify(actions: Actions) -> None:
    """Declare `verify`."""
    parser = actions.add_parser(
        "verify", help="check an ISO's checksum and signatures",
        description="Check the checksum and the signatures that lie beside an ISO. Exits with 1, "
        "and names each one that fails, and who signed. A key that was revoked, has expired or is "
        "too weak is none.",
    )  # fmt: skip
    parser.add_argument("iso", type=_iso, metavar="ISO")
    parser.add_argument(
        "--key", type=Path, help="file of the public key to trust; without it, your gpg keyring"
    )
    parser.add_argument(
        "--fingerprint", default="", metavar="HEX",
        help="of the one key that may have signed, as you know it from elsewhere",
    )  # fmt: skip
    parser.set_defaults(command=_verify)


def add_write(actions: Actions) -> None:
    """Declare `write`."""
    parser = actions.add_parser(
        "write", help="write an ISO to a USB stick, and compare",
        description="Show what a device has and would lose, ask, write the ISO, read it back and "
        "compare. A device that is mounted, or that the system is on, is never written.",
    )  # fmt: skip
    parser.add_argument("iso", type=_iso, metavar="ISO")
    parser.add_argument("device", type=Path, metavar="DEVICE")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--fixed-disk", action="store_true", help="also a disk that is not removable"
    )
    parser.set_defaults(command=_write)


def add_boot_test(actions: Actions) -> None:
    """Declare `boot-test`."""
    parser = actions.add_parser(
        "boot-test", help="boot an ISO in QEMU, to the installer",
        description="Boot an ISO in an emulated machine: to the rescue shell, which is asked what "
        "it runs on, and to the installer's first page. Takes some minutes.",
    )  # fmt: skip
    parser.add_argument("iso", type=_iso, metavar="ISO")
    parser.add_argument("--arch", choices=sorted(ARCHITECTURES),
                        help="of the machine; without it, what the manifest beside the ISO says, "
                        "else amd64")  # fmt: skip
    parser.add_argument("--firmware", type=Firmware, choices=list(Firmware),
                        help="without it, bios; for arm64, which has none, uefi")  # fmt: skip
    parser.add_argument("--attach", type=Attachment, choices=list(Attachment),
                        default=Attachment.CD, help="as a CD or as a USB stick")  # fmt: skip
    parser.add_argument("--memory", type=int, default=2048, metavar="MIB")
    parser.add_argument("--timeout", type=int, default=900, metavar="SECONDS", help="of each step")
    parser.set_defaults(command=_boot_test)


def _iso(text: str) -> Path:
    """Find the ISO itself: what lies beside it has its name, not that of a link to the newest."""
    return Path(text).resolve()


def _verify(arguments: argparse.Namespace) -> int:
    screen = Screen()
    progress = _progress(screen, "reading", _size(arguments.iso))
    checks = verify(Programs(), arguments.iso, arguments.key, progress, arguments.fingerprint)
    for check in checks:
        told = check.problem or check.found
        screen.say(f"{'FAILED' if check.problem else 'ok':<7} {check.what}"
                   f"{': ' if told else ''}{told}")  # fmt: skip
    if any(check.problem for check in checks):
        print("pextra-image: do not install from this ISO", file=sys.stderr)
        return 1
    return 0


def _write(arguments: argparse.Namespace) -> int:
    screen = Screen()
    size = _size(arguments.iso)
    if not stick.is_iso(arguments.iso):
        raise ImageError(f"{arguments.iso} is no ISO image: nothing was written")
    device = stick.look(Programs(), arguments.device)
    screen.say(f"All of this is lost:\n{device.described()}")
    refused = stick.refusal(device, size, arguments.fixed_disk)
    if refused:
        raise ImageError(f"{arguments.device} is not written: {refused}")
    if not arguments.yes and not _confirmed(device.path):
        raise ImageError("nothing was written")
    path = Path(device.path)
    written = stick.write(arguments.iso, path, _progress(screen, "writing", size))
    found = stick.read_back(path, size, _progress(screen, "comparing", size))
    if found != written:
        raise ImageError(f"{device.path} gives back other bytes than were written: do not use it")
    screen.say(f"{device.path} holds {arguments.iso.name}, sha256 {written}")
    return 0


def _boot_test(arguments: argparse.Namespace) -> int:
    screen = Screen()
    architecture = ARCHITECTURES.get(arguments.arch) or _architecture(arguments.iso)
    firmware = arguments.firmware or (Firmware.BIOS if architecture.bios else Firmware.UEFI)
    machine = Machine(firmware, arguments.attach, arguments.memory, arguments.timeout,
                      architecture=architecture)  # fmt: skip
    name = f"boot-{architecture.name}-{machine.firmware}-{machine.attachment}.console"
    transcript = ROOT / ".cache/image/logs" / name
    began = time.monotonic()
    screen.say(f"booting {arguments.iso.name} from {machine.attachment} with {machine.firmware} "
               f"on {architecture.name}; the console goes to {transcript}")  # fmt: skip
    for held in boot_test(arguments.iso, machine, transcript):
        screen.say(f"ok      {held}")
    screen.say(f"ok      in {time.monotonic() - began:.0f} s")
    return 0


def _architecture(iso: Path) -> Architecture:
    manifest = Path(f"{iso}.manifest.json")
    if not manifest.exists():
        return AMD64
    try:
        return ARCHITECTURES[json.loads(manifest.read_text(encoding="utf-8"))["architecture"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{manifest} does not name an architecture: add --arch") from error


def _size(iso: Path) -> int:
    if not iso.is_file():
        raise ImageError(f"There is no file {iso}")
    return iso.stat().st_size


def _confirmed(path: str) -> bool:
    if not sys.stdin.isatty():
        raise ImageError("there is no terminal to ask on: add --yes")
    return input(f"Type {path} to go on: ").strip() == path


def _progress(screen: Screen, what: str, size: int) -> Callable[[int], None]:
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        share = done / size if size else 1.0
        screen.show(f"{what:<10} [{'#' * int(share * 40):<40}] {share:4.0%}")

    return advance
