# SPDX-License-Identifier: Apache-2.0
"""Programs of another architecture: what the kernel says decides, and a refusal says what to do."""

from __future__ import annotations

import io
import platform
from pathlib import Path

import pytest

from pextra_image import foreign
from pextra_image.architecture import ARM64
from pextra_image.run import ImageError, Programs
from pextra_image.steps import Screen

RULE = ":qemu-aarch64:M::magic:mask:/usr/libexec/qemu:OPF"
KNOWN = "enabled\ninterpreter /usr/libexec/qemu\nflags: POF\noffset 0\n"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /proc/sys/fs/binfmt_misc, on a machine of another architecture."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(foreign, "require", lambda programs: None)
    monkeypatch.setattr(foreign, "BINFMT", tmp_path / "binfmt")
    monkeypatch.setattr(foreign, "RULES", tmp_path)
    (tmp_path / "binfmt").mkdir()
    (tmp_path / "binfmt/register").touch()
    return tmp_path / "binfmt"


def prepare() -> None:
    foreign.prepare(Programs(), Screen(io.StringIO()), ARM64)


@pytest.mark.parametrize(
    ("status", "good"),
    [
        (KNOWN, True),
        (KNOWN.replace("enabled", "disabled"), False),
        (KNOWN.replace("POF", "PO"), False),
        ("", False),
    ],
)
def test_an_emulator_is_used_only_if_a_chroot_has_it_too(status: str, good: bool) -> None:
    assert foreign.usable(status) is good


def test_this_machines_own_programs_need_nothing(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    (kernel / "register").unlink()
    prepare()


def test_an_emulator_that_the_kernel_knows_is_not_registered_again(kernel: Path) -> None:
    (kernel / "qemu-aarch64").write_text(KNOWN)
    prepare()
    assert (kernel / "register").read_text() == ""


def test_a_refusal_says_what_to_install(kernel: Path) -> None:
    with pytest.raises(ImageError, match="apt-get install qemu-user-static binfmt-support"):
        prepare()


def test_an_emulator_that_a_chroot_lacks_is_refused(kernel: Path) -> None:
    (kernel / "qemu-aarch64").write_text(KNOWN.replace("POF", "PO"))
    with pytest.raises(ImageError, match="flag F"):
        prepare()


def test_debians_rule_is_what_the_kernel_is_given(kernel: Path) -> None:
    (kernel.parent / "qemu-aarch64.conf").write_text(f"{RULE}\n")
    # The stand-in does not act on it, as the kernel would.
    with pytest.raises(ImageError):
        prepare()
    assert (kernel / "register").read_text() == RULE
