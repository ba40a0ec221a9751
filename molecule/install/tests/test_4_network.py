"""The management network of the answers, as systemd-networkd and a kernel make it."""

from __future__ import annotations

import json
import shlex
from typing import Any

from install.tests.machine import Machine

MTU, VLAN = 1400, 42
ADDRESSES = {"192.0.2.10/24", "2001:db8::10/64"}
NETWORK = {
    "bond": {"interfaces": ["vec1", "vec2"], "mode": "balance-xor"},
    "vlan": VLAN,
    "mtu": MTU,
    "ipv4": {"method": "static", "address": "192.0.2.10/24", "gateway": "192.0.2.1"},
    "ipv6": {"method": "static", "address": "2001:db8::10/64"},
}
WRITE = """\
import pathlib
from pextra_installer import networkd
from pextra_installer.answers import files
from pextra_installer.hardware import choice, probe

network = files.read(pathlib.Path("/run/answers.yaml")).network
links = choice.choose_links(probe.probe().interfaces, network).interfaces
folder = pathlib.Path("/run/systemd/network")
folder.mkdir(exist_ok=True)
for name, text in networkd.units(network, links).items():
    (folder / name).write_text(text)
"""
"""Writes the units that an installation with these answers leaves on the node."""
SECONDS = 120


def links(machine: Machine) -> dict[str, dict[str, Any]]:
    """All links of the node, by name."""
    found = json.loads(machine.ask("ip -json -details address show"))
    return {link["ifname"]: link for link in found}


def test_a_vlan_on_a_bond_has_the_addresses_and_the_mtu_of_the_answers(machine: Machine) -> None:
    machine.answer(network=NETWORK)
    machine.ask(f"/usr/lib/pextra-ce/installer/bin/python3 -P -c {shlex.quote(WRITE)}")
    machine.ask("networkctl reload")
    there = "networkctl status management | grep -q 'State: routable (configured)'"
    wait = f"until {there}; do sleep 0.2; done"
    done = machine.run(f"timeout {SECONDS} sh -c {shlex.quote(wait)}")
    assert done.rc == 0, machine.ask("networkctl --no-pager; journalctl -u systemd-networkd -n 30")

    found = links(machine)
    bond, vlan = found["bond0"], found["management"]
    assert bond["linkinfo"]["info_data"]["mode"] == "balance-xor"
    assert [found[name]["master"] for name in ("vec1", "vec2")] == ["bond0", "bond0"]
    assert (vlan["link"], vlan["linkinfo"]["info_data"]["id"]) == ("bond0", VLAN)
    assert {found[name]["mtu"] for name in ("vec1", "vec2", "bond0", "management")} == {MTU}
    addresses = {
        f"{one['local']}/{one['prefixlen']}"
        for one in vlan["addr_info"]
        if one["scope"] == "global"
    }
    assert addresses == ADDRESSES
    assert not [one for one in bond["addr_info"] if one["scope"] == "global"]
    (route,) = json.loads(machine.ask("ip -json route show default"))
    assert (route["gateway"], route["dev"]) == ("192.0.2.1", "management")
