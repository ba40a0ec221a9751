# SPDX-License-Identifier: Apache-2.0
"""A kernel's network interfaces in memory, on which operations are carried out."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from pextra.host.network import switch
from pextra.host.network.snapshot import Bond, Link, PortVlans, Snapshot, ranges
from pextra.host.network.switch import BridgeState
from pextra.host.network.transition import Op

RANDOM = "06:00:00:00:00:00"
"""The address of a bond that has lost its last link; the next one gives it its own."""


class Kernel:
    """Interfaces, VLANs and which take part in IPv6; as strict as the real one where it matters."""

    def __init__(self, *names: str) -> None:
        self.links = {
            name: Link(name, f"02:00:00:00:00:0{name[-1]}", carrier=True) for name in names
        }
        self.vlans: dict[str, set[int]] = {}
        self.no_ipv6 = set[str]()

    def observe(self, want: BridgeState) -> BridgeState | None:
        """The vSwitch as it is."""
        vlans = {name: PortVlans(1, ranges(ids)) for name, ids in self.vlans.items()}
        ipv6 = want.name not in self.no_ipv6
        return switch.observe(Snapshot(self.links, vlans), want, None, ipv6)

    def perform(self, operation: Op) -> None:
        """Carry one operation out."""
        words = shlex.split(operation.text)
        if operation.tool == "ipv6":
            assert words[1] in self.links
            (self.no_ipv6.add if words[0] == "1" else self.no_ipv6.discard)(words[1])
        elif operation.tool == "primary":
            self._retype(words[0], ["bond", "primary", *(words[1:] or [""])])
        elif operation.tool == "bridge":
            self._vlan(words)
        elif operation.tool == "ip":
            getattr(self, f"_{words[1]}")(words)

    def outward(self, bridge: str) -> list[str]:
        """The ports through which the bridge reaches the network outside."""
        found = [link.name for link in self.links.values() if link.master == bridge and link.up]
        return [name for name in found if self._carries(name)]

    def _carries(self, name: str) -> bool:
        link = self.links[name]
        if link.bond is None:
            return link.up and link.carrier and link.kind != "tun"
        return any(item.master == name and item.up for item in self.links.values())

    def _vlan(self, words: list[str]) -> None:
        _vlan, action, _dev, name, _vid, span = words
        first, _dash, last = span.partition("-")
        ids = set(range(int(first), int(last or first) + 1))
        assert self.links[name].master, f"{name} is no bridge port"
        have = self.vlans.setdefault(name, set())
        if action == "del":
            assert ids <= have
        self.vlans[name] = have - ids if action == "del" else have | ids

    def _add(self, words: list[str]) -> None:
        options = dict(zip(words[2::2], words[3::2], strict=True))
        name = options["name"]
        assert name not in self.links
        link = Link(name, options["address"], kind=options["type"], carrier=True)
        if options["type"] == "bridge":
            filtering = options.get("vlan_filtering") == "1"
            link = replace(link, vlan_filtering=filtering, stp=options["stp_state"] == "1")
        else:
            link = replace(link, bond=Bond(options["mode"], int(options["miimon"])))
        self.links[name] = link

    def _del(self, words: list[str]) -> None:
        name = words[3]
        for link in [item for item in self.links.values() if item.master == name]:
            self._unslaved(link.name)
        self.vlans.pop(name, None)
        del self.links[name]

    def _unslaved(self, name: str) -> None:
        link = self.links[name]
        bond = self.links[link.master] if link.master is not None else None
        of_bond = bond is not None and bond.bond is not None
        self.links[name] = replace(link, master=None, up=link.up and not of_bond)
        self.vlans.pop(name, None)
        if bond is not None and of_bond and not self._members(bond.name):
            self.links[bond.name] = replace(bond, mac=RANDOM)

    def _members(self, name: str) -> list[str]:
        return [item.name for item in self.links.values() if item.master == name]

    def _set(self, words: list[str]) -> None:
        name, rest = words[3], words[4:]
        while rest:
            key = rest.pop(0)
            link = self.links[name]
            if key in ("up", "down"):
                self.links[name] = replace(link, up=key == "up")
            elif key == "nomaster":
                self._unslaved(name)
            elif key == "master":
                self._enslave(name, rest.pop(0))
            elif key == "type":
                self._retype(name, rest)
                return
            else:
                value: Any = rest.pop(0)
                assert key in ("mtu", "alias", "address")
                field = "mac" if key == "address" else key
                self.links[name] = replace(link, **{field: int(value) if key == "mtu" else value})
                if key == "mtu" and link.bond is not None:
                    for item in [item for item in self.links.values() if item.master == name]:
                        self.links[item.name] = replace(item, mtu=int(value))

    def _enslave(self, name: str, master: str) -> None:
        link = self.links[name]
        if link.master == master:
            return
        if link.master is not None:
            self._unslaved(name)
        if self.links[master].bond is not None:
            assert not self.links[name].up, f"{name} is up, and cannot join a bond"
            self.links[name] = replace(self.links[name], mtu=self.links[master].mtu)
            if self.links[master].mac == RANDOM:
                self.links[master] = replace(self.links[master], mac=link.mac)
        self.links[name] = replace(self.links[name], master=master)

    def _retype(self, name: str, rest: list[str]) -> None:
        kind, options = rest[0], dict(zip(rest[1::2], rest[2::2], strict=True))
        link = self.links[name]
        if kind == "bridge":
            names = {"stp_state": "stp", "vlan_filtering": "vlan_filtering"}
            values: dict[str, Any] = {names[key]: value == "1" for key, value in options.items()}
            self.links[name] = replace(link, **values)
            return
        assert link.bond is not None
        bond, members = link.bond, self._members(name)
        if "mode" in options and options["mode"] != bond.mode:
            assert not members, "a bond's mode changes only while it has no links"
            bond = replace(bond, mode=options["mode"], primary=None)
        if "miimon" in options:
            bond = replace(bond, miimon=int(options["miimon"]))
        if "primary" in options:
            assert bond.mode == "active-backup"
            assert not options["primary"] or options["primary"] in members
            bond = replace(bond, primary=options["primary"] or None)
        if options.get("active_slave"):
            assert options["active_slave"] in members
        self.links[name] = replace(link, bond=bond)
