# SPDX-License-Identifier: Apache-2.0
"""The fields of vSwitches: what a request may say, and what is returned."""

from __future__ import annotations

import re
from typing import Any

from pextra.kinds.common import DESCRIPTION, THIS_NODE, within
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned

_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}", re.ASCII)
_NAME = re.compile(r"svswitch[1-9][0-9]{0,6}", re.ASCII)


def _name(value: Any) -> str:
    if not _NAME.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not a vSwitch name",
            hint="Write svswitch and a positive integer of up to 7 digits, such as svswitch10",
        )
    return str(value)


def _interface(value: Any) -> str:
    if not _INTERFACE.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not the name of a network interface",
            hint="Names have up to 15 characters; pextra.ce.nic_info lists them",
        )
    return str(value)


def _uplinks(value: Any) -> list[str]:
    names = [_interface(name) for name in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{', '.join(twice)} is listed twice")
    return sorted(names)


_BOND = (
    Field(
        "mode",
        choices=("active-backup", "balance-xor", "802.3ad"),
        doc=(
            "V(active-backup) uses one uplink at a time and needs nothing of the switches outside."
            " V(balance-xor) needs a static link aggregation there, and V(802.3ad) needs LACP.",
            "A change interrupts the traffic for a moment.",
        ),
    ),
    Field(
        "miimon",
        "int",
        parse=within(10, 10_000, "milliseconds"),
        unit="milliseconds",
        doc=("How often links are looked at, from V(10) to V(10000).",),
    ),
    Field(
        "primary",
        nullable=True,
        parse=_interface,
        doc=(
            "The uplink that carries the traffic whenever it is connected, in mode"
            " V(active-backup). Without it, a working uplink stays in use.",
        ),
    ),
)

FIELDS = (
    Field(
        "name",
        parse=_name,
        required=True,
        change=Change.IMMUTABLE,
        doc=(
            "Name of the vSwitch and its bridge, unique in the cluster. V(svswitch) and a positive"
            " integer of up to 7 digits, such as V(svswitch10).",
        ),
        returned=Returned("Name of the vSwitch, and of its bridge.", sample="svswitch10"),
    ),
    THIS_NODE,
    DESCRIPTION,
    Field(
        "mtu",
        "int",
        default=1500,
        parse=within(576, 9216),
        unit="bytes",
        doc=(
            "Largest packet that the bridge passes, from V(576) to V(9216). A change takes effect"
            " at once, on uplinks too.",
        ),
        returned=Returned("Largest packet in bytes, as it should be.", "int", sample=1500),
    ),
    Field(
        "uplinks",
        "list",
        elements="str",
        default=[],
        parse=_uplinks,
        doc=(
            "Names of the network interfaces that lead out, in any order. They are to have no"
            " other use.",
            "An interface that is not listed any more becomes a plain interface again. Adding or"
            " taking away an uplink loses no more than a moment of traffic.",
        ),
        returned=Returned(
            "Names of the interfaces that lead out, sorted, as it should be.",
            "list",
            elements="str",
            sample=["eth1", "eth2"],
        ),
    ),
    Field(
        "bond",
        "dict",
        options=_BOND,
        default={"mode": "active-backup", "miimon": 100},
        doc=("How several uplinks share the traffic. What is not given stays as it is.",),
        returned=Returned(
            "How several uplinks share the traffic, as it should be.",
            "dict",
            sample={"mode": "active-backup", "miimon": 100},
        ),
    ),
)

STEERING = (
    Field(
        "management",
        choices=("refuse", "migrate"),
        default="refuse",
        doc=(
            "What to do with an uplink that carries addresses or the default route, such as the"
            " address by which this task is connected. V(refuse) fails before any change."
            " V(migrate) moves addresses, routes and name servers to the vSwitch's bridge; with"
            " O(state=absent), back.",
            "The node undoes such a change by itself, unless the controller confirms it by a new"
            " connection within O(guard_timeout); then the task fails and says so. A vSwitch"
            " whose removal was not confirmed stays, with the status V(deleting), until a later"
            " run removes it.",
            "It needs systemd-networkd, and fixed addresses.",
        ),
    ),
    Field(
        "guard_timeout",
        "int",
        default=60,
        parse=within(10, 600, "seconds"),
        unit="seconds",
        doc=(
            "How long the node waits before it puts its old network configuration back, if a"
            " change of a vSwitch that carries its addresses was not confirmed, from V(10) to"
            " V(600).",
        ),
    ),
)

COMPUTED = {
    "cluster_id": Returned("Identifier of the cluster that the vSwitch belongs to."),
    "addressing": Returned(
        "The addresses, routes and name servers that moved from uplinks to its bridge, V(null) if"
        " none did.",
        "dict",
        contains={
            "addresses": Returned(
                "Addresses with the length of their prefix.",
                "list",
                elements="str",
                sample=["192.0.2.11/24"],
            ),
            "routes": Returned(
                "Destination and gateway of each route.",
                "list",
                elements="list",
                sample=[["default", "192.0.2.1"]],
            ),
            "dns": Returned(
                "Addresses of name servers.", "list", elements="str", sample=["192.0.2.53"]
            ),
            "domains": Returned("Search domains.", "list", elements="str", sample=[]),
        },
    ),
}
