# SPDX-License-Identifier: Apache-2.0
"""What port groups ask of ports, from a row to a domain's definition and to commands."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.hypervisor import domain_xml, port_xml
from pextra.host.hypervisor.domain import Domain, Nic
from pextra.host.network import mirrors, ports
from pextra.host.network.policy import OPEN, PortPolicy
from pextra.host.network.snapshot import Link, PortVlans, Snapshot, members_of, ranges
from pextra.host.network.vlans import of_trunk, parse_trunk
from pextra.model.errors import HostError, InputError
from pextra.model.units import parse_rate

trunks = st.sets(st.integers(1, 4094), max_size=5).map(ranges)
policies = st.builds(
    PortPolicy,
    vlan=st.integers(1, 4094), trunk=trunks, promiscuous=st.booleans(), mac_changes=st.booleans(),
    forged_transmits=st.booleans(), isolated=st.booleans(),
    rate_in=st.sampled_from([0, 64_000, 10**9]), rate_out=st.sampled_from([0, 64_000, 10**9]),
)  # fmt: skip
MACS = ("52:54:00:00:00:01", "52:54:00:00:00:02")


def domain(*policies: PortPolicy) -> Domain:
    """A domain with a network device for each policy."""
    nics = tuple(
        Nic(mac, "svswitch7", alias=f"ua-pextra-nic-{mac[-1]}", port=policy)
        for mac, policy in zip(MACS, policies, strict=False)
    )
    return Domain("u", "inst-1", "web", "qemu", 64, (1, 1, 1), nics=nics)


@given(policies, policies)
def test_definition_carries_the_settings_of_each_port(one: PortPolicy, two: PortPolicy) -> None:
    made = domain(one, two)
    assert domain_xml.parse(domain_xml.render(made)).nics == made.nics


@given(policies, policies)
def test_definition_is_amended_when_settings_change(one: PortPolicy, two: PortPolicy) -> None:
    before, after = domain(one), domain(two)
    text = domain_xml.amend(domain_xml.render(before), before, after)
    assert domain_xml.parse(text).nics == after.nics
    assert domain_xml.parse(text).id == "inst-1"


def test_open_ports_leave_no_trace_in_a_definition() -> None:
    assert "port" not in port_xml.element_text(domain(OPEN))
    element = ET.fromstring(port_xml.element_text(domain(PortPolicy(vlan=7))))  # noqa: S314
    (port,) = element
    assert port.attrib == {"mac": MACS[0], "vlan": "7"}


@given(st.lists(st.integers(1, 4094), max_size=10), st.lists(st.integers(1, 4000), max_size=3))
def test_trunk_is_what_was_written(ids: list[int], starts: list[int]) -> None:
    given_ = [*map(str, ids), *(f"{start}-{start + 90}" for start in starts)]
    trunk = parse_trunk(given_)
    spans = {id for start in starts for id in range(start, start + 91)}
    assert members_of(of_trunk(trunk)) == {*ids, *spans}
    assert parse_trunk(trunk) == trunk


@pytest.mark.parametrize("text", ["0", "4095", "20-10", "a", "1-2-3", "-5", "10,11", ""])
def test_what_is_no_vlan_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no VLAN"):
        parse_trunk([text])


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100Mbit", 10**8),
        ("1.5gbit", 1_500_000_000),
        ("64k" + "bit", 64_000),
        ("10 Gbit/s", 10**10),
    ],
)
def test_rates_have_units(text: str, rate: int) -> None:
    assert parse_rate(text) == rate
    assert parse_rate(rate) == rate


@pytest.mark.parametrize("text", ["100MB", "fast", "-1Mbit", "1kbit", "500Gbit", "64001", True])
def test_what_is_no_rate_is_refused(text: object) -> None:
    with pytest.raises(InputError, match="rate"):
        parse_rate(text)


# Ports


@given(policies.filter(lambda policy: not policy.restricted))
def test_vlans_of_a_port_are_those_of_its_policy(policy: PortPolicy) -> None:
    have = {1}
    for line in ports.vlan_commands("vnet0", policy):
        words = line.split()
        first, _dash, last = words[5].partition("-")
        span = set(range(int(first), int(last or first) + 1))
        assert span <= set(range(1, 4095))
        have = have | span if words[1] == "add" else have - span
        assert have, "the port is without any VLAN for a moment"
    assert have == (members_of(policy.trunk) or {policy.vlan})


def bridge(watcher: PortVlans, other: PortVlans) -> list[str]:
    """The filters of a port beside a promiscuous one."""
    watching = Link("vnet0", master="br", alias=f"{mirrors.ALIAS} {MACS[0]}")
    port = Link("vnet1", master="br")
    links = Snapshot({"vnet0": watching, "vnet1": port}, {"vnet0": watcher, "vnet1": other})
    return [line for line in mirrors.filters(links, port, [watching]) if "mirred" in line]


def test_frames_are_copied_within_a_vlan_only() -> None:
    assert len(bridge(PortVlans(10), PortVlans(10))) == 1
    assert bridge(PortVlans(10), PortVlans(11)) == []
    assert bridge(PortVlans(None, ((10, 20),)), PortVlans(21)) == []


def test_copies_have_the_tag_that_the_promiscuous_port_has() -> None:
    (line,) = bridge(PortVlans(10), PortVlans(None, ((10, 10), (12, 12))))
    assert "vlan_id 10" in line
    assert line.index("vlan pop") < line.index("mirred") < line.index("vlan push id 10")
    (line,) = bridge(PortVlans(None, ((10, 10),)), PortVlans(10))
    assert line.index("vlan push id 10") < line.index("mirred") < line.index("vlan pop")


def test_promiscuous_port_gets_nothing_of_its_own_and_its_neighbours_nothing_at_all() -> None:
    watching = Link("vnet0", master="br", alias=f"{mirrors.ALIAS} {MACS[0]}")
    links = Snapshot({"vnet0": watching})
    assert list(mirrors.filters(links, watching, [watching])) == []


STARTING = """<domain type='lxc'><metadata><pextra:instance
 xmlns:pextra="https://pextra.cloud/xmlns/ce/instance/1" id="inst-x">
 <pextra:port mac="52:54:00:00:00:01" vlan="10"/></pextra:instance></metadata>
<devices><interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='svswitch1'/>
{end}</interface></devices></domain>"""


def test_port_of_a_starting_container_is_found_by_the_end_that_libvirt_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def read(*argv: str) -> list[dict[str, str]]:
        asked.append(argv[-1])
        return [{"ifname": argv[-1], "link": "vnet9"}]

    monkeypatch.setattr(ports.iproute, "read", read)
    text = STARTING.format(end="<guest dev='eth0' actual='vnet10'/>")
    root = ET.fromstring(text)  # noqa: S314 - our own text
    (place,) = ports.places_of(root)
    assert (place.tap, asked) == ("vnet9", ["vnet10"])


def test_domain_whose_port_cannot_be_told_is_not_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bridge = Link("svswitch1", kind="bridge", vlan_filtering=True)
    monkeypatch.setattr(ports.snapshot, "take", lambda: Snapshot({"svswitch1": bridge}))
    monkeypatch.setattr(ports, "read", ports.Ports)
    with pytest.raises(HostError, match="52:54:00:00:00:01 has no network interface"):
        ports.secure(STARTING.format(end=""))
