# SPDX-License-Identifier: Apache-2.0
"""Which partitions a system disk has, and what frees a disk that is in use."""

from __future__ import annotations

from typing import Any

import pytest

from pextra.host.disks import devices, layout, system

GIB = 1 << 30


def node(path: str, kind: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "path": path, "type": kind, "fstype": None, "label": None, "ro": False,
        "mountpoints": [None], "children": list(children), **more,
    }  # fmt: skip


def argvs(disk: dict[str, Any]) -> list[str]:
    return [" ".join(command.argv) for command in devices.release(disk)]


def test_what_lies_on_top_is_stopped_before_what_it_lies_on() -> None:
    volume = node("/dev/mapper/vg-root", "lvm", mountpoints=["/mnt", "/mnt/inner"])
    array = node("/dev/md0", "raid1", volume)
    disk = node(
        "/dev/sda",
        "disk",
        node("/dev/sda1", "part", mountpoints=["[SWAP]"]),
        node("/dev/sda2", "part", array),
    )
    assert argvs(disk) == [
        "umount --recursive /mnt/inner",
        "umount --recursive /mnt",
        "swapoff /dev/sda1",
        "dmsetup remove --retry /dev/mapper/vg-root",
        "mdadm --stop /dev/md0",
        "wipefs --all --force --quiet /dev/sda1",
        "wipefs --all --force --quiet /dev/sda2",
        "wipefs --all --force --quiet /dev/sda",
    ]


def test_a_partition_that_is_mounted_within_a_volume_goes_first() -> None:
    volume = node("/dev/mapper/vg-data", "lvm", mountpoints=["/mnt"])
    disk = node(
        "/dev/sda",
        "disk",
        node("/dev/sda1", "part", volume),
        node("/dev/sda2", "part", mountpoints=["/mnt/in"]),
    )
    assert argvs(disk)[:2] == ["umount --recursive /mnt/in", "umount --recursive /mnt"]


def test_a_volume_on_two_partitions_is_stopped_once() -> None:
    volume = node("/dev/mapper/vg-data", "lvm")
    disk = node(
        "/dev/sda", "disk", node("/dev/sda1", "part", volume), node("/dev/sda2", "part", volume)
    )
    assert argvs(disk).count("dmsetup remove --retry /dev/mapper/vg-data") == 1


def test_a_disk_with_a_single_path_is_taken_from_multipath() -> None:
    disk = node("/dev/sda", "disk", node("/dev/mapper/mpatha", "mpath"))
    assert argvs(disk)[0] == "dmsetup remove --retry /dev/mapper/mpatha"


def test_nothing_that_lies_on_other_disks_too_is_written_to() -> None:
    array = node("/dev/md0", "raid1")
    written = [one for one in argvs(node("/dev/sda", "disk", array)) if one.startswith("wipefs")]
    assert written == ["wipefs --all --force --quiet /dev/sda"]


def test_a_loop_device_that_is_the_disk_itself_stays() -> None:
    disk = node("/dev/loop0", "loop", node("/dev/loop0p1", "part", node("/dev/loop1", "loop")))
    assert [one for one in argvs(disk) if one.startswith("losetup")] == [
        "losetup --detach /dev/loop1"
    ]


@pytest.mark.parametrize(
    ("disk", "reason"),
    [
        (node("/dev/sda", "disk", node("/dev/sda1", "part", mountpoints=["/"])), "running system"),
        (node("/dev/sda", "disk", node("/dev/sda1", "part", fstype="iso9660")), "medium"),
        (node("/dev/sda", "disk", mountpoints=["/run/live/medium"]), "installation medium"),
        (node("/dev/sda", "disk", node("/dev/sda1", "part", label="PEXTRA-ANSW")), "answer file"),
        (node("/dev/sda", "disk", label="Pextra-Answers"), "answer file"),
        (node("/dev/sda", "disk", ro=True), "cannot be written"),
    ],
)
def test_a_protected_disk_is_one_with_a_reason(disk: dict[str, Any], reason: str) -> None:
    assert reason in (devices.protected(disk) or "")


def test_an_ordinary_disk_is_not_protected() -> None:
    assert devices.protected(node("/dev/sda", "disk", node("/dev/sda1", "part"))) is None


def test_only_a_bios_machine_gets_a_bios_boot_partition() -> None:
    assert [one.code for one in layout.wanted("uefi")] == ["EF00", "8300"]
    assert sorted(one.code for one in layout.wanted("bios")) == ["8300", "EF00", "EF02"]
    numbers = {one.name: one.number for one in layout.wanted("bios")}
    assert numbers == {"esp": 1, "root": 2, "bios": 3}


def table(firmware: str, token: str = "t", sector: int = 512) -> dict[str, Any]:
    sizes = {"esp": GIB, "root": 20 * GIB, "bios": 1 << 20}
    return {
        "id": layout.guid(token, "disk").upper(),
        "sectorsize": sector,
        "partitions": [
            {
                "node": f"/dev/sda{one.number}",
                "size": sizes[one.name] // sector,
                "type": one.type,
                "uuid": layout.guid(token, one.name).upper(),
            }
            for one in layout.wanted(firmware)
        ],
    }


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_disk_that_this_installation_made_is_recognised(sector: int) -> None:
    found = layout.nodes(table("bios", sector=sector), "t", layout.wanted("bios"))
    assert found == {"bios": "/dev/sda3", "esp": "/dev/sda1", "root": "/dev/sda2"}


def test_any_other_disk_is_not() -> None:
    partitions = layout.wanted("uefi")
    assert layout.nodes({}, "t", partitions) == {}
    assert layout.nodes(table("uefi", "other"), "t", partitions) == {}
    assert layout.nodes(table("bios"), "t", partitions) == {}
    smaller = table("uefi")
    smaller["partitions"][0]["size"] -= 1
    assert layout.nodes(smaller, "t", partitions) == {}


def test_only_what_is_missing_is_made() -> None:
    request = system.Request("/dev/sda", "uefi", "t")
    found = layout.nodes(table("uefi"), "t", layout.wanted("uefi"))
    disk = node("/dev/sda", "disk")
    whole = system.State(disk, found, frozenset({"esp", "root"}))
    assert system.missing(request, whole) == system.Missing(False, ())
    half = system.missing(request, system.State(disk, found, frozenset({"esp"})))
    assert (half.partition, [one.name for one in half.format]) == (False, ["root"])
    fresh = system.missing(request, system.State(disk, {}, frozenset()))
    assert fresh.partition
    assert fresh.lines(request, node("/dev/sda", "disk", node("/dev/sda1", "part"))) == [
        "erase /dev/sda1", "partition /dev/sda", "make vfat on esp", "make ext4 on root",
    ]  # fmt: skip
