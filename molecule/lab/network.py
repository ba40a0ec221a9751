"""A lab's networks: one network namespace, a bridge a segment, a tap a NIC.

For a node on the machine's kernel, one end of a pair of virtual Ethernet devices takes the tap's
place; container.py makes the pair when it boots.

Nothing of it is in the machine's own network namespace: no address, no route, no interface.
"""

from __future__ import annotations

from lab import paths
from lab.programs import run, run_all, succeeds
from lab.topology import CONTROLLER, Nic, Topology

MTU = 9216
"""Of bridges and taps, so that they pass whatever a node sends."""


def commands(lab: str, topology: Topology) -> list[list[str]]:
    """What makes a lab's networks."""
    namespace = paths.namespace(lab)
    ip = ["ip", "-n", namespace]
    made = [
        ["ip", "netns", "add", namespace],
        # Only what nodes send is to be on a segment.
        ["ip", "netns", "exec", namespace, "sysctl", "-qw",
         "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
        [*ip, "link", "set", "lo", "up"],
    ]  # fmt: skip
    for segment in topology.segments:
        bridge = bridge_of(topology, segment)
        # Not VLAN-aware: tagged frames pass as they are.
        made += [
            [*ip, "link", "add", bridge, "mtu", str(MTU), "type", "bridge",
             "stp_state", "0", "mcast_snooping", "0"],
            [*ip, "link", "set", bridge, "alias", segment, "up"],
        ]  # fmt: skip
    made.append([*ip, "address", "add", CONTROLLER, "dev", bridge_of(topology, "management")])
    for node in topology.nodes if topology.kernel == "user-mode" else ():
        for nic in node.nics:
            made += [
                [*ip, "tuntap", "add", nic.tap, "mode", "tap"],
                [*ip, "link", "set", nic.tap, "alias", f"{node.name} {nic.name}",
                 "mtu", str(MTU), "up"],
                plug(lab, topology, nic),
            ]  # fmt: skip
    return made


def bridge_of(topology: Topology, segment: str) -> str:
    """The name of a segment's bridge, which is its alias too."""
    return f"seg{topology.segments.index(segment)}"


def plug(lab: str, topology: Topology, nic: Nic) -> list[str]:
    """What plugs a NIC's cable into its segment."""
    bridge = bridge_of(topology, nic.segment)
    return ["ip", "-n", paths.namespace(lab), "link", "set", nic.tap, "master", bridge]


def unplug(lab: str, nic: Nic) -> list[str]:
    """What takes a NIC's cable out of its segment."""
    return ["ip", "-n", paths.namespace(lab), "link", "set", nic.tap, "nomaster"]


def make(lab: str, topology: Topology) -> None:
    """Make a lab's networks."""
    run_all(commands(lab, topology))


def exists(lab: str) -> bool:
    """Whether the lab's network namespace is there."""
    return succeeds("ip", "netns", "pids", paths.namespace(lab))


def processes(lab: str) -> list[int]:
    """Everything that runs in the lab's network namespace: its nodes, whoever started them."""
    if not exists(lab):
        return []
    return [int(pid) for pid in run("ip", "netns", "pids", paths.namespace(lab)).split()]


def remove(lab: str) -> None:
    """Remove the lab's networks, or what there is of them."""
    if exists(lab):
        run("ip", "netns", "delete", paths.namespace(lab))
