"""What the lab runs, and what it takes from the machine's apt."""

from __future__ import annotations

from pathlib import Path

from lab import access, apt, base, machine, network, paths
from lab.topology import BASES, parse

TWO = parse("x", {"disks": ["1GiB"], "nics": ["lan"], "nodes": {"a": {}, "b": {}}})


def test_every_command_of_the_networks_stays_in_the_labs_namespace() -> None:
    namespace = paths.namespace("x")
    for argv in network.commands("x", TWO):
        assert argv[:3] == ["ip", "-n", namespace] or argv[:2] == ["ip", "netns"]
        assert namespace in argv


def test_each_tap_is_plugged_into_its_segment() -> None:
    plugged = {argv[5]: argv[7] for argv in network.commands("x", TWO) if argv[6:7] == ["master"]}
    assert plugged == {"n1vec0": "seg0", "n1vec1": "seg1", "n2vec0": "seg0", "n2vec1": "seg1"}


def test_a_node_boots_in_the_labs_namespace_with_its_disks_and_cards() -> None:
    argv = machine.command("x", TWO.nodes[0], TWO, Path("/base.ext4"))
    folder = paths.node("x", "a")
    assert argv[:2] == ["nsenter", f"--net=/run/netns/{paths.namespace('x')}"]
    assert f"ubda={folder}/ubda.cow,/base.ext4" in argv
    assert f"ubdb={folder}/ubdb.img" in argv
    assert not [word for word in argv if word.startswith("ubdc")]
    assert [word.split(":")[0] for word in argv if word.startswith("vec")] == ["vec0", "vec1"]
    assert "umid=a" in argv


def test_a_node_on_the_machines_kernel_boots_in_the_labs_namespace_with_its_cards() -> None:
    topology = parse("x", {"kernel": "machine", "nics": ["lan"], "nodes": {"a": {}, "b": {}}})
    argv = machine.command("x", topology.nodes[1], topology, Path("/base.ext4"))
    assert argv[:2] == ["nsenter", f"--net=/run/netns/{paths.namespace('x')}"]
    assert paths.control_group("x", "b") in argv
    cards = [word.split(",") for word in argv if word.startswith("vec")]
    assert [[name, tap, bridge] for name, tap, _mac, bridge in cards] == [
        ["vec0", "n2vec0", "seg0"], ["vec1", "n2vec1", "seg1"],
    ]  # fmt: skip
    made = network.commands("x", topology)
    assert not [argv for argv in made if "tuntap" in argv]


def test_the_inventory_reaches_nodes_through_the_labs_ssh_configuration() -> None:
    hosts = access.inventory("x", TWO)["all"]["children"]["lab"]  # type: ignore[index]
    assert list(hosts["hosts"]) == ["a", "b"]
    assert f"-F {paths.lab('x')}/ssh_config" in hosts["vars"]["ansible_ssh_common_args"]
    configured = access.configuration("x", TWO)
    assert f"/run/netns/{paths.namespace('x')}" in configured
    assert "StrictHostKeyChecking yes" in configured


def test_only_sources_of_the_nodes_release_are_taken() -> None:
    text = """Types: deb
# a remark
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://other.example
Suites: nodistro
Components: main

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
"""
    kept = apt.ours(text, deb822=True)
    assert "mirror.example" in kept
    for other in ("other.example", "deb-src", "off.example", "a remark"):
        assert other not in kept
    lines = (
        "deb [arch=amd64] http://a.example/debian bookworm main\n"
        "deb http://b.example sid main\n# deb http://c.example bookworm main\n"
        "deb http://d.example/security bookworm-security main\n"
    )
    assert apt.ours(lines, deb822=False).splitlines() == [
        "deb [arch=amd64] http://a.example/debian bookworm main",
        "deb http://d.example/security bookworm-security main",
    ]
    later = apt.of_release(kept, deb822=True, release="forky")
    assert later.splitlines() == [
        "Types: deb", "URIs: http://mirror.example/debian", "Suites: forky", "Components: main",
    ]  # fmt: skip
    assert apt.of_release(lines, deb822=False, release="forky") == (
        "deb [arch=amd64] http://a.example/debian forky main\n"
    )


def test_a_base_is_named_by_its_packages_in_any_order() -> None:
    assert base.packages("b a", "node") == base.packages("a b a", "node")
    assert "openssh-server" in base.packages("", "node")
    assert "ceph-osd" in base.packages("", "storage")
    assert "ceph-osd" not in base.packages("", "node")


def test_every_base_that_a_topology_can_name_is_there() -> None:
    for name in BASES:
        assert parse("x", {"base": name, "nodes": {"a": {}}}).base == name
        assert base.packages("", name)
