# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest as users deploy it, asked on its console: what of its definition has reached it."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration import cloud_guest
from ansible_collections.pextra.ce.tests.integration.lab import FULL, Args, Node

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="its kernel is one of amd64"),
]
BOOT_SECONDS = 1200
"""Emulated, on a machine that does other things too."""
MIB = 1 << 20


def vm(node: Node) -> str:
    """The name of the instance."""
    return node.name("vm")


def console(node: Node) -> str:
    """What the guest has printed."""
    shown = node.run("instance_info", name=vm(node), fields=["console"])["instances"][0]
    path = Path(shown["console"]["log"])
    return path.read_text(errors="replace") if path.exists() else ""


def booted(node: Node, state: str = "started", **change: Any) -> Args:
    """What the guest says at the end of its next boot."""
    before = console(node).count(cloud_guest.END)
    node.run("instance", name=vm(node), state=state, timeout=110, **change)
    deadline = time.monotonic() + BOOT_SECONDS
    while (text := console(node)).count(cloud_guest.END) == before:
        assert time.monotonic() < deadline, text[-3000:]
        time.sleep(1)
    line = text.rpartition(cloud_guest.BEGIN)[2].partition("\n")[0]
    found: Args = json.loads(line)
    return found


def mark(name: str) -> str:
    """A command that leaves a line in a file of marks."""
    return f"echo once >> /var/lib/marks/{name}"


def allocated(node: Node, name: str) -> int:
    """The bytes that a volume takes of its pool."""
    return os.stat(node.image_of(name)).st_blocks * 512


def network(node: Node) -> Args:
    """A configuration of one device by its MAC address and of the other by its name."""
    lan, wan = node.domain(vm(node)).findall("devices/interface")
    bus = int(wan.find("address").get("bus"), 16)
    matched = {"match": {"macaddress": lan.find("mac").get("address")}, "set-name": "inside"}
    return {
        "version": 2,
        "ethernets": {
            "inside": {**matched, "addresses": ["192.0.2.5/24"]},
            f"enp{bus}s0": {"addresses": ["198.51.100.5/24"]},
        },
    }


def test_guest_without_sata_has_its_seed_its_disks_and_its_networks(node: Node) -> None:
    # Nothing that the guest has no program for.
    small = {"locale": False, "ssh_genkeytypes": [], "ssh_deletekeys": False}
    first = {
        **small,
        "bootcmd": [mark("boots")],
        "runcmd": [
            mark("user"),
            "dd if=/dev/urandom of=/dev/vdb bs=1M count=16 oflag=direct",
            "dd if=/dev/urandom of=/dev/vdc bs=1M count=16 oflag=direct",
        ],
    }
    root = node.volume("root", "3GiB", image=str(cloud_guest.image()), format="qcow2")
    data = [node.volume(name, "32MiB", format="raw") for name in ("discarded", "zeroed")]
    scsi = [node.volume(f"scsi{number}", "1MiB", bus="scsi", format="raw") for number in range(24)]
    given = node.instance(
        vm(node), firmware="uefi", memory="768MiB", cpu={"cores": 2}, volumes=[root, *data, *scsi],
        networks=[{"name": name, "port_group": "lan"} for name in ("lan", "aaa")],
        cloud_init={"user_data": first, "vendor_data": {"bootcmd": [], "write_files": [
            {"path": "/var/lib/marks/vendor", "content": "seen"}
        ]}},
    )  # fmt: skip
    made = node.run("instance", **given)["instance"]
    node.run("instance", name=vm(node), cloud_init={"network_config": network(node)})
    said = booted(node)
    assert said["hostname"] == vm(node)
    assert said["instance_id"] == made["id"]
    assert "DataSourceNoCloud" in said["datasource"]
    assert json.loads(said["status"])["v1"]["errors"] == []
    assert said["marks"] == {"boots": "once", "user": "once", "vendor": "seen"}
    assert said["links"]["inside"] == {
        "mac": made["networks"][0]["mac"], "addresses": ["192.0.2.5"]
    }  # fmt: skip
    del said["links"]["inside"]
    assert list(said["links"].values()) == [
        {"mac": made["networks"][1]["mac"], "addresses": ["198.51.100.5"]}
    ]
    assert len(said["scsi"]) == 24
    serials = [f"virtio-{item['id'][:20]}" for item in made["volumes"] if item["bus"] == "virtio"]
    assert set(serials) <= set(said["disks"])
    assert said["root"] > 2500 * MIB
    assert min(allocated(node, name) for name in ("discarded", "zeroed")) >= 16 * MIB
    if not FULL:
        return  # a boot takes minutes where it is emulated

    again = booted(node, "restarted")
    assert again["boot"] != said["boot"]
    assert again["instance_id"] == made["id"]
    assert again["marks"] == {"boots": "once\nonce", "user": "once", "vendor": "seen"}
    assert again["links"].keys() == {"inside", *said["links"]}

    second = {
        **small,
        "runcmd": [
            mark("second"),
            "blkdiscard /dev/vdb",
            "dd if=/dev/zero of=/dev/vdc bs=1M count=16 oflag=direct",
        ],
    }
    changed = {"user_data": second, "meta_data": {"instance-id": "another"}}
    node.run("instance", name=vm(node), cloud_init=changed)
    other = booted(node, "restarted")
    assert other["instance_id"] == "another"
    assert other["marks"]["second"] == "once"
    assert max(allocated(node, name) for name in ("discarded", "zeroed")) < MIB
    assert not node.run("instance", name=vm(node)).changed


def test_user_data_is_checked_by_cloud_inits_schema_where_the_node_has_it(node: Node) -> None:
    program = cloud_guest.program()
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    wrong = {"packages": 5, "users": [{"name": "a", "lock_passwd": "HUSH HUSH"}]}
    for check in (True, False):
        options = node.instance(vm(node), cloud_init={"user_data": wrong})
        before = node.rows_of_all()
        result = node.task("instance", options, check=check, environment=environment)
        assert result.code == "invalid_input"
        assert "cloud_init.user_data is against cloud-init's schema at packages, users.0" in (
            result.message
        )
        assert "HUSH" not in result.text
        assert node.rows_of_all() == before
    right = {"user_data": {"packages": ["nginx"]}, "vendor_data": "#!/bin/sh\n"}
    options = node.instance(vm(node), cloud_init=right)
    done = node.task("instance", options, environment=environment)
    assert not done.failed, done.message
