# SPDX-License-Identifier: Apache-2.0
"""The documentation of port groups, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="port group",
    nouns="port groups",
    module=Text(
        short="Manage port groups",
        description=(
            "Creates, changes, renames and removes a port group, a named way for instances to"
            " connect to a vSwitch.",
        ),
        notes=(
            "What concerns ports of instances must be changed on the node itself, as V(root); name"
            " and description also from elsewhere.",
            "A change reaches running instances at once. Their network devices stay plugged in,"
            " and keep their MAC addresses.",
            "Each instance's definition carries these settings, and a hook of libvirt that the"
            " role P(pextra.ce.hypervisor#role) installs applies them whoever starts it. An"
            " instance whose port cannot be closed as asked does not start.",
        ),
        seealso=("port_group_info", "vswitch", "instance"),
        examples="""
- name: Have a port group
  pextra.ce.port_group:
    name: lan
    vswitch: svswitch10
    description: Instances without a VLAN

- name: Move its instances to another vSwitch
  pextra.ce.port_group:
    name: lan
    vswitch: svswitch11

- name: Have a port group with a VLAN
  pextra.ce.port_group:
    name: storage
    vswitch: svswitch10
    vlan_id: 20

- name: Have instances send and receive frames with tags
  pextra.ce.port_group:
    name: routers
    vswitch: svswitch10
    trunk: ["10", "20-30"]

- name: Keep customers from each other, and from sending as somebody else
  pextra.ce.port_group:
    name: customers
    vswitch: svswitch10
    isolated: true
    forged_transmits: false
    mac_changes: false
    rate_limit: {inbound: 100Mbit}

- name: Take the VLAN away
  pextra.ce.port_group:
    name: storage
    vlan_id: null

- name: Remove it when no instance is left on it
  pextra.ce.port_group:
    name: storage
    state: absent
""",
    ),
    info=Text(
        short="List port groups",
        description=("Lists port groups of one or of all nodes and vSwitches.",),
        seealso=("port_group",),
        examples="""
- name: List the port groups of a vSwitch
  pextra.ce.port_group_info:
    node: node1
    vswitch: svswitch10
  register: all

- name: Show which are in use
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.instance_count }} instances"
  loop: "{{ all.port_groups }}"
  loop_control:
    label: "{{ item.name }}"
""",
    ),
    states={
        "present": "creates the port group, or changes what is given and differs.",
        "absent": "removes it. No instance may have a network device on it.",
    },
    steps=Steps(
        name="lan",
        sample=("update", {"vlan_id": None}, {"vlan_id": 20}),
        action=(
            "For instances on the node, V(redefine) (the stored definition), V(set-port) (how its"
            " port is, as it runs), V(plug) or V(unplug) (as it runs).",
        ),
        kinds=", V(vswitch) for its uplinks, or V(instance) for what happens to instances on it",
    ),
    failure=Failure(
        "unsupported",
        'port_group "storage"',
        "VLAN 20 needs a kernel with bridge VLAN filtering",
        "Use a kernel with CONFIG_BRIDGE_VLAN_FILTERING, or leave vlan_id out",
    ),
    codes=("foreign", "unsupported", "host", "verification"),
)
