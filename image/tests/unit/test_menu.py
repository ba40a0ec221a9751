# SPDX-License-Identifier: Apache-2.0
"""The boot menu offers what the medium can do, and finds the medium by its identifier."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pextra_image.architecture import AMD64, ARCHITECTURES, ARM64, Architecture
from pextra_image.grub import first_stage, menu
from pextra_installer import outcome

UUID = "5c0e35ae-3a0f-5ad5-8f37-4b1f0ac5f3f7"


def titles(text: str) -> list[str]:
    return re.findall(r'^menuentry "([^"]+)"', text, re.MULTILINE)


def test_without_an_installer_the_menu_has_rescue_and_local_disk_only() -> None:
    assert titles(menu("x 1", installer=False, architecture=AMD64)) == [
        "Rescue shell", "Rescue shell on the serial console", "Boot from the local disk",
    ]  # fmt: skip


def test_with_an_installer_installing_comes_first() -> None:
    found = titles(menu("x 1", installer=True, architecture=AMD64))
    assert found[:3] == [
        "Install Pextra CloudEnvironment",
        "Install Pextra CloudEnvironment on the serial console",
        "Automated install of Pextra CloudEnvironment",
    ]
    assert found[-1] == "Boot from the local disk"


def test_with_answers_the_automated_installation_begins_after_a_countdown() -> None:
    """GRUB counts down from its timeout, on the screen, to the entry that is the default."""
    baked = menu("x 1", installer=True, architecture=AMD64, answers=True)
    assert re.findall(r"^ *set default=(.+)$", baked, re.MULTILINE) == ["0", "local", "automated"]
    assert re.findall(r"^set timeout=(.+)$", baked, re.MULTILINE) == ["15"]
    entry = re.search(r'menuentry "Auto.+" --id automated {\n(.+)', baked)
    assert entry is not None
    assert "pextra.install=automated" in entry.group(1)


@pytest.mark.parametrize("answers", [True, False])
def test_a_machine_that_is_a_node_already_is_not_installed_again_and_again(answers: bool) -> None:
    """Many start from a stick first, whenever one is there."""
    text = menu("x 1", installer=True, architecture=AMD64, answers=answers)
    kept = "/var/lib/pextra-installer/answers.yaml"
    assert f"if search --no-floppy --file --set=node {kept}; then\n  set default=local\n" in text
    assert 'menuentry "Boot from the local disk" --id local {' in text
    assert kept == outcome.KEPT_ANSWERS


def test_a_volume_with_answers_is_looked_for_by_both_of_its_labels() -> None:
    text = menu("x 1", installer=True, architecture=AMD64)
    labels = re.findall(r"if search --no-floppy --label --set=answers (.+); then", text)
    assert labels == ["PEXTRA-ANSW", "PEXTRA-ANSWERS"]
    assert re.findall(r"^  set default=(.+)$", text, re.MULTILINE) == ["local", "automated"]
    assert "search" not in menu("x 1", installer=False, architecture=AMD64)


def test_systemd_fills_no_log_of_a_serial_console() -> None:
    lines = re.findall(r"^  linux .+$", menu("x 1", True, AMD64), re.MULTILINE)
    assert len(lines) == 5
    assert all("systemd.show_status=error" in line for line in lines)


def test_the_medium_is_found_by_identifier_and_never_by_label() -> None:
    text = first_stage(UUID)
    assert f"--file /.disk/id-{UUID}" in text
    assert "label" not in text.lower()
    assert "--set=root" not in menu("x 1", installer=True, architecture=AMD64)


def test_the_serial_console_is_the_one_of_the_architecture() -> None:
    pc, arm = menu("x 1", True, AMD64), menu("x 1", True, ARM64)
    assert titles(pc) == titles(arm)
    assert pc.count("console=tty0 console=ttyS0,115200n8\n") == 3
    assert arm.count("console=tty0 console=ttyAMA0,115200n8\n") == 3
    assert "ttyAMA0" not in pc
    assert "ttyS0" not in arm


def test_grub_itself_uses_the_serial_port_where_the_firmware_may_not() -> None:
    assert "terminal_output console serial" in menu("x 1", True, AMD64)
    assert "serial" not in menu("x 1", True, ARM64).replace("serial console", "")


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
@pytest.mark.parametrize("installer", [True, False])
def test_grub_can_read_the_menu(
    tmp_path: Path, installer: bool, architecture: Architecture
) -> None:
    path = tmp_path / "grub.cfg"
    for answers in (True, False):
        path.write_text(first_stage(UUID) + menu("x 1", installer, architecture, answers=answers))
        subprocess.run(["grub-script-check", str(path)], check=True)
