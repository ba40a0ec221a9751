# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: filled, grown, attached and detached, with the instance off and running."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Node, run

MIB = 1 << 20


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node with a running instance; the tests use other names for all else."""
    made = make_module_lab(Node)
    made.prepare()
    made.run("instance", **made.instance(made.name("vm"), state="started"))
    return made


def machine(node: Node) -> str:
    """The running instance's name."""
    return node.name("vm")


def disk(node: Node, name: str, *, live: bool) -> dict[str, str] | None:
    """Target and bus of a volume's disk in the machine, or None where it has none."""
    domain = node.live(machine(node)) if live else node.domain(machine(node))
    for element in domain.findall("devices/disk"):
        source, target = element.find("source"), element.find("target")
        path = source.get("file") if source is not None else None
        if target is not None and path == str(node.image_of(name)):
            return dict(target.attrib)
    return None


# Contents


@pytest.mark.parametrize("format", ["qcow2", "raw"])
@pytest.mark.parametrize("source", ["qcow2", "raw"])
def test_image_fills_a_volume_of_any_format(shared: Node, source: str, format: str) -> None:
    image = shared.image(f"{source}-{format}.img", source)
    with image.open("r+b") as file:
        if source == "raw":
            file.seek(MIB)
            file.write(b"the guest's data")
    if source == "qcow2":
        run("qemu-io", "-f", "qcow2", "-c", f"write -P 0x61 {MIB} 512", str(image))
    name = f"from-{source}-to-{format}"
    shared.run("volume", **shared.volume(name, None, image=str(image), format=format))
    assert shared.size_of(name) == 4 * MIB
    run("qemu-img", "compare", "-f", source, "-F", format, str(image), str(shared.image_of(name)))


def test_image_is_grown_to_the_size_asked_for(shared: Node) -> None:
    image = str(shared.image("grown.img"))
    shared.run("volume", **shared.volume("grown", "6MiB", image=image))
    assert shared.size_of("grown") == 6 * MIB


def test_size_below_the_images_is_refused(shared: Node) -> None:
    image = str(shared.image("large.img", "qcow2", "8M"))
    result = shared.refused("volume", **shared.volume("smaller", "4MiB", image=image))
    assert "4MiB" in result.message
    assert "8MiB" in result.message


def test_image_that_reads_another_file_is_refused(shared: Node) -> None:
    base = shared.image("base.img")
    over = shared.image("over.img", "qcow2", "", "-b", str(base), "-F", "qcow2")
    result = shared.refused("volume", **shared.volume("over", None, image=str(over)))
    assert "refers to another file" in result.message
    data = shared.directory / "outside.raw"
    split = shared.image("split.img", "qcow2", "4M", "-o", f"data_file={data}")
    result = shared.refused("volume", **shared.volume("split", None, image=str(split)))
    assert "refers to another file" in result.message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text", b"#!/bin/sh\necho this is no disk\n"),
        ("empty", b""),
        ("short", b"QFI\xfb"),
        ("header", b"QFI\xfb" + b"\xff" * 60),
        ("archive", b"\x1f\x8b\x08" + bytes(100_000)),
    ],
)
def test_file_that_is_no_disk_image_is_refused(shared: Node, name: str, content: bytes) -> None:
    path = shared.file(f"{name}.img", content)
    result = shared.refused("volume", **shared.volume(name, None, image=str(path)))
    assert result.code == "invalid_input"
    assert str(path) in result.message


def test_image_that_does_not_exist_is_refused(shared: Node) -> None:
    result = shared.refused("volume", **shared.volume("none", None, image="/nonexistent.img"))
    assert "does not exist" in result.message
    result = shared.refused("volume", **shared.volume("none", None, image=str(shared.directory)))
    assert result.code == "invalid_input"


def test_broken_image_is_refused_and_nothing_is_left(shared: Node) -> None:
    image = shared.image("broken.img")
    with image.open("r+b") as file:
        file.seek(40)  # the offset of the level 1 table
        file.write(b"\xff" * 8)
    before = shared.host()
    result = shared.refused("volume", **shared.volume("broken", None, image=str(image)))
    assert "qemu-img" in result.message
    assert shared.host() == before
    assert shared.sql("SELECT id FROM volumes WHERE name = 'broken'") == []


def test_other_image_for_a_volume_that_exists_is_refused(shared: Node) -> None:
    one, two = str(shared.image("one.img")), str(shared.image("two.img"))
    shared.run("volume", **shared.volume("filled", None, image=one))
    assert not shared.run("volume", **shared.volume("filled", None, image=one)).changed
    assert shared.refused("volume", **shared.volume("filled", None, image=two)).code == "conflict"


# Size


def test_volume_grows_and_never_shrinks(shared: Node) -> None:
    shared.run("volume", **shared.volume("data", "4MiB"))
    assert shared.run("volume", **shared.volume("data", "6MiB")).changed
    assert shared.size_of("data") == 6 * MIB
    result = shared.refused("volume", **shared.volume("data", "5MiB"))
    assert "cannot shrink from 6MiB to 5MiB" in result.message
    assert shared.size_of("data") == 6 * MIB


def test_volume_grows_by_a_delta_each_time(shared: Node) -> None:
    shared.run("volume", **shared.volume("delta", "4MiB"))
    for size in (6, 8):
        assert shared.run("volume", **shared.volume("delta", None), grow_by="2MiB").changed
        assert shared.size_of("delta") == size * MIB
        assert shared.row("volumes", "delta")["size"] == size * MIB
    refused = shared.refused("volume", **shared.volume("delta", "9MiB"), grow_by="1MiB")
    assert "not both" in refused.message


@pytest.mark.parametrize("format", ["qcow2", "raw"])
def test_volume_of_a_running_instance_grows_while_it_runs(shared: Node, format: str) -> None:
    name = f"online-{format}"
    attached = shared.volume(name, format=format, state="attached", instance=machine(shared))
    shared.run("volume", **attached)
    shared.run("volume", **shared.volume(name, "8MiB"))
    assert shared.size_of(name) == 8 * MIB
    target = disk(shared, name, live=True)
    assert target is not None
    shown = shared.virsh("domblkinfo", machine(shared), target["dev"])
    assert str(8 * MIB) in shown.split()
    assert not shared.run("volume", **shared.volume(name, "8MiB")).changed


# Attachment


def test_volume_comes_and_goes_while_the_instance_runs(shared: Node) -> None:
    there = {"state": "attached", "instance": machine(shared), "bus": "scsi"}
    done = shared.run("volume", **shared.volume("hot", **there))
    assert "instance plug" in done.actions
    place = done["volume"]["device_path"].removeprefix("/dev/")
    for live in (True, False):
        assert disk(shared, "hot", live=live) == {"dev": place, "bus": "scsi"}
    assert not shared.run("volume", **shared.volume("hot", **there)).changed
    done = shared.run("volume", **shared.volume("hot", None, state="detached"))
    assert "instance unplug" in done.actions
    for live in (True, False):
        assert disk(shared, "hot", live=live) is None
    assert shared.image_of("hot").exists()
    assert not shared.run("volume", **shared.volume("hot", None, state="detached")).changed


def test_volume_comes_and_goes_while_the_instance_is_off(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    place = {"device_name": "data-disk", "device_path": "/dev/sdb", "bus": "sata"}
    done = node.run("volume", **node.volume("cold", state="attached", instance=name, **place))
    assert {key: done["volume"][key] for key in place} == place
    target = disk(node, "cold", live=False)
    assert target == {"dev": "sdb", "bus": "sata"}
    node.run("volume", **node.volume("cold", None, state="detached"))
    assert disk(node, "cold", live=False) is None
    shown = node.row("volumes", "cold")
    assert {shown[key] for key in ("instance_id", *place)} == {None}


def test_used_device_path_and_name_are_refused(shared: Node) -> None:
    there = {"state": "attached", "instance": machine(shared)}
    shared.run("volume", **shared.volume("first", device_path="/dev/vdk", **there))
    result = shared.refused("volume", **shared.volume("second", device_path="/dev/vdk", **there))
    assert '/dev/vdk is used by volume "first"' in result.message
    named = {"device_name": "disk-vdk", "device_path": "/dev/vdl"}
    result = shared.refused("volume", **shared.volume("second", **named, **there))
    assert "disk-vdk is used" in result.message


@pytest.mark.parametrize(
    "options",
    [
        {"device_name": "ab"},
        {"device_name": "a" * 33},
        {"device_name": "with space"},
        {"device_path": "/dev/vda1"},
        {"device_path": "/dev/../etc/passwd"},
        {"device_path": "/dev/sdb", "bus": "virtio"},
        {"device_path": "/dev/vdb", "bus": "sata"},
        {"bus": "ide"},
    ],
)
def test_unacceptable_place_is_refused(shared: Node, options: dict[str, str]) -> None:
    there = {"state": "attached", "instance": machine(shared), **options}
    result = shared.refused("volume", **shared.volume("misplaced", **there))
    assert any(value in result.message for value in options.values())


def test_attached_volume_is_not_destroyed(shared: Node) -> None:
    shared.run("volume", **shared.volume("busy", state="attached", instance=machine(shared)))
    result = shared.refused("volume", **shared.volume("busy", None), state="absent")
    assert machine(shared) in result.message
    assert "Detach it first" in result.message
    assert shared.image_of("busy").exists()


def test_root_volume_is_not_detached(shared: Node) -> None:
    root = shared.volume(f"{machine(shared)}-root", None)
    assert "root volume" in shared.refused("volume", **root, state="detached").message
    assert disk(shared, root["name"], live=True) is not None


def test_volume_of_another_instance_is_not_taken_away(shared: Node) -> None:
    shared.run("volume", **shared.volume("mine", state="attached", instance=machine(shared)))
    shared.run("instance", name=shared.name("other"), memory="32MiB")
    there = {"state": "attached", "instance": shared.name("other")}
    result = shared.refused("volume", **shared.volume("mine", **there))
    assert f'attached to instance "{machine(shared)}"' in result.message


def test_plain_run_says_nothing_of_the_attachment_and_changes_nothing_of_it(shared: Node) -> None:
    attached = shared.volume("kept", state="attached", instance=machine(shared))
    shared.run("volume", **attached)
    assert not shared.run("volume", **shared.volume("kept")).changed
    assert disk(shared, "kept", live=True) is not None


def test_volume_needs_its_pool_on_this_node(shared: Node) -> None:
    away = {"path": str(shared.directory / "away")}
    shared.run("storage_pool", name=shared.name("away"), options=away)
    result = shared.refused("volume", name="lost", size="4MiB", storage_pool=shared.name("away"))
    assert "not enabled on this node" in result.message


def test_pool_with_volumes_is_not_destroyed(shared: Node) -> None:
    result = shared.refused("storage_pool", name=shared.pool, state="absent")
    assert result.code == "conflict"
    assert "volume" in result.message
    nodes = shared.refused("storage_pool", name=shared.pool, nodes=[], purge_nodes=True)
    assert "volume" in nodes.message


def test_pool_that_another_is_inside_of_is_refused(shared: Node) -> None:
    for path in (shared.directory / "pool", shared.directory / "pool" / "in", shared.directory):
        options = {"path": str(path)}
        result = shared.refused("storage_pool", name=shared.name("x"), options=options)
        assert f'conflicts with pool "{shared.prefix}-' in result.message


def test_full_disk_is_a_clear_error_and_leaves_nothing_half_done(node: Node) -> None:
    small = node.mount("small", 8)
    pool = {"name": node.name("small"), "options": {"path": str(small)}, "nodes": ["node1"]}
    node.run("storage_pool", **pool)
    image = node.image("system.raw", "raw", "16M")
    with image.open("r+b") as file:
        file.seek(512)
        file.write(bytes(range(256)) * (16 * MIB // 256 - 2))
    big = {"name": "big", "storage_pool": pool["name"], "format": "raw", "image": str(image)}
    result = node.task("volume", big)
    assert result.failed
    assert result.code == "host"
    assert "No space left" in result.message
    assert not list(small.glob("vol-*"))
    node.run("volume", name="big", storage_pool=pool["name"], state="absent")
    small_one = {"name": "fits", "storage_pool": pool["name"], "size": "1MiB"}
    assert node.run("volume", **small_one).changed
    assert json.loads(run("qemu-img", "info", "--output=json", str(next(small.glob("vol-*")))))
