# SPDX-License-Identifier: Apache-2.0
"""Promiscuous ports: frames of all other ports of the bridge, copied to them by tc-mirred(8).

A bridge sends a frame for a known address to one port alone. So each port copies the frames that
come in there to the promiscuous ports of their VLAN. Frames for many are left out, which reach
every port anyway, and so are those that are for the promiscuous port itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pextra.host.network import iproute, snapshot
from pextra.host.network.snapshot import Link, PortVlans, Snapshot, members_of
from pextra.host.network.vlans import UNTAGGED

ALIAS = "pextra-ce promiscuous"
"""The remark, with the device's MAC address, on taps that are to get what is for others."""
_UNICAST = "dst_mac 00:00:00:00:00:00/01:00:00:00:00:00"
_OWN, _TAGGED, _OTHER_TAGS, _UNTAGGED = 100, 101, 102, 103
"""Order of the filters of a port."""


def watches(link: Link) -> bool:
    """Whether it is the tap of a promiscuous port."""
    return link.alias.startswith(ALIAS)


def sources(links: Snapshot, bridge: str, tap: str) -> list[str]:
    """The ports of a bridge that share a VLAN with one of them."""
    own = _passing(links, tap)
    return [
        link.name
        for link in links.members(bridge)
        if link.name != tap and own & _passing(links, link.name)
    ]


def _passing(links: Snapshot, name: str) -> frozenset[int]:
    vlans = links.vlans.get(name, PortVlans(UNTAGGED))
    untagged = frozenset() if vlans.untagged is None else frozenset({vlans.untagged})
    return untagged | members_of(vlans.tagged)


def refresh(bridge: str) -> None:
    """Have all ports of a bridge copy to its promiscuous ones, and to no others.

    Raises:
        HostError: The kernel refused.
    """
    links = snapshot.take()
    ports = links.members(bridge)
    classful = {
        item["dev"] for item in iproute.read("tc", "-json", "qdisc", "show")
        if item.get("kind") == "clsact"
    }  # fmt: skip
    lines: list[str] = []
    for port in ports:
        have = iproute.text("tc", "filter", "show", "dev", port.name, "ingress")
        lines += [
            f"filter del dev {port.name} ingress pref {pref}"
            for pref in (_OWN, _TAGGED, _OTHER_TAGS, _UNTAGGED)
            if f"pref {pref} " in have
        ]
        new = list(filters(links, port, [item for item in ports if watches(item)]))
        if new and port.name not in classful:
            lines.append(f"qdisc add dev {port.name} clsact")
        lines += new
    iproute.batch("tc", lines, f"copying frames on bridge {bridge}")


def filters(links: Snapshot, port: Link, watchers: Sequence[Link]) -> Iterator[str]:
    """The filters of one port. Pure."""
    others = [item for item in watchers if item.name != port.name]
    if not others:
        return
    head = f"filter add dev {port.name} ingress"
    have = links.vlans.get(port.name, PortVlans(UNTAGGED))
    for watcher in others:
        mac = watcher.alias.removeprefix(ALIAS).strip()
        yield f"{head} pref {_OWN} protocol all flower dst_mac {mac} action pass"
    for id in sorted(members_of(have.tagged)):
        copies = _copies(links, others, id, tagged=True)
        if copies:
            match = f"protocol 802.1q flower vlan_id {id} {_UNICAST}"
            yield f"{head} pref {_TAGGED} {match} {copies}"
    yield f"{head} pref {_OTHER_TAGS} protocol 802.1q matchall action pass"
    if have.untagged is not None:
        copies = _copies(links, others, have.untagged, tagged=False)
        if copies:
            yield f"{head} pref {_UNTAGGED} protocol all flower {_UNICAST} {copies}"


def _copies(links: Snapshot, watchers: Sequence[Link], id: int, *, tagged: bool) -> str:
    """The actions that copy a frame of a VLAN, with the tag that each promiscuous port wants."""
    actions = []
    for watcher in watchers:
        vlans = links.vlans.get(watcher.name, PortVlans(UNTAGGED))
        copy = f"action mirred egress mirror dev {watcher.name}"
        if vlans.untagged == id:
            actions.append(f"action vlan pop {copy} action vlan push id {id}" if tagged else copy)
        elif id in members_of(vlans.tagged):
            actions.append(copy if tagged else f"action vlan push id {id} {copy} action vlan pop")
    return " ".join(actions)
