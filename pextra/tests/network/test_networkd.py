# SPDX-License-Identifier: Apache-2.0
"""Units of systemd-networkd."""

from __future__ import annotations

import configparser
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from pextra.host.network import networkd
from pextra.host.network.snapshot import Bond
from pextra.host.network.switch import BridgeState

BRIDGE = BridgeState("svswitch7", "52:54:00:00:00:01", 9000, True, vlan_filtering=True)
BONDED = replace(
    BRIDGE, uplinks=("eth1", "eth2"), bond=Bond(primary="eth2"), vlans=((10, 10), (20, 30))
)


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the units are."""
    monkeypatch.setattr(networkd, "DIRECTORY", str(tmp_path / "network"))
    monkeypatch.setattr(networkd, "SYSCTL_DIRECTORY", str(tmp_path / "sysctl.d"))
    monkeypatch.setattr(networkd, "reload", lambda: None)
    return tmp_path / "network"


def sections(path: Path) -> dict[str, dict[str, str]]:
    """A unit without repeated sections."""
    parser = configparser.ConfigParser(strict=True)
    parser.read(path)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_units_describe_the_bridge(units: Path) -> None:
    networkd.write(BRIDGE)
    assert {path.name for path in units.iterdir()} == {
        "00-pextra-svswitch7.netdev", "00-pextra-svswitch7.network",
    }  # fmt: skip
    assert sections(units / "00-pextra-svswitch7.netdev") == {
        "NetDev": {
            "name": "svswitch7", "kind": "bridge", "macaddress": "52:54:00:00:00:01",
            "mtubytes": "9000",
        },
        "Bridge": {"stp": "no", "vlanfiltering": "yes"},
    }  # fmt: skip
    network = sections(units / "00-pextra-svswitch7.network")
    assert network["Match"]["name"] == "svswitch7"
    assert network["Network"]["linklocaladdressing"] == "no"
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in units.iterdir())


def test_ipv6_of_the_bridge_and_its_uplinks_stays_off_over_a_reboot(units: Path) -> None:
    kept = units.parent / "sysctl.d" / "60-pextra-svswitch7.conf"
    networkd.write(BONDED)
    for name in ("svswitch7", "svbond7", "eth1", "eth2"):
        assert f"net/ipv6/conf/{name}/disable_ipv6 = 1\n" in kept.read_text()
    networkd.write(BRIDGE)
    assert "eth1" not in kept.read_text()
    kept.write_text("")
    assert not networkd.matches(BRIDGE)
    networkd.remove("svswitch7")
    assert not kept.exists()


def test_units_describe_bond_uplinks_and_vlans(units: Path) -> None:
    networkd.write(BONDED)
    assert sections(units / "00-pextra-svbond7.netdev")["Bond"] == {
        "mode": "active-backup", "miimonitorsec": "100ms",
    }  # fmt: skip
    for name, primary in (("eth1", None), ("eth2", "yes")):
        uplink = sections(units / f"00-pextra-svswitch7-{name}.network")
        assert uplink["Match"]["name"] == name
        assert uplink["Network"]["bond"] == "svbond7"
        assert uplink["Network"].get("primaryslave") == primary
        assert uplink["Link"]["mtubytes"] == "9000"
    port = (units / "00-pextra-svbond7.network").read_text()
    assert "Bridge=svswitch7\n" in port
    assert port.count("[BridgeVLAN]") == 3
    assert "VLAN=10\n" in port
    assert "VLAN=20-30\n" in port


def test_only_uplink_is_the_port_itself(units: Path) -> None:
    networkd.write(replace(BONDED, uplinks=("eth1",), bond=None))
    text = (units / "00-pextra-svswitch7-eth1.network").read_text()
    assert "Bridge=svswitch7\n" in text
    assert "VLAN=20-30\n" in text
    assert len(list(units.iterdir())) == 3


def test_units_that_are_not_needed_any_more_go(units: Path) -> None:
    networkd.write(BONDED)
    assert networkd.matches(BONDED)
    fewer = replace(BONDED, uplinks=("eth1",), bond=None)
    assert not networkd.matches(fewer)
    networkd.write(fewer)
    assert networkd.matches(fewer)
    assert not (units / "00-pextra-svbond7.netdev").exists()


def test_changed_or_missing_unit_is_noticed(units: Path) -> None:
    assert not networkd.matches(BRIDGE)
    networkd.write(BRIDGE)
    assert networkd.matches(BRIDGE)
    assert not networkd.matches(replace(BRIDGE, mtu=1500))
    unit = units / "00-pextra-svswitch7.network"
    unit.write_text(unit.read_text() + "\n# edited\n")
    assert not networkd.matches(BRIDGE)
    unit.unlink()
    assert not networkd.matches(BRIDGE)


def test_only_our_units_are_removed(units: Path) -> None:
    networkd.write(BONDED)
    networkd.write(replace(BONDED, name="svswitch70", uplinks=(), bond=None))
    (units / "20-other.network").write_text("[Match]\nName=eth9\n")
    networkd.remove("svswitch7")
    networkd.remove("svswitch7")
    assert networkd.gone("svswitch7")
    assert {path.name for path in units.iterdir()} == {
        "20-other.network", "00-pextra-svswitch70.netdev", "00-pextra-svswitch70.network",
    }  # fmt: skip
