"""lab.yml is read as its description says, and what it cannot mean is refused."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from lab.errors import LabError
from lab.topology import MANAGEMENT, NETWORK, disk_sizes, parse, size


def test_a_node_takes_defaults_and_says_otherwise() -> None:
    made = parse(
        "x",
        {
            "memory": "2GiB", "disks": ["4GiB"], "nics": ["lan"],
            "nodes": {"a": None, "b": {"memory": "512MiB", "disks": [], "nics": ["lan", "san"]}},
        },
    )  # fmt: skip
    a, b = made.nodes
    assert (a.memory, a.disks) == (2 << 30, (4 << 30,))
    assert (b.memory, b.disks) == (512 << 20, ())
    assert [(nic.name, nic.segment) for nic in a.nics] == [("vec0", MANAGEMENT), ("vec1", "lan")]
    assert [nic.segment for nic in b.nics] == [MANAGEMENT, "lan", "san"]
    assert made.segments == (MANAGEMENT, "lan", "san")


def test_addresses_taps_and_macs_are_unique_and_always_the_same() -> None:
    document: dict[str, Any] = {
        "nics": ["lan", "lan"],
        "nodes": {f"n{number}": {} for number in range(16)},
    }
    made, again = parse("x", document), parse("x", document)
    nics = [nic for node in made.nodes for nic in node.nics]
    assert made == again
    assert len({nic.mac for nic in nics}) == len(nics)
    assert len({nic.tap for nic in nics}) == len(nics)
    assert all(len(nic.tap) < 16 for nic in nics)
    assert all(int(nic.mac[:2], 16) & 3 == 2 for nic in nics), "unicast, locally administered"
    addresses = [ipaddress.ip_address(node.address) for node in made.nodes]
    assert len(set(addresses)) == 16
    assert all(address in NETWORK for address in addresses)


def test_cards_of_another_lab_have_other_addresses() -> None:
    document: dict[str, Any] = {"nodes": {"a": {}}}
    assert parse("x", document).nodes[0].nics[0].mac != parse("y", document).nodes[0].nics[0].mac


@pytest.mark.parametrize(
    ("text", "bytes_"), [("512MiB", 512 << 20), ("2G", 2 << 30), ("2 GiB", 2 << 30)]
)
def test_sizes(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "0G", "-1G", "2", "2KB", "1.5G", None])
def test_what_is_no_size_is_refused(text: Any) -> None:
    with pytest.raises(LabError, match="is no size"):
        size(text)


def test_disks_of_the_command_line() -> None:
    assert disk_sizes("2x4G,1G") == ["4G", "4G", "1G"]
    assert disk_sizes("") == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "names no nodes"),
        ([], "not a mapping"),
        ({"nodes": {}}, "names no nodes"),
        ({"nodes": {"a": {}}, "extra": 1}, "unknown keys: extra"),
        ({"nodes": {"a": {"ram": "1G"}}}, "node a has unknown keys: ram"),
        ({"nodes": {"a b": {}}}, "is no name of a node"),
        ({"nodes": {"a": {"nics": "lan"}}}, "not a list"),
        ({"nodes": {"a": {"nics": ["../x"]}}}, "is no name of a segment"),
        ({"nodes": {"a": {"disks": ["1G"] * 8}}}, "There can be 7"),
        ({"nodes": {f"n{number}": {} for number in range(17)}}, "There can be 16"),
    ],
)
def test_what_a_lab_cannot_be_is_refused(document: Any, message: str) -> None:
    with pytest.raises(LabError, match=message):
        parse("x", document)


def test_a_name_that_is_no_folder_is_refused() -> None:
    with pytest.raises(LabError, match="is no name of a lab"):
        parse("../etc", {"nodes": {"a": {}}})
