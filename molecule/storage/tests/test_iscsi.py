"""Storage pools on the LUNs of an iSCSI target with CHAP."""

from __future__ import annotations

from typing import Any

import pytest
from storage.tests.machine import Machine, status

TARGET = "iqn.2026-01.com.example:lab"
PATH = f"/dev/disk/by-path/ip-{{}}:3260-iscsi-{TARGET}-lun-"
PROGRAM = "/usr/sbin/iscsiadm"
MIB = 1 << 20


def pool(server: Machine, name: str, password: str = "chap-secret-1") -> dict[str, Any]:
    """Options of a pool."""
    options = {
        "portal": server.address, "target": TARGET, "username": "node", "password": password,
    }  # fmt: skip
    return {"name": name, "type": "iscsi", "options": options, "nodes": ["node1"]}


@pytest.mark.usefixtures("left")
def test_volumes_take_luns_and_give_them_back(node: Machine, server: Machine, name: str) -> None:
    node.ok("storage_pool", **pool(server, name))
    assert not node.ok("storage_pool", **pool(server, name))["changed"]
    assert status(node, name) == ("available", None)
    small = node.ok("volume", name="small", storage_pool=name, size="10MiB")["volume"]
    assert small["lun"] == 1, "the smallest that is large enough"
    big = node.ok("volume", name="big", storage_pool=name, size="70MiB")["volume"]
    assert big["lun"] == 3
    result = node.refused("volume", name="other", storage_pool=name, size="70MiB")
    assert "no free LUN" in result.message
    result = node.refused("volume", name="other", storage_pool=name, size="1MiB", lun=3)
    assert 'LUN 3 is volume "big"' in result.message
    result = node.refused("volume", name="other", storage_pool=name, size="1MiB", lun=9)
    assert "It has: 1, 2, 3" in result.message
    assert not node.ok("volume", name="small", storage_pool=name, size="10MiB")["changed"]
    (found,) = node.ok("volume_info", name="small")["volumes"]
    node.run("mkfs.ext4", "-q", found["path"])
    node.ok("volume", name="small", storage_pool=name, state="absent")
    again = node.ok("volume", name="again", storage_pool=name, size="10MiB")["volume"]
    assert again["lun"] == 1, "what was given back is free, and is empty to look at"


@pytest.mark.usefixtures("left")
def test_a_lun_that_carries_something_is_taken_only_by_name(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **pool(server, name))
    path = f"{PATH.format(server.address)}1"
    node.run("mkfs.ext4", "-q", "-L", "precious", path)
    first = node.ok("volume", name="first", storage_pool=name, size="1MiB")["volume"]
    assert first["lun"] == 2
    node.ok("volume", name="named", storage_pool=name, size="1MiB", lun=1)
    assert node.run("blkid", "-o", "value", "-s", "LABEL", path).strip() == "precious"


@pytest.mark.usefixtures("left")
def test_a_running_instance_s_volume_comes_grows_with_its_lun_and_goes(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **pool(server, name))
    root = {"name": "root", "storage_pool": name, "size": "8MiB"}
    node.ok("instance", name=name, memory="32MiB", volumes=[root], state="started")
    data = {"name": "data", "storage_pool": name}
    result = node.ok("volume", **data, size="60MiB", instance=name, bus="scsi", state="attached")
    done = result["volume"]
    path = f"{PATH.format(server.address)}{done['lun']}"
    place = done["device_path"].removeprefix("/dev/")
    assert path in node.run("virsh", "-q", "domblklist", name)
    result = node.refused("volume", **data, size="80MiB")
    assert "Enlarge it on the target first" in result.message
    backing = f"/srv/lun/{done['lun']}"
    server.script(f"truncate -s 128M {backing} && losetup -c /dev/loop{done['lun']}")
    assert node.ok("volume", **data, size="128MiB")["changed"]
    assert f"{128 * MIB}" in node.run("virsh", "-q", "domblkinfo", name, place)
    node.ok("volume", **data, state="detached")
    assert path not in node.run("virsh", "-q", "domblklist", name)


@pytest.mark.usefixtures("left")
def test_a_target_that_goes_away_in_use_is_told_and_its_return_repairs_without_loss(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **pool(server, name))
    data = {"name": "data", "storage_pool": name, "size": "8MiB"}
    path = f"{PATH.format(server.address)}{node.ok('volume', **data)['volume']['lun']}"
    node.script(f"printf precious | dd of={path} conv=notrunc,fsync status=none")
    node.lose(server)
    try:
        node.script(
            f"dd if={path} of=/dev/null bs=4k count=1 iflag=direct status=none", check=False
        )
        state, reason = status(node, name)
        assert (state, "node1: the session with" in str(reason)) == ("error", True)
        result = node.task("storage_pool_propagation")
        assert result.failed
        assert f"portal {server.address} port 3260 cannot be reached" in result.message
    finally:
        node.find(server)
    node.until(lambda: node.ok("storage_pool_propagation")["storage_pools"][0]["error"] is None)
    assert status(node, name) == ("available", None)
    read = f"dd if={path} bs=8 count=1 iflag=fullblock status=none"
    assert node.script(read) == "precious"
    assert not node.ok("volume", **data)["changed"]


@pytest.mark.usefixtures("left")
def test_a_wrong_password_is_told_and_the_right_one_repairs(
    node: Machine, server: Machine, name: str
) -> None:
    result = node.refused("storage_pool", **pool(server, name, "wrong-secret-1"))
    assert "authorization failure" in result.message.lower()
    assert "wrong-secret-1" not in result.message
    assert node.task("storage_pool_propagation").failed
    state, reason = status(node, name)
    assert state == "error"
    assert "authorization failure" in str(reason).lower()
    assert node.ok("storage_pool", **pool(server, name))["changed"]
    assert status(node, name) == ("available", None)


@pytest.mark.usefixtures("left")
def test_the_password_is_in_no_argument_and_no_file_for_others(
    node: Machine, server: Machine, name: str
) -> None:
    node.put("/root/iscsiadm", "#!/bin/sh\necho $* >> /root/seen\nexec /root/real $*\n", "0755")
    node.script(f"cp {PROGRAM} /root/real; rm -f /root/seen; mount --bind /root/iscsiadm {PROGRAM}")
    try:
        node.ok("storage_pool", **pool(server, name))
    finally:
        node.run("umount", PROGRAM)
    seen = node.run("cat", "/root/seen")
    assert "--login" in seen
    assert "chap-secret-1" not in seen
    files = node.run(
        "grep", "-rl", "chap-secret-1", "/etc/iscsi", "/etc/libvirt", "/etc/pextra-ce",
        check=False,
    ).split()  # fmt: skip
    files = [path for path in files if path.startswith("/")]
    assert len(files) == 1
    assert node.run("stat", "-c", "%a %U", files[0]).split() == ["600", "root"]


@pytest.mark.usefixtures("left")
def test_a_target_that_does_not_exist_is_refused(node: Machine, server: Machine, name: str) -> None:
    options = pool(server, name)
    options["options"]["target"] = "iqn.2026-01.com.example:other"
    result = node.refused("storage_pool", **options)
    assert f"has no target {options['options']['target']}" in result.message
    assert TARGET in result.message


@pytest.mark.usefixtures("left")
def test_a_session_that_somebody_ended_is_made_again(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **pool(server, name))
    node.run("iscsiadm", "-m", "node", "-T", TARGET, "--logout")
    state, reason = status(node, name)
    assert (state, f"the session with {TARGET} is not there" in str(reason)) == ("error", True)
    (done,) = node.ok("storage_pool_propagation")["storage_pools"]
    assert done["branch"] == "start"
    assert status(node, name) == ("available", None)


@pytest.mark.usefixtures("left")
def test_removed_it_leaves_neither_session_nor_record(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **pool(server, name))
    node.ok("storage_pool", name=name, state="absent")
    assert "No active sessions" in node.run("iscsiadm", "-m", "session", check=False)
    assert TARGET not in node.run("find", "/etc/iscsi", "/var/lib/iscsi", check=False)
