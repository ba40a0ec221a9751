"""What is told in the end: where the node will be."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from pextra_installer import outcome, preview
from pextra_installer.answers import files
from pextra_installer.hardware.choice import ChosenLinks
from pextra_installer.hardware.model import Disk, Firmware, Interface
from pextra_installer.network import IPv4, IPv6, Method4, Method6, Network
from pextra_installer.plan import Plan

PLAN = files.read(pathlib.Path(__file__).parent.parent / "fixtures/accepted/minimal.yaml")


def target(*addresses: str) -> preview.Target:
    link = Interface(name="enp1s0", mac="52:54:00:00:00:01", link=True, addresses=addresses)
    disk = Disk(path="/dev/sda", size=500 * 10**9)
    return preview.Target(disk, ChosenLinks((link,), ()), Firmware.UEFI, "x86_64")


def with_network(network: Network) -> Plan:
    return dataclasses.replace(PLAN, network=network)


STATIC = Network(ipv4=IPv4(method=Method4.STATIC, address="192.0.2.10/24", gateway="192.0.2.1"))
STATIC6 = Network(
    ipv4=IPv4(method=Method4.NONE), ipv6=IPv6(method=Method6.STATIC, address="2001:db8::10/64")
)


@pytest.mark.parametrize(
    ("plan", "addresses", "shown", "changing"),
    [
        (with_network(STATIC), ["10.0.2.15/24"], "192.0.2.10", False),
        (with_network(STATIC6), ["10.0.2.15/24"], "2001:db8::10", False),
        (PLAN, ["10.0.2.15/24", "2001:db8::7/64"], "10.0.2.15", True),
        (PLAN, [], PLAN.hostname, True),
        (with_network(Network(vlan=42)), ["10.0.2.15/24"], PLAN.hostname, True),
    ],
)
def test_the_address_is_the_static_one_or_the_one_by_dhcp_or_a_name(
    plan: Plan, addresses: list[str], shown: str, changing: bool
) -> None:
    told = outcome.lines(plan, target(*addresses))
    assert f"  ssh root@{shown}" in told
    # Whether anything serves it is not known before the node runs.
    assert not any("https" in line for line in told)
    assert any("by DHCP" in line for line in told) is changing
    assert told[-1].startswith("REMOVE THE INSTALLATION MEDIUM")
