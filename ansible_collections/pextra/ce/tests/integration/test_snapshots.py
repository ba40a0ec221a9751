# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of volumes in qcow2 images: content, refusals, interruptions."""

from __future__ import annotations

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, agrees, quietly, run

MIB = 1 << 20


def write(node: Node, name: str, pattern: int, offset: int = 0) -> None:
    """Fill a mebibyte of a volume's content."""
    image = str(node.image_of(name))
    run("qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} {offset} 1M", image)


def has(node: Node, name: str, pattern: int, offset: int = 0) -> bool:
    """Whether a mebibyte of a volume's content is that."""
    image = str(node.image_of(name))
    command = f"read -P {pattern} {offset} 1M"
    return "read 1048576/1048576" in run("qemu-io", "-f", "qcow2", "-c", "read 0 1M", image) and (
        "verification failed" not in quietly("qemu-io", "-f", "qcow2", "-c", command, image)
    )


def snapshot(node: Node, name: str = "first", volume: str = "data", **more: str) -> Args:
    """Options of a snapshot."""
    return {"name": name, "volume": volume, "storage_pool": node.pool, **more}


@pytest.fixture
def data(node: Node) -> Node:
    """A node with a volume that has content."""
    node.run("volume", **node.volume("data"))
    write(node, "data", 0xA1)
    return node


def test_content_comes_back_and_the_snapshot_stays(data: Node) -> None:
    data.run("volume_snapshot", **snapshot(data))
    write(data, "data", 0xB2)
    assert not has(data, "data", 0xA1)
    for _again in range(2):
        result = data.run("volume_snapshot", **snapshot(data, state="reverted"))
        assert result.actions == ["volume_snapshot revert"]
        assert has(data, "data", 0xA1)
        write(data, "data", 0xC3)


def test_life_of_a_snapshot_is_as_check_mode_says(data: Node) -> None:
    for options in (
        snapshot(data),
        snapshot(data, description="before the upgrade"),
        snapshot(data, state="reverted"),
        snapshot(data, state="absent"),
    ):
        before = data.host(), data.rows_of_all()
        said = data.run("volume_snapshot", check=True, **options)
        assert (data.host(), data.rows_of_all()) == before
        done = data.run("volume_snapshot", **options)
        assert agrees(said["plan"], done["plan"])
        assert done.changed
        if options.get("state") != "reverted":
            assert not data.run("volume_snapshot", **options).changed
    assert "snapshots" not in run("qemu-img", "info", str(data.image_of("data"))).lower()


def test_snapshots_are_listed(data: Node) -> None:
    data.run("volume_snapshot", **snapshot(data, "b"))
    data.run("volume_snapshot", **snapshot(data, "a"))
    found = data.run("volume_snapshot_info", volume="data")["volume_snapshots"]
    assert [item["name"] for item in found] == ["a", "b"]
    assert {item["exists"] for item in found} == {True}
    assert {item["size"] for item in found} == {4 * MIB}


def test_a_volume_that_has_grown_keeps_its_size(data: Node) -> None:
    data.run("volume_snapshot", **snapshot(data))
    data.run("volume", **data.volume("data", "8MiB"))
    write(data, "data", 0xB2)
    data.run("volume_snapshot", **snapshot(data, state="reverted"))
    assert data.size_of("data") == 8 * MIB
    assert has(data, "data", 0xA1)
    assert not data.run("volume", **data.volume("data", "8MiB")).changed


def test_raw_image_files_are_refused_with_what_to_do(node: Node) -> None:
    node.run("volume", **node.volume("data", format="raw"))
    result = node.refused("volume_snapshot", **snapshot(node))
    assert result.code == "conflict"
    assert "use format qcow2" in result.message


def test_a_volume_with_snapshots_is_not_destroyed(data: Node) -> None:
    data.run("volume_snapshot", **snapshot(data))
    result = data.refused("volume", **data.volume("data", None), state="absent")
    assert "volume_snapshot: first" in result.message
    data.run("instance", name=data.name("vm"), memory="32MiB", volumes=[data.volume("data", None)])
    gone = {"name": data.name("vm"), "state": "absent", "destroy_volumes": True}
    assert "has 1 snapshots: first" in data.refused("instance", **gone).message
    assert has(data, "data", 0xA1)


def test_an_image_that_a_running_instance_has_open_is_left_alone(data: Node) -> None:
    data.run("volume_snapshot", **snapshot(data))
    machine = {"name": data.name("vm"), "memory": "32MiB", "volumes": [data.volume("data", None)]}
    data.run("instance", **machine, state="started")
    for options in (
        snapshot(data, "second"),
        snapshot(data, state="reverted"),
        snapshot(data, state="absent"),
    ):
        result = data.refused("volume_snapshot", **options)
        assert "top" in result.message, "stop it"
    data.run("instance", name=data.name("vm"), state="killed")
    assert data.run("volume_snapshot", **snapshot(data, "second")).changed


def test_what_does_not_exist_is_not_gone_back_to(data: Node) -> None:
    result = data.refused("volume_snapshot", **snapshot(data, state="reverted"))
    assert result.code == "not_found"
    assert not data.run("volume_snapshot", **snapshot(data, state="absent")).changed
    result = data.refused("volume_snapshot", **snapshot(data, volume="nothing"))
    assert result.code == "not_found"


def test_a_snapshot_that_somebody_removed_is_an_error_and_can_be_forgotten(data: Node) -> None:
    data.run("volume_snapshot", **snapshot(data))
    (row,) = data.sql("SELECT id FROM volume_snapshots")
    run("qemu-img", "snapshot", "-d", row["id"], str(data.image_of("data")))
    assert "data is missing" in data.refused("volume_snapshot", **snapshot(data)).message
    assert data.run("volume_snapshot", **snapshot(data, state="absent")).changed
    assert data.run("volume_snapshot", **snapshot(data)).changed


def test_killed_anywhere_the_next_run_finishes(data: Node) -> None:
    points = data.task("volume_snapshot", snapshot(data, "count"), die_at=0).raw["points"]
    for number in range(1, len(points) + 1):
        options = snapshot(data, f"kill {number}")
        data.task("volume_snapshot", options, die_at=number)
        data.run("volume_snapshot", **options)
        assert not data.run("volume_snapshot", **options).changed, points[number - 1]
    names = [f"kill {number}" for number in range(1, len(points) + 1)]
    found = data.run("volume_snapshot_info", volume="data")["volume_snapshots"]
    assert sorted(item["name"] for item in found) == sorted([*names, "count"])
    assert all(item["exists"] for item in found)
