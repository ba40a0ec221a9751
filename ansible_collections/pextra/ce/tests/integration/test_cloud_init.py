# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud-init: what is in seeds, where they come from and when they go."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Node, elements, run


def seed_of(node: Node, name: str) -> Path:
    """The image that is in the drive of the seed."""
    for drive in elements(node.domain(name), "devices/disk", device="cdrom"):
        if drive.find("target").get("dev") == "sdz":
            return Path(drive.find("source").get("file"))
    raise AssertionError("no seed")


def contents(seed: Path, directory: Path) -> dict[str, str]:
    """The files of a seed by name."""
    run("xorriso", "-osirrox", "on", "-indev", str(seed), "-extract", "/", str(directory))
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_seed_has_what_was_given_and_only_root_reads_it(node: Node, tmp_path: Path) -> None:
    name = node.name("vm")
    given = {
        "user_data": "#cloud-config\npassword: s3cr3t 'quoted' ümlaut\n",
        "meta_data": {"role": 'web "one"'},
        "network_config": {"version": 2, "ethernets": {"all": {"dhcp4": True}}},
    }
    done = node.run("instance", diff=True, **node.instance(name, cloud_init=given))
    assert "s3cr3t" not in done.text
    assert "s3cr3t" not in json.dumps(node.sql("SELECT * FROM audit_log"))
    seed = seed_of(node, name)
    assert stat.S_IMODE(seed.stat().st_mode) == 0o600
    assert "cidata" in run("blkid", "-o", "value", "-s", "LABEL", str(seed)).lower()
    files = contents(seed, tmp_path / "seed")
    assert files["user-data"] == given["user_data"]
    meta = json.loads(files["meta-data"])
    assert meta == {
        "instance-id": done["instance"]["id"], "local-hostname": name, "role": 'web "one"',
    }  # fmt: skip
    assert json.loads(files["network-config"]) == given["network_config"]


def test_seed_follows_its_contents_and_goes_with_them(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name, cloud_init={"user_data": "#!one"}, state="started"))
    first = seed_of(node, name)
    assert not node.run("instance", name=name, cloud_init={"user_data": "#!one"}).changed
    node.run("instance", name=name, cloud_init={"user_data": "#!two"})
    second = seed_of(node, name)
    assert second != first
    assert not first.exists()
    live = [item.get("file") for item in node.live(name).findall("devices/disk/source")]
    assert str(second) in live
    node.run("instance", name=name, cloud_init=None, allow_restart=True)
    assert not second.exists()
    assert not node.run("instance", name=name, cloud_init=None).changed


def test_user_data_and_network_are_taken_as_text_and_as_mapping(node: Node, tmp_path: Path) -> None:
    name, card = node.name("vm"), {"name": "net0", "port_group": "lan", "mac": "52:54:00:12:34:56"}
    config = """
        # Not in quotes, which YAML takes for a number.
        version: 2
        ethernets: {lan: {match: {macaddress: 52:54:00:12:34:56}, set-name: lan, dhcp4: true}}
    """
    given = {
        "user_data": {"packages": ["nginx"], "password": "hush hush"},
        "vendor_data": {"timezone": "UTC"},
        "network_config": config,
    }
    done = node.run("instance", diff=True, **node.instance(name, networks=[card], cloud_init=given))
    assert "hush hush" not in done.text
    files = contents(seed_of(node, name), tmp_path / "seed")
    assert files["user-data"] == "#cloud-config\npackages:\n- nginx\npassword: hush hush\n"
    assert files["vendor-data"] == "#cloud-config\ntimezone: UTC\n"
    lan = json.loads(files["network-config"])["ethernets"]["lan"]
    assert lan["match"] == {"macaddress": "52:54:00:12:34:56"}
    again = {
        "user_data": files["user-data"],
        "vendor_data": files["vendor-data"],
        "network_config": json.loads(files["network-config"]),
    }
    for same in (given, again):
        assert not node.run("instance", name=name, cloud_init=same).changed
        entry = {"kind": "instance", "name": name, "cloud_init": same}
        assert not node.apply(entry).changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"user_data": "packages: [HUSH]"}, "cloud_init.user_data: its first line is no header"),
        ({"user_data": "\n#cloud-config\nHUSH: x"}, "cloud_init.user_data: it begins with a blank"),
        (
            {"user_data": "#cloud-config\na: [HUSH"},
            "cloud_init.user_data: it is not YAML in line 2",
        ),
        ({"network_config": {"ethernets": {}}}, "cloud_init.network_config: it says no version"),
        ({"network_config": "version: ["}, "cloud_init.network_config: it is not YAML"),
    ],
)
def test_what_cloud_init_would_ignore_is_refused(
    node: Node, given: dict[str, object], message: str
) -> None:
    for check in (True, False):
        options = node.instance(node.name("vm"), cloud_init=given)
        result = node.refused("instance", check=check, **options)
        assert result.code == "invalid_input"
        assert message in result.message
        assert "HUSH" not in result.text
    assert node.domains() == []
