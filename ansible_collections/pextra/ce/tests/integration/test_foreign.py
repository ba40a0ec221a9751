# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else made is never changed, even when its name collides."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Node, run


def foreign_domain(node: Node, name: str) -> None:
    """A domain of somebody else."""
    text = (
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory>"
        "<os><type arch='x86_64'>hvm</type></os></domain>"
    )
    node.virsh("define", str(node.file("foreign.xml", text.encode())))


def foreign_pool(node: Node, name: str) -> Path:
    """A pool of somebody else; its directory."""
    path = node.directory / "theirs"
    path.mkdir()
    (path / "data.img").write_text("precious")
    node.virsh("pool-define-as", name, "dir", "--target", str(path))
    return path


def test_domain_of_somebody_else_is_refused_and_stays_as_it_is(node: Node) -> None:
    name = node.name("vm")
    foreign_domain(node, name)
    before = node.host()
    for state in ("present", "started"):
        result = node.refused("instance", **node.instance(name), state=state)
        assert result.code == "foreign"
        assert name in result.message
        assert "never touched" in result.message
    assert not node.run("instance", name=name, state="absent").changed
    assert node.host() == before


def test_instance_whose_domain_was_replaced_goes_without_touching_the_other(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    node.virsh("undefine", name)
    foreign_domain(node, name)
    before = node.libvirt()
    assert node.refused("instance", **node.instance(name)).code == "foreign"
    assert node.run("instance", name=name, state="absent", destroy_volumes=True).changed
    assert node.libvirt() == before
    assert node.sql("SELECT id FROM instances") == []


def test_running_domain_of_somebody_else_is_not_killed(node: Node) -> None:
    name = node.name("vm")
    foreign_domain(node, name)
    node.virsh("start", name)
    before = node.libvirt()
    for state in ("killed", "stopped", "restarted"):
        assert node.refused("instance", **node.instance(name), state=state).code == "foreign"
    assert node.libvirt() == before


def test_pool_of_somebody_else_is_refused_and_stays_as_it_is(node: Node) -> None:
    name = node.name("theirs")
    path = foreign_pool(node, name)
    before = node.host()
    options = {"path": str(node.directory / "ours")}
    result = node.refused("storage_pool", name=name, options=options, nodes=["node1"])
    assert result.code == "foreign"
    assert name in result.message
    assert not node.run("storage_pool", name=name, state="absent").changed
    assert node.host() == before
    assert not (node.directory / "ours").exists()
    assert (path / "data.img").read_text() == "precious"


def test_bridge_of_somebody_else_is_refused_and_stays_as_it_is(node: Node) -> None:
    name = node.vswitch_name()
    run("ip", "link", "add", name, "type", "bridge")
    before = run("ip", "-o", "-d", "link", "show", name)
    result = node.refused("vswitch", name=name)
    assert result.code == "foreign"
    assert name in result.message
    assert not node.run("vswitch", name=name, state="absent").changed
    assert run("ip", "-o", "-d", "link", "show", name) == before


def test_interface_that_is_no_bridge_is_refused_and_stays_as_it_is(node: Node) -> None:
    name = node.vswitch_name()
    run("ip", "tuntap", "add", name, "mode", "tap")
    before = run("ip", "-o", "-d", "link", "show", name)
    assert node.refused("vswitch", name=name, mtu=9000).code == "foreign"
    assert run("ip", "-o", "-d", "link", "show", name) == before


def test_vswitch_whose_bridge_was_replaced_goes_without_touching_the_other(node: Node) -> None:
    name = node.vswitch_name()
    node.run("vswitch", name=name)
    run("ip", "link", "del", name)
    run("ip", "link", "add", name, "type", "bridge")
    assert node.refused("vswitch", name=name).code == "foreign"
    assert node.run("vswitch", name=name, state="absent").changed
    assert name in node.bridges()
    assert node.sql("SELECT id FROM vswitches WHERE name = %s", name) == []


def test_device_of_somebody_else_at_a_place_that_is_asked_for_is_refused(node: Node) -> None:
    name, extra = node.name("vm"), node.image("extra.qcow2")
    node.run("instance", **node.instance(name))
    node.virsh("attach-disk", name, str(extra), "vdb", "--subdriver", "qcow2", "--config")
    before = node.libvirt()
    entry = node.volume("data", state="attached", instance=name, device_path="/dev/vdb")
    result = node.refused("volume", **entry)
    assert result.code == "foreign"
    assert "vdb" in result.message
    assert node.libvirt() == before


def test_files_of_somebody_else_in_a_pools_directory_stay(node: Node) -> None:
    (node.directory / "pool" / "notes.txt").write_text("precious")
    node.run("storage_pool", name=node.pool, state="absent")
    assert (node.directory / "pool" / "notes.txt").read_text() == "precious"
    assert node.pools() == []


def test_purge_removes_only_what_is_in_the_store(node: Node) -> None:
    foreign_domain(node, node.name("theirs"))
    foreign_pool(node, node.name("theirs"))
    bridge = node.vswitch_name()
    run("ip", "link", "add", bridge, "type", "bridge")
    node.run("instance", **node.instance(node.name("ours")))
    node.apply(node.pool_entry(), purge=["instance", "volume", "port_group", "vswitch"])
    assert node.domains() == [node.name("theirs")]
    assert node.pools() == sorted([node.pool, node.name("theirs")])
    assert list(node.bridges()) == [bridge]


@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_file_in_the_place_of_an_unfinished_volume_is_not_taken_for_it(
    node: Node, format: str
) -> None:
    wanted = node.volume("data", "4MiB", format=format)
    points = node.together([node.job("volume", wanted, die_at=0)])[0].raw["points"]
    node.run("volume", **wanted, state="absent")
    made = len(points) - points[::-1].index("os.replace")
    node.together([node.job("volume", wanted, die_at=made)])
    path = node.image_of("data")
    assert node.row("volumes", "data")["status"] == "pending"
    assert not path.exists()
    theirs = node.image("theirs", format, "1M")
    theirs.rename(path)
    path.chmod(0o600)
    before = node.host()
    for check in (True, False):
        for result in (
            node.refused("volume", **wanted, check=check),
            node.refused("volume", **wanted, state="absent", check=check),
        ):
            assert result.code == "foreign"
            assert str(path) in result.message
    status, out, err = node.command("reconcile")
    assert status != 0
    assert str(path) in out + err
    assert node.host() == before
    path.rename(theirs)
    node.run("volume", **wanted)
    assert node.size_of("data") == 4 << 20
    assert not node.run("volume", **wanted).changed


@pytest.mark.parametrize("way", ["path", "link"])
def test_directory_of_somebody_elses_pool_is_refused_before_any_change(
    node: Node, way: str
) -> None:
    path, name = foreign_pool(node, node.name("theirs")), node.name("ours")
    if way == "link":
        path = node.directory / "link"
        path.symlink_to(node.directory / "theirs")
    entry = {"kind": "storage_pool", "name": name, "options": {"path": str(path)}}
    others = [
        {"kind": "volume", **node.volume("data"), "storage_pool": name},
        {"kind": "organization", "name": "another"},
    ]
    before = node.host()
    for check in (True, False):
        result = node.apply_refused({**entry, "nodes": ["node1"]}, *others, check=check)
        assert result.code == "foreign"
        assert node.name("theirs") in result.message
    assert node.host() == before
    assert sorted(item.name for item in (node.directory / "theirs").iterdir()) == ["data.img"]


def test_pool_that_could_not_be_made_takes_no_volumes(node: Node) -> None:
    name, path = node.name("late"), node.directory / "late"
    pool = {"name": name, "options": {"path": str(path)}, "nodes": ["node1"]}
    job = node.job("storage_pool", pool, die_at=0)
    points = node.together([job])[0].raw["points"]
    node.run("storage_pool", name=name, state="absent")
    node.together([{**job, "die_at": points.index("committed") + 2}])
    (status,) = node.sql("SELECT status FROM storage_pool_nodes WHERE name = %s", name)
    assert status == {"status": "pending"}
    path.mkdir(exist_ok=True)
    node.virsh("pool-define-as", node.name("theirs"), "dir", "--target", str(path))
    result = node.refused("volume", **{**node.volume("data"), "storage_pool": name})
    assert result.code == "foreign"
    assert list(path.iterdir()) == []
    node.virsh("pool-undefine", node.name("theirs"))
    done = node.run("volume", **{**node.volume("data"), "storage_pool": name})
    assert "storage_pool_node define" in done.actions
    assert name in node.pools()


def test_directory_of_another_pool_is_known_by_a_bind_mount_of_it(node: Node) -> None:
    theirs, seen = foreign_pool(node, node.name("theirs")), node.directory / "seen"
    (node.directory / "pool" / "within").mkdir()
    for path, name in (
        (theirs, node.name("theirs")),
        (node.directory / "pool", node.pool),
        (node.directory / "pool" / "within", node.pool),
    ):
        node.bind(path, seen)
        entry = {"name": node.name("second"), "options": {"path": str(seen)}, "nodes": ["node1"]}
        result = node.refused("storage_pool", **entry)
        assert f'is that of pool "{name}"' in result.message
        run("umount", str(seen))
    node.run("storage_pool", **entry)


def test_two_pools_on_one_directory_are_refused(node: Node) -> None:
    link = node.directory / "link"
    link.symlink_to(node.directory / "pool")
    for path in (link, link / "within"):
        entry = {"name": node.name("second"), "options": {"path": str(path)}, "nodes": ["node1"]}
        before = node.host()
        result = node.refused("storage_pool", **entry)
        assert node.pool in result.message
        assert node.host() == before
    one, two = node.directory / "one", node.directory / "two"
    two.symlink_to(one)
    both = [
        {"kind": "storage_pool", "name": node.name(path.name), "options": {"path": str(path)},
         "nodes": ["node1"]}
        for path in (one, two)
    ]  # fmt: skip
    assert node.name("one") in node.apply_refused(*both).message
