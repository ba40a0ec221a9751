# SPDX-License-Identifier: Apache-2.0
"""The bridge ports of running instances: what the kernel has, and making it as it should be.

Sources: bridge(8), tc(8), tc-flower(8), tc-police(8), tc-mirred(8).
"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pextra.host.network import iproute, mirrors, snapshot
from pextra.host.network.policy import OPEN, PortPolicy, of_domain
from pextra.host.network.snapshot import Snapshot, span_text
from pextra.host.network.vlans import UNTAGGED
from pextra.model.errors import HostError, UnsupportedError

_POLICE = re.compile(r"\bpolice\b.*?\brate (\d+)([KMGT]?)bit", re.DOTALL)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_POLICE_PREF = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A network device of a running domain: its tap, its MAC address, the bridge it belongs to."""

    tap: str
    mac: str
    bridge: str


@dataclass(frozen=True, slots=True)
class Ports:
    """What was read of all ports at one moment.

    Attributes:
        known: MAC addresses that a port knows without having learned them.
        rates: Bits per second to instances, by tap.
        polices: Bits per second from instances, by tap.
        mirrored: Taps that get a port's frames, by the port.
    """

    links: Snapshot = field(default_factory=Snapshot)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rates: Mapping[str, int] = field(default_factory=dict)
    polices: Mapping[str, int] = field(default_factory=dict)
    mirrored: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, place: Place) -> PortPolicy | None:
        """The policy that a port has; None where it is not on its bridge."""
        link = self.links.links.get(place.tap)
        if link is None or link.port is None or link.master != place.bridge:
            return None
        vlans = self.links.vlans.get(place.tap)
        known = place.mac in self.known.get(place.tap, ()) and not link.port.learning
        mirrored = all(
            place.tap in self.mirrored.get(name, ())
            for name in mirrors.sources(self.links, place.bridge, place.tap)
        )
        tagged = vlans.tagged if vlans is not None else ()
        untagged = vlans.untagged if vlans is not None else UNTAGGED
        if untagged is None and not tagged:
            return None
        return PortPolicy(
            vlan=UNTAGGED if tagged or untagged is None else untagged,
            trunk=tagged,
            promiscuous=link.alias == _remark(place) and mirrored,
            mac_changes=not (known and not link.port.flood),
            forged_transmits=not (known and link.port.locked),
            isolated=link.port.isolated,
            rate_in=self.rates.get(place.tap, 0),
            rate_out=self.polices.get(place.tap, 0),
        )


def read(links: Snapshot) -> Ports:
    """Read what a look at the interfaces does not show: two calls, and one a port with filters.

    Raises:
        HostError: iproute2 failed.
    """
    known: dict[str, set[str]] = {}
    for entry in iproute.read("bridge", "-json", "fdb", "show"):
        sticky = "sticky" in entry.get("flags", ())
        if entry.get("state") == "static" and sticky and entry.get("ifname"):
            known.setdefault(entry["ifname"], set()).add(entry["mac"])
    rates, filtered = {}, list[str]()
    for item in iproute.read("tc", "-json", "qdisc", "show"):
        if item.get("kind") == "tbf":
            rates[item["dev"]] = int(item["options"]["rate"]) * 8
        elif item.get("kind") == "clsact":
            filtered.append(item["dev"])
    polices, mirrored = {}, {}
    for name in filtered:
        text = iproute.text("tc", "filter", "show", "dev", name, "ingress")
        match = _POLICE.search(text)
        if match:
            polices[name] = int(match[1]) * _UNITS[match[2]]
        mirrored[name] = frozenset(re.findall(r"Egress Mirror to device (\S+?)\)", text))
    return Ports(links, {k: frozenset(v) for k, v in known.items()}, rates, polices, mirrored)


def secure(definition: str) -> None:
    """Give the ports of a domain that runs, or is about to, what its definition asks for.

    Args:
        definition: The domain as it runs, with the names of its taps, as libvirt prints it.

    Raises:
        HostError: The kernel refused; the port may be less closed than asked.
    """
    root = ET.fromstring(definition)  # noqa: S314 - libvirt's own output
    policies = of_domain(root)
    if not policies:
        return
    places = [place for place in places_of(root) if place.mac in policies]
    apply([(place, policies[place.mac]) for place in places])


def places_of(root: ET.Element) -> list[Place]:
    """The network devices on a bridge of a domain that runs, or is about to.

    The tap is empty where there is none yet.

    Raises:
        HostError: The kernel does not have the device that libvirt names.
    """
    found = []
    for item in root.findall("devices/interface"):
        mac, target, source = item.find("mac"), item.find("target"), item.find("source")
        if mac is None or source is None:
            continue
        tap = target.get("dev", "") if target is not None else _host_end(item)
        found.append(Place(tap, mac.get("address", ""), source.get("bridge", "")))
    return found


def _host_end(item: ET.Element) -> str:
    """The bridge's end of a starting container's device: libvirt names the other end only."""
    guest = item.find("guest")
    name = guest.get("actual", "") if guest is not None else ""
    links = iproute.read("ip", "-json", "link", "show", "dev", name) if name else []
    return str(links[0].get("link", "")) if links else ""


def apply(wanted: Sequence[tuple[Place, PortPolicy]]) -> None:
    """Give ports these policies, whatever they have now.

    Raises:
        HostError: The kernel refused.
        UnsupportedError: The bridge does not keep VLANs apart.
    """
    if not wanted:
        return
    now = read(snapshot.take())
    lines: dict[str, list[str]] = {"ip": [], "bridge": [], "tc": []}
    for place, policy in wanted:
        bridge = now.links.links.get(place.bridge)
        if policy.tagged and (bridge is None or not bridge.vlan_filtering):
            raise UnsupportedError(f"bridge {place.bridge} does not keep VLANs apart")
        if place.tap not in now.links.links:
            raise HostError(f"{place.mac} has no network interface {place.tap}".rstrip())
        have = now.of(place)
        filtering = bridge is not None and bridge.vlan_filtering
        for tool, some in _commands(place, have, policy, filtering=filtering, now=now).items():
            lines[tool] += some
    doing = f"setting ports {', '.join(place.tap for place, policy in wanted)}"
    for tool, some in lines.items():
        iproute.batch(tool, some, doing)
    for place, policy in wanted:
        if policy.restricted:
            _forget_learned(place.tap)
    before = {link.master for link in now.links.links.values() if mirrors.watches(link)}
    for name in sorted({place.bridge for place, policy in wanted}):
        if name in before or any(
            policy.promiscuous for place, policy in wanted if place.bridge == name
        ):
            mirrors.refresh(name)


def _remark(place: Place) -> str:
    return f"{mirrors.ALIAS} {place.mac}"


def _commands(
    place: Place, have: PortPolicy | None, want: PortPolicy, *, filtering: bool, now: Ports
) -> dict[str, list[str]]:
    tap, link = place.tap, now.links.links[place.tap]
    ip = []
    if link.master != place.bridge:
        ip.append(f"link set dev {tap} master {place.bridge}")
    alias = _remark(place) if want.promiscuous else ""
    if link.alias != alias and (want.promiscuous or link.alias.startswith(mirrors.ALIAS)):
        ip.append(f'link set dev {tap} alias "{alias}"')
    bridge = vlan_commands(tap, want) if filtering else []
    if want.restricted:
        # Not sticky, it would move to a port where somebody else sends with that address.
        bridge.append(f"fdb replace {place.mac} dev {tap} master static sticky")
    elif place.mac in now.known.get(tap, ()):
        bridge.append(f"fdb del {place.mac} dev {tap} master")
    flags = {
        "learning": not want.restricted,
        "flood": want.mac_changes,
        "locked": not want.forged_transmits,
        "isolated": want.isolated,
    }
    text = " ".join(f"{name} {'on' if value else 'off'}" for name, value in flags.items())
    bridge.append(f"link set dev {tap} {text}")
    return {"ip": ip, "bridge": bridge, "tc": _rate_commands(tap, have or OPEN, want, now)}


def vlan_commands(tap: str, want: PortPolicy) -> list[str]:
    """New VLANs come before old ones go: the port is never without any."""
    spans = want.trunk or ((want.vlan, want.vlan),)
    marks = "" if want.trunk else " pvid untagged"
    lines = [f"vlan add dev {tap} vid {span_text(span)}{marks}" for span in spans]
    edges = [(0, 0), *spans, (4095, 4095)]
    for (_first, before), (after, _last) in itertools.pairwise(edges):
        if after - before > 1:
            lines.append(f"vlan del dev {tap} vid {span_text((before + 1, after - 1))}")
    return lines


def _rate_commands(tap: str, have: PortPolicy, want: PortPolicy, now: Ports) -> list[str]:
    lines = []
    if want.rate_in and want.rate_in != now.rates.get(tap):
        burst = _burst(want.rate_in)
        lines.append(
            f"qdisc replace dev {tap} root tbf rate {want.rate_in}bit burst {burst} latency 50ms"
        )
    elif not want.rate_in and tap in now.rates:
        lines.append(f"qdisc del dev {tap} root")
    if have.rate_out and have.rate_out != want.rate_out:
        lines.append(f"filter del dev {tap} ingress pref {_POLICE_PREF}")
    if want.rate_out and have.rate_out != want.rate_out:
        if tap not in now.mirrored:
            lines.append(f"qdisc add dev {tap} clsact")
        lines.append(
            f"filter add dev {tap} ingress pref {_POLICE_PREF} matchall action police"
            f" rate {want.rate_out}bit burst {_burst(want.rate_out)} conform-exceed drop/continue"
        )
    return lines


def _burst(rate: int) -> int:
    """Bytes that may pass at once: a twentieth of a second's, but at least two big frames."""
    return max(rate // 8 // 20, 1 << 17)


def _forget_learned(tap: str) -> None:
    """Addresses that the port learned before it was closed would still be let through."""
    try:
        with open(f"/sys/class/net/{tap}/brport/flush", "w", encoding="ascii") as file:
            file.write("1")
    except OSError as error:
        raise HostError(f"forgetting what port {tap} learned failed: {error.strerror}") from None


def nearly(seen: PortPolicy | None, want: PortPolicy) -> PortPolicy | None:
    """What was seen, with rates as wanted where they differ by the rounding of what is printed."""
    if seen is None:
        return None
    close = {
        name: getattr(want, name)
        for name in ("rate_in", "rate_out")
        if abs(getattr(seen, name) - getattr(want, name)) * 100 < getattr(want, name)
    }
    return replace(seen, **close)
