# SPDX-License-Identifier: Apache-2.0
"""The documentation of clusters, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="cluster",
    nouns="clusters",
    module=Text(
        short="Manage clusters",
        description=(
            "Creates, changes, renames and removes a cluster, a group of nodes in a datacenter"
            " that share storage pools and whose vSwitches and instances have names of their own.",
        ),
        seealso=("cluster_info", "datacenter", "node"),
        examples="""
- name: Have a cluster
  pextra.ce.cluster:
    name: main
    datacenter: Frankfurt
    description: First cluster

- name: Remove it when no node and no storage pool is left in it
  pextra.ce.cluster:
    name: main
    datacenter: Frankfurt
    state: absent
""",
    ),
    info=Text(
        short="List clusters, their hardware and licensing",
        description=(
            "Lists clusters with what their nodes have and are licensed for, taken together.",
            "It reads the store alone; hardware is what each node said of itself when it last"
            " registered.",
        ),
        seealso=("cluster",),
        examples="""
- name: List the clusters of a datacenter
  pextra.ce.cluster_info:
    organization: Example
    datacenter: Berlin
  register: all

- name: Look at the licensing alone
  pextra.ce.cluster_info:
    name: main
    fields: [name, licensing, edition]
  register: all

- name: Show why a cluster does not comply
  ansible.builtin.debug:
    msg: "{{ item.licensing.problems }}"
  loop: "{{ all.clusters }}"
  loop_control:
    label: "{{ item.name }}"
  when: item.licensing.cluster.status == 'noncompliant'
""",
    ),
    states={
        "present": "creates the cluster, or changes what is given and differs.",
        "absent": "removes it. It must hold no node and no storage pool.",
    },
    steps=Steps(
        name="main", sample=("update", {"description": ""}, {"description": "First cluster"})
    ),
    failure=Failure(
        "invalid_input",
        'cluster "main"',
        "datacenter is missing, and there are 2",
        "Name one of: Berlin, Frankfurt",
    ),
)
