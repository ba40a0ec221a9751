# SPDX-License-Identifier: Apache-2.0
"""Which devices are written, and what is told of them before."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from pextra_image.run import ImageError, Programs
from pextra_image.stick import is_iso, look, parse, refusal

GB = 10**9


def lsblk(**changes: Any) -> str:
    device = {
        "name": "sdb", "path": "/dev/sdb", "size": 8 * GB, "type": "disk", "rm": True,
        "hotplug": True, "ro": False, "model": "Ultra Fit ", "serial": "4C53", "tran": "usb",
        "fstype": None, "label": None, "mountpoints": [None],
        "children": [
            {"name": "sdb1", "size": 8 * GB, "fstype": "vfat", "label": "PHOTOS",
             "mountpoints": [None]},
        ],
    }  # fmt: skip
    return json.dumps({"blockdevices": [{**device, **changes}]})


def mounted_at(point: str) -> dict[str, Any]:
    part = {"name": "sdb1", "size": GB, "fstype": "ext4", "label": None, "mountpoints": [point]}
    return {"children": [part]}


class Refusing(Programs):
    """Programs of which each fails, as lsblk does on a loop device that has no file."""

    def read(self, *_arguments: Any, **_options: Any) -> str:
        raise ImageError("lsblk failed with status 32")


def test_a_block_device_that_is_no_disk_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stat, "S_ISBLK", lambda _mode: True)
    with pytest.raises(ImageError, match=r"/dev/null is no disk; lsblk lists those that are there"):
        look(Refusing(), Path("/dev/null"))


def test_a_removable_stick_that_nothing_uses_is_written() -> None:
    assert refusal(parse(lsblk()), GB, fixed_allowed=False) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "part"}, "whole disk"),
        ({"ro": True}, "write-protected"),
        ({"size": GB - 1}, "bytes"),
        (mounted_at("/media/photos"), "/media/photos: umount"),
        (mounted_at("/"), "this system runs from it"),
        (mounted_at("[SWAP]"), "this system runs from it"),
        ({"rm": False, "hotplug": False, "tran": "sata"}, "--fixed-disk"),
    ],
)
def test_a_device_that_is_in_use_or_not_a_stick_is_refused(
    changes: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(parse(lsblk(**changes)), GB, fixed_allowed=False)


def test_a_fixed_disk_is_written_only_if_asked_for_and_never_the_systems_own() -> None:
    fixed = {"rm": False, "hotplug": False, "tran": "sata"}
    assert refusal(parse(lsblk(**fixed)), GB, fixed_allowed=True) == ""
    system = parse(lsblk(**fixed, **mounted_at("/")))
    assert "this system" in refusal(system, GB, fixed_allowed=True)


def test_what_would_be_lost_names_the_device_and_its_file_systems() -> None:
    text = parse(lsblk()).described()
    for word in ("/dev/sdb", "8.0 GB", "Ultra Fit", "4C53", "vfat", "PHOTOS"):
        assert word in text


def test_what_is_no_iso_image_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x.iso"
    path.write_bytes(b"abc")
    assert not is_iso(path)
    path.write_bytes(bytes(16 * 2048) + b"\x01CD001")
    assert is_iso(path)
