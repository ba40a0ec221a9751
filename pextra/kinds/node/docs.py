# SPDX-License-Identifier: Apache-2.0
"""The documentation of nodes, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="node",
    nouns="nodes",
    module=Text(
        short="Register nodes",
        description=(
            "Registers the machine that the task runs on as a node of a cluster, with facts about"
            " its hardware and operating system; and changes, renames and removes nodes.",
            "A node is known by its machine id (C(/etc/machine-id)), of which the store keeps a"
            " digest. A machine is one node, whatever its name.",
            "Run on the node itself, the task also brings its facts up to date. Run elsewhere, it"
            " changes what is given.",
        ),
        seealso=("node_info", "cluster", "node_license", "preflight_info"),
        examples="""
- name: Register this machine
  pextra.ce.node:
    name: node1
    cluster: main
    ip_address: 192.0.2.11
    wol_mac: "52:54:00:12:34:56"
  register: this

- name: Rename it
  pextra.ce.node:
    id: "{{ this.node.id }}"
    name: node-a1

- name: Remove it when nothing is left on it
  pextra.ce.node:
    name: node-a1
    cluster: main
    state: absent
""",
    ),
    info=Text(
        short="List nodes, their hardware, licence and load",
        description=(
            "Lists nodes with the facts that they registered and with their licences.",
            "How a node is at the moment is measured where the node is the machine that the task"
            " runs on.",
        ),
        on_host=True,
        seealso=("node",),
        examples="""
- name: List the nodes of a cluster
  pextra.ce.node_info:
    cluster: main
  register: all

- name: Show their licences
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.license.expiry | default('no licence') }}"
  loop: "{{ all.nodes }}"
  loop_control:
    label: "{{ item.name }}"

- name: Measure this machine
  pextra.ce.node_info:
    fields: [name, alive, cpu_usage, memory_usage, storage_usage]
""",
    ),
    states={
        "present": "registers the node, or changes what is given and differs.",
        "absent": "removes it from the store. It must hold no instance, volume, vSwitch, port"
        " group, storage pool and licence. Nothing is uninstalled from the machine.",
    },
    steps=Steps(
        name="node1", sample=("update", {"ip_address": None}, {"ip_address": "192.0.2.11"})
    ),
    failure=Failure(
        "conflict",
        'node "node2"',
        'this machine is registered as node "node1" already',
        "Use that name, or rename the node by its id",
    ),
    codes=("host",),
)
