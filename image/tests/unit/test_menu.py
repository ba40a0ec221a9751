# SPDX-License-Identifier: Apache-2.0
"""The boot menu offers what the medium can do, and finds the medium by its identifier."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pextra_image.grub import first_stage, menu

UUID = "5c0e35ae-3a0f-5ad5-8f37-4b1f0ac5f3f7"


def titles(text: str) -> list[str]:
    return re.findall(r'^menuentry "([^"]+)"', text, re.MULTILINE)


def test_without_an_installer_the_menu_has_rescue_and_local_disk_only() -> None:
    assert titles(menu("x 1", installer=False)) == [
        "Rescue shell", "Rescue shell on the serial console", "Boot from the local disk",
    ]  # fmt: skip


def test_with_an_installer_installing_comes_first() -> None:
    found = titles(menu("x 1", installer=True))
    assert found[:3] == ["Install", "Install on the serial console", "Automated install"]
    assert found[-1] == "Boot from the local disk"


def test_the_medium_is_found_by_identifier_and_never_by_label() -> None:
    text = first_stage(UUID) + menu("x 1", installer=True)
    assert f"--file /.disk/id-{UUID}" in text
    assert "label" not in text.lower()


@pytest.mark.parametrize("installer", [True, False])
def test_grub_can_read_the_menu(tmp_path: Path, installer: bool) -> None:
    path = tmp_path / "grub.cfg"
    path.write_text(first_stage(UUID) + menu("x 1", installer))
    subprocess.run(["grub-script-check", str(path)], check=True)
