# SPDX-License-Identifier: Apache-2.0
"""The machine that a medium is booted on is one of its architecture."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from pextra_image import media
from pextra_image.architecture import AMD64, ARM64, Architecture
from pextra_image.boot import Attachment, Firmware, Machine, boot_test, command
from pextra_image.cli import main
from pextra_image.run import ImageError

ISO, VARIABLES = Path("/x.iso"), Path("/v.fd")


def line(architecture: Architecture, firmware: Firmware, attachment: Attachment) -> str:
    machine = Machine(firmware, attachment, architecture=architecture)
    return " ".join(command(ISO, machine, VARIABLES))


@pytest.mark.parametrize(("firmware", "attachment"), list(product(Firmware, Attachment)))
def test_a_pc_is_a_q35_with_the_firmware_asked_for(
    firmware: Firmware, attachment: Attachment
) -> None:
    text = line(AMD64, firmware, attachment)
    assert text.startswith("qemu-system-x86_64 ")
    assert ("OVMF_CODE" in text) is (firmware is not Firmware.BIOS)
    assert ("secboot" in text) is (firmware is Firmware.SECURE_BOOT)
    assert ("ide-cd" if attachment is Attachment.CD else "usb-storage") in text


@pytest.mark.parametrize("attachment", Attachment)
def test_an_arm_machine_has_uefi_and_devices_that_it_knows(attachment: Attachment) -> None:
    text = line(ARM64, Firmware.UEFI, attachment)
    assert text.startswith("qemu-system-aarch64 ")
    assert "-machine virt" in text
    assert "AAVMF_CODE.fd" in text
    assert "file=/v.fd" in text
    assert ("scsi-cd" if attachment is Attachment.CD else "usb-storage") in text
    assert not {word for word in ("ide-", "-vga", "OVMF_CODE_4M") if word in text}


@pytest.mark.parametrize("architecture", [AMD64, ARM64], ids=lambda one: one.name)
def test_a_machine_without_a_medium_has_no_drive_for_it(architecture: Architecture) -> None:
    argv = command(
        None, Machine(Firmware.UEFI, Attachment.CD, architecture=architecture), VARIABLES
    )
    assert not [word for word in argv if "medium" in word]


def test_arm_machines_have_no_bios(tmp_path: Path) -> None:
    machine = Machine(Firmware.BIOS, Attachment.CD, architecture=ARM64)
    with pytest.raises(ImageError, match="--firmware uefi"):
        list(boot_test(ISO, machine, tmp_path / "log"))


@pytest.mark.parametrize(
    ("named", "options", "expected"),
    [
        (None, [], (AMD64, Firmware.BIOS)),
        ("amd64", [], (AMD64, Firmware.BIOS)),
        ("arm64", [], (ARM64, Firmware.UEFI)),
        ("arm64", ["--firmware", "secureboot"], (ARM64, Firmware.SECURE_BOOT)),
        (None, ["--arch", "arm64"], (ARM64, Firmware.UEFI)),
    ],
)
def test_the_architecture_is_that_of_the_manifest_or_the_one_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: str | None,
    options: list[str],
    expected: tuple[Architecture, Firmware],
) -> None:
    iso = tmp_path / "x.iso"
    if named is not None:
        Path(f"{iso}.manifest.json").write_text(json.dumps({"architecture": named}))
    booted: list[Machine] = []

    def boot(path: Path, machine: Machine, transcript: Path) -> list[str]:
        booted.append(machine)
        return []

    monkeypatch.setattr(media, "boot_test", boot)
    assert main(["boot-test", str(iso), *options]) == 0
    assert [(one.architecture, one.firmware) for one in booted] == [expected]


@pytest.mark.parametrize("text", ["{}", "[]", "x", '{"architecture": "m68k"}'])
def test_a_manifest_without_an_architecture_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    iso = tmp_path / "x.iso"
    Path(f"{iso}.manifest.json").write_text(text)
    assert main(["boot-test", str(iso)]) == 1
    assert "x.iso.manifest.json does not name an architecture" in capsys.readouterr().err
