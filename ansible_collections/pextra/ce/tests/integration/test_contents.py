# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in images and volumes: judged by what they were made as, and never lost silently."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Lab, Node, run

MIB = 1 << 20


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node; each test uses names of its own."""
    made = make_module_lab(Node)
    made.prepare()
    return made


# What a guest writes


def test_raw_volume_that_begins_like_another_format_stays_raw(shared: Node) -> None:
    name, machine = "liar", shared.name("liar")
    disk = shared.volume(name, "2MiB", format="raw")
    shared.run("instance", **shared.instance(machine, volumes=[disk]))
    path = shared.image_of(name)
    victim = shared.file("victim", b"secret" * 1000)
    lie = shared.directory / "lie.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(victim), "-F", "raw", str(lie), "64M")
    with path.open("r+b") as file:
        file.write(lie.read_bytes()[:MIB])
    assert not shared.run("instance", name=machine, volumes=[disk]).changed
    (found,) = shared.run("volume_info", name=name)["volumes"]
    assert (found["format"], found["size"]) == ("raw", 2 * MIB)
    done = shared.run("volume", **{**disk, "size": "4MiB"})
    assert done.actions[-1] == "volume grow"
    assert path.stat().st_size == 4 * MIB
    assert not shared.run("volume", **{**disk, "size": "4MiB"}).changed
    assert "secret" not in done.text


@pytest.mark.parametrize(
    ("format", "damage"),
    [
        ("raw", lambda path: os.truncate(path, 64 << 10)),
        ("qcow2", lambda path: run("qemu-img", "resize", "-q", "--shrink", str(path), "64K")),
        ("qcow2", lambda path: path.write_text("not an image\n")),
        ("qcow2", lambda path: os.truncate(path, 0)),
        ("qcow2", lambda path: os.truncate(path, 4096)),
        ("qcow2", lambda path: path.write_bytes(b"QFI\xfb" + b"x" * 8192)),
    ],
    ids=["raw-truncated", "qcow2-shrunk", "qcow2-text", "qcow2-empty", "qcow2-head", "qcow2-lie"],
)
def test_data_that_is_not_what_it_was_is_an_error_that_names_it(
    shared: Node, format: str, damage: Callable[[Path], object]
) -> None:
    name, machine = shared.name().replace("-", ""), shared.name()
    disk = shared.volume(name, "2MiB", format=format)
    shared.run("instance", **shared.instance(machine, volumes=[disk]))
    path = shared.image_of(name)
    damage(path)
    before = path.read_bytes()
    for check in (True, False):
        for result in (
            shared.refused("volume", **disk, check=check),
            shared.refused("volume", **{**disk, "size": "4MiB"}, check=check),
            shared.refused("instance", name=machine, volumes=[disk], check=check),
        ):
            assert result.code == "conflict"
            assert str(path) in result.message
    assert path.read_bytes() == before
    status, out, err = shared.command("reconcile")
    assert status != 0
    assert str(path) in out + err
    assert path.read_bytes() == before
    shared.run("instance", name=machine, state="absent", destroy_volumes=True)
    assert not path.exists()


def test_pipe_as_an_image_is_refused_at_once(shared: Node) -> None:
    pipe = shared.directory / "pipe"
    os.mkfifo(pipe)
    result = shared.refused("volume", **shared.volume("piped", None, image=str(pipe)))
    assert str(pipe) in result.message


# Images that are cut off


def written(shared: Node, name: str, format: str) -> Path:
    """An image of 8 MiB that is full of data."""
    path = shared.image(name, format, "8M")
    run("qemu-io", "-f", format, "-c", "write -P 0x61 1M 7M", str(path))
    return path


def partitioned(shared: Node, name: str, label: str) -> Path:
    """A raw disk of 8 MiB with a partition from 1 MiB to its end, or nearly so."""
    path, last = shared.directory / name, (8 * MIB >> 9) - (1 if label == "dos" else 34)
    type, first = (0x83, 2048) if label == "dos" else (0xEE, 1)
    entry = struct.pack("<B3xB3xII", 0, type, first, last - first + 1)
    with path.open("wb") as file:
        file.truncate(8 * MIB)
        file.seek(446)
        file.write(entry.ljust(64, b"\0") + b"\x55\xaa")
        if label == "gpt":
            file.write(struct.pack("<8s64xQII", b"EFI PART", 2, 128, 128).ljust(512, b"\0"))
            file.write(b"\x01" * 32 + struct.pack("<QQ", 2048, last))
    return path


def file_system(shared: Node, name: str) -> Path:
    """A raw disk of 8 MiB that is one file system."""
    path = shared.directory / name
    with path.open("wb") as file:
        file.truncate(8 * MIB)
    run("mkfs.ext4", "-q", str(path))
    return path


def optical(shared: Node, name: str) -> Path:
    """A CD-ROM image with a file on it."""
    path, content = shared.directory / name, shared.file("content", os.urandom(2 * MIB))
    run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-o", str(path), str(content))
    return path


WHOLE: dict[str, Callable[[Node, str], Path]] = {
    "qcow2": lambda shared, name: written(shared, name, "qcow2"),
    "dos": lambda shared, name: partitioned(shared, name, "dos"),
    "gpt": lambda shared, name: partitioned(shared, name, "gpt"),
    "ext4": file_system,
    "iso": optical,
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("format", ["qcow2", "raw"])
def test_half_of_an_image_is_refused_and_the_whole_one_taken(
    shared: Node, kind: str, format: str
) -> None:
    name = f"half-{kind}-{format}"
    image = WHOLE[kind](shared, f"{name}.img")
    whole = image.read_bytes()
    os.truncate(image, len(whole) // 2)
    wanted = shared.volume(name, None, image=str(image), format=format)
    before = shared.host()
    for check in (True, False):
        result = shared.refused("volume", **wanted, check=check)
        assert result.code == "invalid_input"
        assert str(image) in result.message
    assert shared.host() == before
    image.write_bytes(whole)
    shared.run("volume", **wanted)
    assert not shared.run("volume", **wanted).changed
    source = "qcow2" if kind == "qcow2" else "raw"
    made = str(shared.image_of(name))
    run("qemu-img", "compare", "-f", source, "-F", format, str(image), made)


@pytest.mark.parametrize("format", ["vmdk", "vdi"])
def test_image_of_another_format_is_refused(shared: Node, format: str) -> None:
    image = written(shared, f"other.{format}", format)
    for size in (image.stat().st_size, image.stat().st_size // 2):
        os.truncate(image, size)
        wanted = shared.volume("other", None, image=str(image))
        assert "no disk image" in shared.refused("volume", **wanted).message


def test_image_that_lacks_a_part_of_its_last_cluster_is_refused(shared: Node) -> None:
    image = written(shared, "last.qcow2", "qcow2")
    os.truncate(image, image.stat().st_size - 512)
    for check in (True, False):
        result = shared.refused("volume", **shared.volume("l", None, image=str(image)), check=check)
        assert f"{image} is cut off" in result.message
    small = shared.image("small.qcow2", "qcow2", "65K")
    run("qemu-io", "-f", "qcow2", "-c", "write -P 0x61 64K 1K", str(small))
    shared.run("volume", **shared.volume("small", None, image=str(small)))


def test_medium_that_is_cut_off_is_refused(shared: Node) -> None:
    whole, name = optical(shared, "medium.iso"), shared.name()
    cut = shared.file("cut.iso", whole.read_bytes()[:MIB])
    drive = {"name": "drive", "type": "cdrom"}
    shared.run("instance", **shared.instance(name, cdrom=str(whole), devices=[drive]))
    for more in ({"cdrom": str(cut)}, {"devices": [{**drive, "medium": str(cut)}]}):
        for check in (True, False):
            result = shared.refused("instance", name=name, check=check, **more)
            assert f"{cut} is cut off" in result.message
    assert not shared.run("instance", name=name, cdrom=str(whole)).changed


def test_image_of_a_volume_that_could_not_be_made_can_be_corrected(shared: Node) -> None:
    good, other = written(shared, "good.img", "qcow2"), shared.image("other.img", "qcow2", "16M")
    wanted = shared.volume("unmade", None, image=str(other))
    job = shared.job("volume", wanted, die_at=0)
    points = shared.together([job])[0].raw["points"]
    shared.run("volume", **wanted, state="absent")
    copying = [index for index, point in enumerate(points, 1) if point == "subprocess.run"][-2]
    shared.together([{**job, "die_at": copying}])
    assert shared.row("volumes", "unmade")["status"] == "pending"
    wanted["image"] = str(good)
    shared.run("volume", **wanted)
    assert shared.size_of("unmade") == 8 * MIB
    made = str(shared.image_of("unmade"))
    run("qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", str(good), made)
    assert not shared.run("volume", **wanted).changed


@pytest.mark.parametrize("program", ["gzip", "xz", "bzip2"])
def test_image_that_is_packed_is_told_what_unpacks_it(shared: Node, program: str) -> None:
    image = written(shared, f"{program}.img", "raw")
    run(program, str(image))
    (packed,) = shared.directory.glob(f"{program}.img.*")
    result = shared.refused("volume", **shared.volume("packed", None, image=str(packed)))
    assert f"packed with {program}: unpack it first" in result.message


def test_image_that_is_encrypted_is_called_so(shared: Node) -> None:
    path = shared.directory / "encrypted.qcow2"
    key = ("--object", "secret,id=s,data=abcdefgh")
    options = "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10"
    run("qemu-img", "create", "-q", "-f", "qcow2", *key, "-o", options, str(path), "4M")
    result = shared.refused("volume", **shared.volume("sealed", None, image=str(path)))
    assert f"image {path} is encrypted" in result.message


@pytest.mark.parametrize("below", ["", "pool"])
def test_volume_is_not_called_destroyed_while_its_pool_is_not_mounted(lab: Lab, below: str) -> None:
    where, pool = lab.mount("data", 32), lab.name("pool")
    options = {"path": str(where / below)}
    lab.apply({"kind": "storage_pool", "name": pool, "options": options, "nodes": ["node1"]})
    one, two = ({"name": name, "storage_pool": pool, "size": "2MiB"} for name in ("one", "two"))
    lab.run("volume", **one)
    lab.run("volume", **two)
    gone = {"state": "absent", "size": None}
    run("umount", str(where))
    try:
        for check in (True, False):
            result = lab.refused("volume", **{**one, **gone}, check=check)
            assert "its data cannot be destroyed" in result.message
            assert "Mount what the pool is on" in result.message
        status, _out, err = lab.command(
            "call", "volume", "--options", json.dumps({"name": "one", "state": "absent",
                                                       "storage_pool": pool})
        )  # fmt: skip
        assert (status, "cannot be destroyed" in err) == (1, True)
    finally:
        run("mount", "-o", "loop", f"{where}.ext4", str(where))
    assert len(list(where.rglob("vol-*"))) == 2
    assert lab.run("volume", **{**one, **gone}).changed
    assert len(list(where.rglob("vol-*"))) == 1
    run("umount", str(where))
    assert lab.run("volume", **{**two, **gone}, force=True).changed
    assert lab.sql("SELECT id FROM volumes") == []
    run("mount", "-o", "loop", f"{where}.ext4", str(where))
    assert len(list(where.rglob("vol-*"))) == 1


def test_volume_is_not_made_below_a_file_system_that_is_not_mounted(lab: Lab) -> None:
    where, pool = lab.mount("data", 32), lab.name("pool")
    options = {"path": str(where / "pool")}
    lab.apply({"kind": "storage_pool", "name": pool, "options": options, "nodes": ["node1"]})
    old, new = ({"name": name, "storage_pool": pool, "size": "2MiB"} for name in ("old", "new"))
    lab.run("volume", **old)
    run("umount", str(where))
    try:
        for check in (True, False):
            result = lab.refused("volume", **new, check=check)
            assert f"none of its pool's volumes is in {where}/pool" in result.message
            assert "Mount the file system" in result.message
        assert lab.call("reconcile", {}).failed
        assert list(where.rglob("vol-*")) == []
    finally:
        run("mount", "-o", "loop", f"{where}.ext4", str(where))
    assert not lab.run("volume", **old).changed
    lab.run("volume", **new)
    assert len(list(where.rglob("vol-*"))) == 2
