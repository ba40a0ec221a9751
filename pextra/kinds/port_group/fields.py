# SPDX-License-Identifier: Apache-2.0
"""The fields of port groups: what a request may say, and what is returned."""

from __future__ import annotations

from pextra.host.network import vlans
from pextra.kinds.common import DESCRIPTION, NAME, NODE, within
from pextra.model import kinds, units
from pextra.model.fields import Field, documented
from pextra.model.returned import Returned

_RATES = (
    Field("inbound", nullable=True, parse=units.parse_rate, doc=("To the instance.",)),
    Field("outbound", nullable=True, parse=units.parse_rate, doc=("From the instance.",)),
)

FIELDS = (
    documented(
        NAME,
        "Name of the port group, unique on its node.",
        returned=Returned("Name of the port group.", sample="lan"),
    ),
    NODE,
    Field(
        "vswitch",
        ref=kinds.VSWITCH,
        required=True,
        doc=(
            "Id or name of the vSwitch, on the same node.",
            "Another vSwitch moves the instances of the port group there, also running ones, whose"
            " network devices are plugged in anew with the same MAC addresses.",
        ),
        returned=Returned("Identifier of the vSwitch."),
    ),
    DESCRIPTION,
    Field(
        "vlan_id",
        "int",
        nullable=True,
        parse=within(1, 4094),
        doc=(
            "VLAN of the port group, from V(1) to V(4094).",
            "It needs a kernel whose bridges filter VLANs (C(CONFIG_BRIDGE_VLAN_FILTERING), as"
            " Debian's own has). Without it, the task is refused before any change.",
            "Instances on it send and receive frames without a tag; the vSwitch's uplinks carry"
            " them with the tag. V(1) is the VLAN of frames without a tag, as on a port group"
            " without a VLAN.",
        ),
        returned=Returned("VLAN, V(null) without one.", "int"),
    ),
    Field(
        "trunk",
        "list",
        elements="str",
        default=[],
        parse=vlans.parse_trunk,
        doc=(
            "VLANs whose frames instances send and receive with their tags, as ids and ranges such"
            " as V(20-30), from V(1) to V(4094). Frames without a tag are dropped.",
            "It excludes O(vlan_id).",
        ),
        returned=Returned(
            "VLANs that pass with their tags, as ids and ranges, sorted.",
            "list",
            elements="str",
            sample=["10", "20-30"],
        ),
    ),
    Field(
        "promiscuous",
        "bool",
        default=False,
        doc=(
            "Instances also get the frames of their VLANs that are for others on the vSwitch."
            " Frames that the node itself sends to others are not among them.",
        ),
        returned=Returned("Whether they get frames that are for others.", "bool", sample=False),
    ),
    Field(
        "mac_changes",
        "bool",
        default=True,
        doc=(
            "Instances get frames for other MAC addresses than their network devices', as after"
            " the guest has changed it. V(false) keeps such frames from them.",
        ),
        returned=Returned(
            "Whether they get frames for other MAC addresses than their own.", "bool", sample=True
        ),
    ),
    Field(
        "forged_transmits",
        "bool",
        default=True,
        doc=(
            "Instances may send from other MAC addresses than their network devices'. V(false)"
            " drops such frames.",
        ),
        returned=Returned(
            "Whether they may send from other MAC addresses than their own.", "bool", sample=True
        ),
    ),
    Field(
        "isolated",
        "bool",
        default=False,
        doc=(
            "Instances exchange no frames with instances on isolated port groups of the vSwitch,"
            " this one included. Uplinks and other port groups stay in reach.",
        ),
        returned=Returned("Whether they are kept from each other.", "bool", sample=False),
    ),
    Field(
        "rate_limit",
        "dict",
        options=_RATES,
        default={},
        doc=(
            "The most that each network device receives and sends per second, such as V(100Mbit)"
            " or V(1.5Gbit). A number without a unit counts bits. What is not given stays as it"
            " is. Empty is no limit.",
        ),
        returned=Returned(
            "Bits per second, C(inbound) to and C(outbound) from each network device.",
            "dict",
            sample={"inbound": 100000000},
        ),
    ),
)
