# SPDX-License-Identifier: Apache-2.0
"""The documentation of vSwitches, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="vSwitch",
    nouns="vSwitches",
    module=Text(
        short="Manage vSwitches",
        description=(
            "Creates, changes and removes a virtual switch of a node, which instances are"
            " connected to through port groups.",
            "A vSwitch is one Linux bridge of the same name, which keeps VLANs apart where the"
            " kernel can. It is made by netlink and, where systemd-networkd runs, kept over a"
            " reboot by units of it. Elsewhere it is there until the machine restarts, and the"
            " next run makes it again.",
            "Without an uplink it connects instances of the node with each other. One uplink is a"
            " port of the bridge; several form a bond, named C(svbond) and the number of the"
            " vSwitch, which is the port.",
        ),
        on_host=True,
        requirements=("iproute2 >= 6.1",),
        notes=(
            "The bridge's MAC address is made from the vSwitch's id and marks it as the platform's"
            " own. A network interface of the same name with another MAC address is somebody"
            " else's.",
        ),
        seealso=("vswitch_info", "port_group"),
        examples="""
- name: Have a vSwitch on this node
  pextra.ce.vswitch:
    name: svswitch10
    description: Instances

- name: Let it pass jumbo frames
  pextra.ce.vswitch:
    name: svswitch10
    mtu: 9000

- name: Connect it to the network outside by two links
  pextra.ce.vswitch:
    name: svswitch10
    uplinks: [eth1, eth2]
    bond: {primary: eth1}

- name: Let it carry this node's own address too
  pextra.ce.vswitch:
    name: svswitch10
    uplinks: [eth1, eth2]
    management: migrate
    guard_timeout: 30

- name: Remove it when no port group is left on it
  pextra.ce.vswitch:
    name: svswitch10
    state: absent
""",
    ),
    info=Text(
        short="List vSwitches and their bridges",
        description=(
            "Lists vSwitches of one or of all clusters and nodes, with how their bridges really"
            " are.",
        ),
        on_host=True,
        seealso=("vswitch",),
        examples="""
- name: List the vSwitches of a node
  pextra.ce.vswitch_info:
    node: node1
  register: all

- name: Show which have a port of an instance on them
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.ports }}"
  loop: "{{ all.vswitches }}"
  loop_control:
    label: "{{ item.name }}"
""",
    ),
    states={
        "present": "creates the vSwitch, or changes what is given and differs, and corrects the"
        " bridge.",
        "absent": "removes it. It must hold no port group.",
    },
    steps=Steps(
        name="svswitch10",
        sample=(
            "bridge",
            {"mtu": 1500, "up": True, "persistent": True},
            {"mtu": 9000, "up": True, "persistent": True},
        ),
        action=("On the node, V(bridge) (make or correct it) or V(remove).",),
        before=(
            "On the node these are C(mtu), C(up), and whatever else of the bridge differs, such as"
            " C(uplinks), C(bond), or C(vlans) (ranges that pass the uplinks with a tag).",
        ),
    ),
    failure=Failure(
        "foreign",
        'vswitch "svswitch10"',
        "the host has a network interface of that name that is not ours",
        "Use another name; interfaces of others are never touched",
    ),
    codes=("foreign", "guard", "unsupported", "host", "verification"),
)
