# SPDX-License-Identifier: Apache-2.0
"""Network cards, and what else configures them."""

from __future__ import annotations

from pathlib import Path

from pextra.host.network import ifupdown, nics

BOND = {"linkinfo": {"info_kind": "bond", "info_data": {}, "info_slave_kind": "bridge"}}
LINKS = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
    {
        "ifname": "eth0", "address": "02:00:00:00:00:00", "mtu": 1500, "max_mtu": 9000,
        "flags": ["UP", "LOWER_UP"],
        "addr_info": [
            {"local": "192.0.2.1", "prefixlen": 24, "scope": "global"},
            {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
        ],
    },
    {
        "ifname": "eth1", "address": "52:54:01:00:00:01", "mtu": 1500, "master": "svbond7",
        "flags": ["UP"],
        "linkinfo": {
            "info_slave_kind": "bond", "info_slave_data": {"perm_hwaddr": "02:00:00:00:00:01"},
        },
    },
    {"ifname": "svbond7", "address": "52:54:01:00:00:01", "master": "svswitch7", **BOND},
    {"ifname": "svswitch7", "linkinfo": {"info_kind": "bridge"}},
    {"ifname": "eth2", "address": "02:00:00:00:00:02", "master": "br0",
     "linkinfo": {"info_slave_kind": "bridge"}},
    {"ifname": "vnet0", "master": "svswitch7", "linkinfo": {"info_kind": "tun"}},
    {"ifname": "eth3", "address": "02:00:00:00:00:03"},
]  # fmt: skip
ROUTES = [
    {"dst": "default", "gateway": "192.0.2.254", "dev": "eth0", "protocol": "static"},
    {"dst": "192.0.2.0/24", "dev": "eth0", "protocol": "kernel"},
]


def cards() -> dict[str, nics.NetworkCard]:
    """The cards by name."""
    return {card.name: card for card in nics.parse(LINKS, ROUTES, {}, "192.0.2.1")}


def test_what_can_be_no_uplink_is_left_out() -> None:
    assert list(cards()) == ["eth0", "eth1", "eth2", "eth3", "svbond7"]


def test_use_of_each_card_is_told() -> None:
    used = {name: card.used_for for name, card in cards().items()}
    assert used["eth0"] == ("management", "default_route", "addresses")
    assert used["eth1"] == ("uplink",)
    assert used["eth2"] == ("bridge_port",)
    assert used["eth3"] == ()


def test_addresses_routes_and_the_switch_behind_a_bond_are_told() -> None:
    found = cards()
    assert found["eth0"].addresses == ("192.0.2.1/24",)
    assert found["eth0"].routes == (("default", "192.0.2.254"),)
    assert (found["eth1"].vswitch, found["eth1"].permanent_mac) == (
        "svswitch7", "02:00:00:00:00:01",
    )  # fmt: skip


def test_hardware_is_read_from_sys(tmp_path: Path) -> None:
    device = tmp_path / "devices/pci0000:00/0000:00:03.0/0000:03:00.1"
    driver = tmp_path / "drivers/ixgbe"
    card = tmp_path / "net/eth0"
    for path in (device, driver, card):
        path.mkdir(parents=True)
    (device / "driver").symlink_to(driver)
    (card / "device").symlink_to(device)
    (card / "speed").write_text("10000\n")
    (card / "duplex").write_text("full\n")
    assert nics.hardware(str(card)) == nics.Hardware(10000, "full", "ixgbe", "0000:03:00.1")
    (card / "speed").write_text("-1\n")
    assert nics.hardware(str(card)).speed is None
    assert nics.hardware(str(tmp_path / "none")) == nics.Hardware()


INTERFACES = """\
auto lo eth1
auto eth0
iface lo inet loopback

iface eth0 inet static
    address 192.0.2.1/24

    gateway 192.0.2.254
iface eth1 inet manual
"""


def test_ifupdown_lets_go_of_an_interface_and_gets_it_back() -> None:
    assert ifupdown.configures(INTERFACES, "eth0")
    assert not ifupdown.configures(INTERFACES, "eth1")
    text = ifupdown.without(INTERFACES, "eth0")
    assert not ifupdown.configures(text, "eth0")
    assert "#pextra-ce#     gateway" in text
    assert "\nauto eth0" not in text
    assert "\niface eth1 inet manual" in text
    assert ifupdown.again(text) == INTERFACES
