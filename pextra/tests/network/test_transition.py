# SPDX-License-Identifier: Apache-2.0
"""From one shape of a vSwitch to another, on a kernel in memory."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.network.snapshot import Bond, Link
from pextra.host.network.switch import Addressing, BridgeState, Held, bond_mac
from pextra.host.network.transition import Op, operations, removal
from pextra.tests.network.kernel import Kernel

NAMES = ("eth1", "eth2", "eth3")
BARE = BridgeState("svswitch7", "52:54:00:00:00:07", 1500, True, vlan_filtering=True)


@st.composite
def shapes(draw: st.DrawFn) -> BridgeState:
    """A vSwitch as it may be wanted."""
    uplinks = tuple(sorted(draw(st.sets(st.sampled_from(NAMES)))))
    mode = draw(st.sampled_from(["active-backup", "balance-xor", "802.3ad"]))
    primary = draw(st.none() | st.sampled_from(uplinks or ("",)))
    bond = Bond(
        mode, draw(st.sampled_from([50, 100])), primary if mode == "active-backup" else None
    )
    return replace(
        BARE,
        mtu=draw(st.sampled_from([1500, 9000])),
        uplinks=uplinks,
        bond=bond if len(uplinks) > 1 else None,
        vlans=draw(st.sampled_from([(), ((10, 10),), ((5, 12), (20, 20))])) if uplinks else (),
    )


def converge(kernel: Kernel, want: BridgeState) -> None:
    """Carry out what is needed, and look that the bridge never has two ways out: a loop."""
    for operation in operations(kernel.observe(want), want):
        kernel.perform(operation)
        assert len(kernel.outward(want.name)) <= 1, operation
    bonds = [link for link in kernel.links.values() if link.kind == "bond"]
    assert [link.mac for link in bonds] == [bond_mac(want.mac)] * (want.bond is not None)


@given(st.lists(shapes(), min_size=1, max_size=4))
def test_each_shape_is_reached_from_each_other(wants: list[BridgeState]) -> None:
    kernel = Kernel(*NAMES)
    for want in wants:
        converge(kernel, want)
        assert kernel.observe(want) == want
        assert operations(kernel.observe(want), want) == []


@given(shapes(), shapes(), st.data())
def test_what_was_cut_short_is_finished(
    first: BridgeState, want: BridgeState, data: st.DataObject
) -> None:
    kernel = Kernel(*NAMES)
    converge(kernel, first)
    steps = operations(kernel.observe(want), want)
    for operation in steps[: data.draw(st.integers(0, len(steps)))]:
        kernel.perform(operation)
    converge(kernel, want)
    assert kernel.observe(want) == want


@given(shapes())
def test_removal_leaves_plain_interfaces(want: BridgeState) -> None:
    kernel = Kernel(*NAMES)
    converge(kernel, want)
    seen = kernel.observe(want)
    assert seen is not None
    for operation in removal(seen, seen):
        kernel.perform(operation)
    assert_plain(kernel)


@given(shapes(), st.data())
def test_removal_finishes_what_others_began_to_undo(want: BridgeState, data: st.DataObject) -> None:
    kernel = Kernel(*NAMES)
    converge(kernel, want)
    was = kernel.observe(want)
    assert was is not None
    for name in sorted(data.draw(st.sets(st.sampled_from(want.uplinks or NAMES)))):
        kernel.perform(Op("ip", f"link set dev {name} nomaster"))
    if data.draw(st.booleans()):
        for name in {was.bond_name} & set(kernel.links):
            kernel.perform(Op("ip", f"link del dev {name}"))
        kernel.perform(Op("ip", f"link del dev {want.name}"))
    for operation in removal(kernel.observe(want), was):
        kernel.perform(operation)
    assert_plain(kernel)


def assert_plain(kernel: Kernel) -> None:
    """Nothing is there but network cards as they were."""
    assert set(kernel.links) == set(NAMES)
    assert {(link.master, link.alias) for link in kernel.links.values()} == {(None, "")}
    assert not kernel.no_ipv6 & set(NAMES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("eth1",), ("eth1", "eth2")),
        (("eth1", "eth2"), ("eth1",)),
        (("eth1", "eth2"), ("eth2",)),
        (("eth1", "eth2"), ("eth1", "eth2", "eth3")),
        (("eth1", "eth2", "eth3"), ("eth2", "eth3")),
        (("eth1",), ("eth2",)),
        (("eth1", "eth2"), ("eth3",)),
        (("eth1", "eth2"), ("eth2", "eth3")),
    ],
)
def test_at_most_one_moment_is_without_a_way_out(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    def shape(uplinks: tuple[str, ...]) -> BridgeState:
        return replace(BARE, uplinks=uplinks, bond=Bond() if len(uplinks) > 1 else None)

    kernel, want = Kernel(*NAMES), shape(after)
    converge(kernel, shape(before))
    without = 0
    for operation in operations(kernel.observe(want), want):
        kernel.perform(operation)
        if operation.tool == "carrier":
            assert kernel.outward(BARE.name), "traffic waits for an interface to come up"
        without += not kernel.outward(BARE.name)
    # The old port goes and the new one comes, within the same batch.
    assert without <= 2


def test_ports_of_instances_are_no_uplinks_and_stay() -> None:
    kernel = Kernel("eth1")
    converge(kernel, replace(BARE, uplinks=("eth1",)))
    kernel.links["vnet0"] = Link("vnet0", kind="tun", master=BARE.name, up=True)
    kernel.links["veth9"] = Link("veth9", kind="veth", master=BARE.name, up=False)
    before = copy.deepcopy(kernel.links)
    want = replace(BARE, uplinks=("eth1",))
    assert kernel.observe(want) == want
    converge(kernel, BARE)
    assert kernel.links["vnet0"] == before["vnet0"]
    assert kernel.links["veth9"] == before["veth9"]
    assert kernel.links["eth1"].master is None


def test_network_card_that_somebody_put_on_the_bridge_is_taken_off() -> None:
    kernel = Kernel("eth1")
    converge(kernel, BARE)
    kernel.links["eth1"] = replace(kernel.links["eth1"], master=BARE.name, up=True)
    converge(kernel, BARE)
    assert kernel.links["eth1"].master is None


def test_address_goes_back_to_the_uplink_that_had_left_already() -> None:
    addressing = Addressing(("10.0.0.5/24",), (("default", "10.0.0.1"),))
    was = replace(BARE, uplinks=("eth1",), addressing=addressing)
    given = [
        Op("ip", "address replace 10.0.0.5/24 dev eth1"),
        Op("ip", "route replace default via 10.0.0.1 dev eth1"),
        Op("announce", "eth1 10.0.0.5"),
    ]
    there = replace(BARE, held=(Held("eth1", addressing.addresses, addressing.routes),))
    for seen in (was, replace(was, uplinks=()), replace(was, addressing=None), there, None):
        found = removal(seen, was)
        assert [item for item in found if item in given] == given, seen
        taken = Op("ip", "address del 10.0.0.5/24 dev svswitch7")
        assert (taken in found) is (seen is not None and seen.addressing is not None)


def test_ports_of_virtual_machines_follow_the_mtu() -> None:
    kernel = Kernel("eth1")
    converge(kernel, BARE)
    kernel.links["vnet0"] = Link("vnet0", kind="tun", master=BARE.name, up=True)
    for mtu in (9000, 1500):
        want = replace(BARE, mtu=mtu)
        converge(kernel, want)
        assert kernel.links["vnet0"].mtu == mtu
        assert kernel.observe(want) == want
    kernel.links["vnet0"] = replace(kernel.links["vnet0"], mtu=1400)
    assert kernel.observe(BARE) == replace(BARE, uneven=("vnet0",))
    found = removal(kernel.observe(BARE), replace(BARE, uneven=("vnet0",)))
    assert not [item for item in found if "vnet0" in item.text]
