# SPDX-License-Identifier: Apache-2.0
"""The network interfaces of this host: read once a look, changed by operations."""

from __future__ import annotations

import contextlib
import functools
import itertools
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pextra.host.network import (
    guard,
    guard_program,
    ifupdown,
    iproute,
    mirrors,
    networkd,
    nics,
    ports,
    snapshot,
    switch,
    transition,
)
from pextra.host.network.nics import NetworkCard
from pextra.host.network.ports import Ports
from pextra.host.network.snapshot import Snapshot
from pextra.host.network.switch import Addressing, BridgeState, Held
from pextra.model.errors import UnsupportedError

SYSFS = "/sys/class/net"
PATIENCE = 5.0
"""Seconds to wait for a new uplink to be connected before it takes over anyway."""
SETTLING = 30.0
"""Seconds that systemd-networkd has at most to be done with changed units: it is slow on a busy
node, and works against what it has not read yet."""
QUIET = 0.5
"""Seconds without a change after which systemd-networkd has read its units again."""


class Links:
    """The network interfaces of this host.

    Args:
        confirms: The caller confirms what the node undoes otherwise.

    Attributes:
        guards: Changes of this run that the node undoes unless they are confirmed.
    """

    def __init__(self, *, confirms: bool = False) -> None:
        self._confirms = confirms
        self.guards: list[guard.Guard] = []

    @functools.cached_property
    def now(self) -> Snapshot:
        """All interfaces as they were when first asked for, or since the last ``look``."""
        guard.await_restored()
        return snapshot.take()

    @functools.cached_property
    def ports(self) -> Ports:
        """All bridge ports, at the same moment."""
        return ports.read(self.now)

    @functools.cached_property
    def cards(self) -> Mapping[str, NetworkCard]:
        """Interfaces by name with their addresses, at about the same moment."""
        return {card.name: card for card in nics.take(hidden=())}

    def look(self) -> None:
        """Forget what was read, so that the next question is about how it is then."""
        self.__dict__.pop("now", None)
        self.__dict__.pop("ports", None)
        self.__dict__.pop("cards", None)

    def bridge(self, want: BridgeState) -> BridgeState | None:
        """The vSwitch's bridge as it is; None where there is no interface of its name.

        One that is no bridge has an empty ``mac``, which no vSwitch has.
        """
        addressing: Addressing | None = None
        held: tuple[Held, ...] = ()
        if want.addressing is not None:
            addressing = _present(want.addressing, self.cards.get(want.name))
            held = _held(want.addressing, [self.cards.get(name) for name in want.uplinks])
        return switch.observe(self.now, want, addressing, _ipv6(want.name), held)

    def units_match(self, bridge: BridgeState) -> bool:
        """Whether systemd-networkd's units keep the bridge; true where it does not run."""
        return not networkd.runs() or networkd.matches(bridge)

    def units_gone(self, bridge: BridgeState) -> bool:
        """Whether no unit of ours is left for the bridge."""
        return networkd.gone(bridge.name)

    def check_confirmed(self, want: BridgeState) -> None:
        """Refuse to plan a change that would be undone, because nobody is there to confirm it.

        Raises:
            UnsupportedError: It changes what carries the node's addresses, and the caller cannot
                confirm it.
        """
        if want.addressing is not None and not self._confirms:
            raise UnsupportedError(
                "the change could cut this node off, so that the node undoes it unless the caller"
                " confirms it over a new connection; this caller cannot",
                resource=f'vswitch "{want.name}"',
                hint="In a playbook, run the task without async",
            )

    def make_bridge(self, want: BridgeState, timeout: int) -> None:
        """Create or correct a bridge and its uplinks, and keep them over a reboot.

        Args:
            want: The bridge as it should be.
            timeout: Seconds after which the node undoes a change of what carries management.

        Raises:
            HostError: The kernel refused.
        """
        self.look()
        seen = self.bridge(want)
        operations = transition.operations(seen, want)
        if want.addressing is not None and (operations or not self.units_match(want)):
            back = transition.operations(seen=want, want=seen) if seen else transition.undoing(want)
            with self._guarded(want, back, timeout, removal=False):
                self._make(operations, want)
        else:
            self._make(operations, want)

    def _make(self, operations: Sequence[transition.Op], want: BridgeState) -> None:
        perform(operations, f"making bridge {want.name}")
        if any(mirrors.watches(link) for link in self.now.members(want.name)):
            mirrors.refresh(want.name)
        for name in want.uplinks:
            ifupdown.disable(name)
        if networkd.runs() and not networkd.matches(want):
            networkd.write(want)
            self._settle(want)
        self.look()

    def _settle(self, want: BridgeState) -> None:
        """Correct what systemd-networkd does to links whose units changed, in its own time."""
        deadline = time.monotonic() + SETTLING
        members = (link.name for link in self.now.members(want.name))
        links = {want.name, want.bond_name, *want.uplinks, *members}
        while True:
            _await_quiet(sorted(links))
            self.look()
            operations = transition.operations(self.bridge(want), want)
            if operations:
                perform(operations, f"making bridge {want.name} again")
            if not operations or time.monotonic() > deadline:
                return

    @contextlib.contextmanager
    def _guarded(
        self, want: BridgeState, back: Sequence[transition.Op], timeout: int, *, removal: bool
    ) -> Iterator[None]:
        """Have the node go back if the change fails, or nobody confirms it."""
        files = dict.fromkeys(networkd.render(want))
        current = {**files, **networkd.current(want.name), **ifupdown.files()}
        directory = guard.arm(back, current, want.uplinks, timeout)
        try:
            yield
        except BaseException:
            guard.restore(directory)
            raise
        self.guards.append(
            {
                "confirm": guard.program("confirm", directory), "timeout": timeout,
                "vswitch": want.name, "removal": removal,
            }
        )  # fmt: skip

    def remove_bridge(self, want: BridgeState, timeout: int) -> None:
        """Remove a bridge and its units; its uplinks become plain interfaces again.

        Raises:
            HostError: The kernel refused.
        """
        self.look()
        seen = self.bridge(want)
        if seen is not None and seen.mac != want.mac:
            seen = None
        if want.addressing is not None and seen is not None:
            back = transition.operations(None, seen)
            with self._guarded(want, back, timeout, removal=True):
                self._remove(seen, want)
        else:
            self._remove(seen, want)

    def _remove(self, seen: BridgeState | None, want: BridgeState) -> None:
        # systemd-networkd lets go first: it makes an uplink that leaves the bridge a port again.
        networkd.remove(want.name)
        for name in want.uplinks:
            ifupdown.restore(name)
        if seen is not None:
            let_go = {
                link.name for link in self.now.links.values()
                if link.name in want.uplinks and link.alias == switch.ALIAS and not link.master
            }  # fmt: skip
            was = replace(seen, uplinks=tuple(sorted({*seen.uplinks, *let_go})))
            # It may be late, and take what was given back: then it is given once more.
            for _turn in range(2 if was.addressing is not None else 1):
                if networkd.runs():
                    _await_quiet([want.name, want.bond_name, *was.uplinks])
                self.look()
                operations = transition.removal(self.bridge(want), was)
                perform(operations, f"removing bridge {want.name}")
        self.look()

    @functools.cached_property
    def vlan_filtering(self) -> bool:
        """Whether the kernel's bridges filter VLANs."""
        return any(link.vlan_filtering for link in self.now.links.values()) or _possible(
            "bridge", "vlan_filtering", "1"
        )

    @functools.cached_property
    def bonding(self) -> bool:
        """Whether the kernel has bonds."""
        return any(link.bond for link in self.now.links.values()) or _possible("bond")

    @functools.cached_property
    def filters(self) -> bool:
        """Whether the kernel can limit and copy what comes in at a port."""
        lines = [
            "qdisc add dev lo clsact",
            "filter add dev lo ingress pref 1 matchall action police rate 1mbit burst 10000",
            "filter add dev lo ingress pref 2 flower action mirred egress mirror dev lo",
        ]
        return _possible_in_tc(lines)

    def close(self) -> None:
        """Nothing is kept open."""


def _present(want: Addressing, card: NetworkCard | None) -> Addressing | None:
    """What of an addressing an interface has."""
    if card is None:
        return None
    addresses = tuple(item for item in want.addresses if item in card.addresses)
    routes = tuple(item for item in want.routes if item in card.routes)
    found = replace(want, addresses=addresses, routes=routes)
    return found if addresses or routes else None


def _held(want: Addressing, cards: Iterable[NetworkCard | None]) -> tuple[Held, ...]:
    """What of an addressing uplinks still have."""
    found = []
    for card in cards:
        if card is not None and (have := _present(want, card)) is not None and have.addresses:
            found.append(Held(card.name, have.addresses, have.routes))
    return tuple(found)


def perform(operations: Sequence[transition.Op], doing: str) -> None:
    """Carry operations out, neighbours of one tool in one process.

    Raises:
        HostError: The kernel refused one; those after it are not carried out.
    """
    for tool, group in itertools.groupby(operations, key=lambda item: item.tool):
        lines = [item.text for item in group]
        if tool == "carrier":
            for line in lines:
                _await_carrier(line.split())
        elif tool in ("ipv6", "primary", "announce"):
            for line in lines:
                guard_program.perform(tool, line)
        else:
            iproute.batch(tool, lines, doing)


def _await_carrier(names: Sequence[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(_text(f"{SYSFS}/{name}/carrier") == "1" for name in names):
            return
        time.sleep(0.02)


def _await_quiet(names: Sequence[str]) -> None:
    """Wait until systemd-networkd leaves links alone for a while."""
    since = time.monotonic()
    deadline = since + SETTLING
    before: list[tuple[str, str]] = []
    while time.monotonic() < min(since + QUIET, deadline):
        found = [(_text(f"{SYSFS}/{name}/flags"), networkd.state(name)) for name in names]
        if found != before or any(state in networkd.BUSY for _flags, state in found):
            before, since = found, time.monotonic()
        time.sleep(0.02)


def _ipv6(name: str) -> bool:
    return _text(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6") == "0"


def _possible(*kind: str) -> bool:
    """Whether the kernel makes such an interface: tried in a network namespace of its own."""
    argv = ["unshare", "--net", "ip", "link", "add", "name", "probe0", "type", *kind]
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _possible_in_tc(lines: Sequence[str]) -> bool:
    """Whether the kernel takes these commands of tc: tried in a namespace of its own."""
    argv = ["unshare", "--net", "tc", "-batch", "-"]
    text = "\n".join(lines) + "\n"
    try:
        done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
