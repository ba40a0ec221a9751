# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unacceptable input is named and changes nothing, with each module and in a manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Node, elements

KINDS = (
    "organization", "datacenter", "cluster", "node", "user", "storage_pool", "vswitch",
    "port_group", "instance", "volume",
)  # fmt: skip
HOSTILE = {
    "empty": "",
    "space": " ",
    "quotes": "a'b\"c",
    "sql": "x'; DROP TABLE organizations; --",
    "xml": "</name><memory>1</memory><name>",
    "entity": "&lt;a&amp;",
    "path": "../../etc/passwd",
    "slash": "a/b",
    "option": "-rf",
    "shell": "$(reboot)`reboot`;reboot|reboot",
    "jinja": "{{ lookup('pipe', 'id') }}",
    "format": "%s%n{0}",
    "newline": "a\nb",
    "null": "a\0b",
    "escape": "\x1b[2Jx",
    "look-alike": "nоde",  # noqa: RUF001 - a Cyrillic o
    "full-width": "ｎｏｄｅ",  # noqa: RUF001
    "digit": "٣٤",
    "right-to-left": "a\u202eb",
    "zero-width": "a\u200bb",
    "combining": "e\u0301",
    "long": "a" * 1000,
    "final newline": "abc\n",
    "half a pair": "a\ud800",
}


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node that no test changes."""
    made = make_module_lab(Node)
    made.prepare()
    return made


def key_of(kind: str) -> str:
    """The option that names a resource."""
    return "username" if kind == "user" else "name"


def options_of(node: Node, kind: str) -> dict[str, Any]:
    """What else a new resource needs."""
    return {
        "volume": {"storage_pool": node.pool, "size": "4MiB"},
        "instance": {"memory": "32MiB"},
        "port_group": {"vswitch": node.vswitch},
    }.get(kind, {})


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_name_is_refused_for_every_kind(shared: Node, what: str) -> None:
    rows, host, name = shared.rows_of_all(), shared.host(), HOSTILE[what]
    jobs = []
    # An organization's is brought into the form in which it shows the same and is the same.
    for kind in KINDS[1:] if what == "combining" else KINDS:
        entry = {key_of(kind): name, **options_of(shared, kind)}
        jobs.append(shared.job(kind, entry))
        jobs.append(shared.job("apply", {"resources": [{"kind": kind, **entry}]}))
        jobs.append(shared.job(kind, {**entry, "state": "absent"}))
    for job, result in zip(jobs, shared.together(jobs), strict=True):
        assert result.failed, job
        assert "Traceback" not in result.text
        assert len(result.message) < 600
        assert "\x1b" not in result.message
        assert "\0" not in result.message
    assert shared.rows_of_all() == rows
    assert shared.host() == host


REFERENCES = (
    ("datacenter", {"name": "new"}, "organization"),
    ("cluster", {"name": "new"}, "datacenter"),
    ("node", {"name": "new"}, "cluster"),
    ("user", {"username": "new"}, "organization"),
    ("storage_pool", {"name": "new"}, "cluster"),
    ("vswitch", {"name": "svswitch9"}, "node"),
    ("port_group", {"name": "new"}, "vswitch"),
    ("volume", {"name": "new", "size": "4MiB"}, "storage_pool"),
    ("instance", {"name": "new", "memory": 32}, "node"),
    ("node_license", {"evaluation": True}, "node"),
)


@pytest.mark.parametrize("missing", ["nowhere", "x' OR '1'='1", "<a/>"])
def test_missing_parent_is_named(shared: Node, missing: str) -> None:
    rows = shared.rows_of_all()
    jobs = [shared.job(kind, {**entry, parent: missing}) for kind, entry, parent in REFERENCES]
    results = shared.together(jobs)
    for (_kind, _entry, parent), result in zip(REFERENCES, results, strict=True):
        assert result.failed
        assert result.code == "not_found"
        assert f'{parent} "{missing}": does not exist' in result.message
    assert shared.rows_of_all() == rows


def test_near_miss_is_suggested(shared: Node) -> None:
    result = shared.refused("port_group", name="new", vswitch=shared.vswitch[:-1])
    assert f'Did you mean "{shared.vswitch}"?' in result.message
    result = shared.refused("cluster", name="new", datacenter="xyz")
    assert "There are: dc" in result.message


def test_unknown_option_is_refused(shared: Node) -> None:
    for kind in KINDS:
        entry = {key_of(kind): "new", **options_of(shared, kind), "colour": "red"}
        assert "colour" in shared.refused(kind, **entry).message
        assert "colour" in shared.apply_refused({"kind": kind, **entry}).message
    nested = shared.instance(shared.name("vm"))
    nested["networks"][0]["colour"] = "red"
    assert "colour" in shared.refused("instance", **nested).message
    assert "colour" in shared.apply_refused({"kind": "instance", **nested}).message


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("datacenter", {"name": "d", "location": {"latitude": 91, "longitude": 0}}, "-90 and 90"),
        ("datacenter", {"name": "d", "location": {"latitude": 0, "longitude": 181}}, "180"),
        ("datacenter", {"name": "d", "location": {"latitude": "x", "longitude": 0}}, "latitude"),
        ("datacenter", {"name": "d", "location": {"latitude": 1}}, "longitude"),
        ("datacenter", {"name": "d", "location": {"latitude": "nan", "longitude": 0}}, "latitude"),
        ("node", {"name": "node1", "ip_address": "300.1.1.1"}, "not an IP address"),
        ("node", {"name": "node1", "wol_mac": "01:00:5e:00:00:01"}, "unicast"),
        ("node", {"name": "node1", "wol_mac": "52:54:00"}, "not a MAC address"),
        ("node", {"name": "second"}, "registered as node"),
        ("user", {"username": "Ann"}, "user name"),
        ("user", {"username": "ann", "expiry": "soon"}, "not a date"),
        ("user", {"username": "ann", "linux_user": "a b"}, "Linux user"),
        ("storage_pool", {"name": "p", "type": "tape"}, "tape"),
        ("storage_pool", {"name": "p", "type": "netfs"}, "needs server"),
        ("storage_pool", {"name": "p", "options": {"path": "relative"}}, "absolute"),
        ("storage_pool", {"name": "p", "options": {"path": "/etc/p"}}, "system"),
        ("storage_pool", {"name": "p", "options": {"path": "/srv/../etc/p"}}, "absolute"),
        ("storage_pool", {"name": "p", "options": {"path": "/srv/a b"}}, "path"),
        ("storage_pool", {"name": "p", "options": {"size": 1}}, "size"),
        ("storage_pool", {"name": "p", "nodes": ["nowhere"]}, "nowhere"),
        ("vswitch", {"name": "br0"}, "vSwitch name"),
        ("vswitch", {"name": "svswitch0"}, "vSwitch name"),
        ("vswitch", {"name": "svswitch01"}, "vSwitch name"),
        ("vswitch", {"name": "svswitch12345678"}, "vSwitch name"),
        ("vswitch", {"name": "svswitch9", "mtu": 100}, "576 and 9216"),
        ("vswitch", {"name": "svswitch9", "mtu": "big"}, "mtu"),
        ("port_group", {"name": "lan", "vlan_id": 0}, "1 and 4094"),
        ("port_group", {"name": "lan", "vlan_id": 4095}, "1 and 4094"),
        ("instance", {"name": "vm_1", "memory": 32}, "acceptable name"),
        ("instance", {"name": "vm"}, "memory must be given"),
        ("instance", {"name": "vm", "memory": 8}, "16MiB"),
        ("instance", {"name": "vm", "memory": "1.5KiB"}, "MiB"),
        ("instance", {"name": "vm", "memory": "much"}, "not a size"),
        ("instance", {"name": "vm", "memory": 32, "cpu": {"cores": 0}}, "1 and 512"),
        ("instance", {"name": "vm", "memory": 32, "type": "docker"}, "docker"),
        ("instance", {"name": "vm", "memory": 32, "cdrom": "relative.iso"}, "absolute path"),
        ("instance", {"name": "vm", "memory": 32, "networks": [{"name": "net0"}]}, "port_group"),
        ("instance", {"name": "vm", "memory": 32, "networks": [{"port_group": "lan"}]}, "name"),
        ("instance", {"name": "vm", "memory": 32, "timeout": 0}, "1 and 3600"),
        ("instance", {"name": "vm", "memory": 32, "purge": ["disks"]}, "disks"),
        ("instance", {"name": "vm", "memory": 32, "state": "sleeping"}, "sleeping"),
        ("volume", {"name": "v"}, "size"),
        ("volume", {"name": "v", "size": 0}, "1MiB"),
        ("volume", {"name": "v", "size": "-1GiB"}, "not a size"),
        ("volume", {"name": "v", "size": "65TiB"}, "64TiB"),
        ("volume", {"name": "v", "size": "4MiB", "format": "vmdk"}, "vmdk"),
        ("volume", {"name": "v", "size": "4MiB", "image": "relative.img"}, "absolute path"),
        ("volume", {"name": "v", "size": "4MiB", "device_path": "/dev/vdb"}, "state attached"),
        ("volume", {"name": "v", "size": "4MiB", "state": "attached"}, "instance must be given"),
        ("organization", {}, "name"),
        ("organization", {"name": False}, "it is false, and not a text"),
        ("instance", {"name": True, "memory": 32}, "write it in quotes"),
        ("organization", {"id": "org-" + "a" * 21}, "does not exist"),
        ("organization", {"name": "o", "description": "x" * 1025}, "at most 1024"),
        ("organization", {"name": "o", "description": "a\x1b[2J"}, "control"),
    ],
)
def test_unacceptable_value_is_named(
    shared: Node, kind: str, options: dict[str, Any], said: str
) -> None:
    given = dict(options)
    if kind == "volume":
        given["storage_pool"] = shared.pool
    result = shared.refused(kind, **given)
    assert said in result.message
    assert "Traceback" not in result.text
    assert "NoneType" not in result.text
    assert said in shared.refused(kind, check=True, **given).message


def test_vlan_without_a_kernel_that_filters_is_an_error_before_any_change(shared: Node) -> None:
    result = shared.task("port_group", {"name": "lan", "vlan_id": 7}, check=True)
    if result.failed:
        assert result.code == "unsupported"
        assert "VLAN filtering" in result.message
        assert shared.refused("port_group", name="lan", vlan_id=7).code == "unsupported"


def test_null_in_a_manifest_is_left_out(shared: Node) -> None:
    entry = {"kind": "organization", "name": "org", "description": None, "id": None, "state": None}
    assert not shared.apply(entry).changed
    del entry["kind"]
    assert not shared.run("organization", **entry).changed


def test_null_in_a_manifest_clears_what_null_clears_in_a_module(node: Node) -> None:
    entry = {"kind": "port_group", "name": "lan"}
    node.apply({**entry, "rate_limit": {"inbound": "10Mbit"}})
    assert node.row("port_groups", "lan")["rate_limit"] == {"inbound": 10_000_000}
    cleared = {**entry, "rate_limit": {"inbound": None}}
    assert node.apply(cleared).changed
    assert node.row("port_groups", "lan")["rate_limit"].get("inbound") is None
    assert not node.apply(cleared).changed


@pytest.mark.parametrize("entry", [{}, {"kind": None}, {"kind": 7}, {"kind": "network_device"}])
def test_entry_without_a_kind_is_named_by_its_place(shared: Node, entry: dict[str, Any]) -> None:
    result = shared.apply_refused({"kind": "organization", "name": "org"}, entry)
    assert "resources[1]" in result.message


def test_device_written_in_one_line_is_taken_or_refused(shared: Node) -> None:
    line = {"name": shared.name("vm"), "memory": 32, "networks": "name=net0 port_group=lan"}
    assert shared.run("instance", check=True, **line).changed
    line["networks"] = "name=net0 port_group=lan colour=red"
    assert "colour" in shared.refused("instance", **line).message


def test_two_devices_of_one_name_are_refused(shared: Node) -> None:
    twice = [{"name": "net0", "port_group": "lan"}] * 2
    result = shared.refused("instance", name=shared.name("vm"), memory=32, networks=twice)
    assert "net0" in result.message
    twice = [shared.volume("data")] * 2
    result = shared.refused("instance", name=shared.name("vm"), memory=32, volumes=twice)
    assert "data" in result.message


def test_any_text_is_kept_as_it_is_in_a_description(node: Node) -> None:
    for text in (HOSTILE["sql"], HOSTILE["xml"], HOSTILE["jinja"], "ünïcödé ✓\nsecond line\t."):
        node.run("instance", name=node.name("vm"), memory=32, description=text)
        assert node.row("instances", node.name("vm"))["description"] == text
        assert not node.run("instance", name=node.name("vm"), description=text).changed
    assert node.sql("SELECT count(*) AS n FROM organizations") == [{"n": 1}]


def test_any_file_name_is_kept_as_it_is(node: Node) -> None:
    name = node.name("vm")
    for file in ('it\'s "quoted".iso', "<a&b>.iso", "ünï cödé.iso", "%s $(x) {{y}}.iso"):
        path = str(node.image(file, "raw", "1M"))
        node.run("instance", name=name, memory=32, cdrom=path)
        (drive,) = elements(node.domain(name), "devices/disk", device="cdrom")
        assert drive.find("source").get("file") == path
        assert not node.run("instance", name=name, cdrom=path).changed
        node.run("volume", **node.volume("copy", None, image=path))
        assert node.size_of("copy") == 1 << 20
        node.run("volume", **node.volume("copy", None, state="absent"))


def test_medium_that_is_no_plain_file_is_told_so(shared: Node) -> None:
    for path in ("/dev/null", "/var/tmp"):
        result = shared.refused("instance", **shared.instance(shared.name("cd"), cdrom=path))
        assert f"cdrom {path} is no regular file" in result.message


def test_image_that_is_no_plain_file_is_refused(shared: Node) -> None:
    for path in ("/dev/null", "/dev/zero", "/proc/self/mem"):
        result = shared.refused("volume", **shared.volume("new", None, image=path))
        assert path in result.message
        assert Path(path).exists()
