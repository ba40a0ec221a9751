# SPDX-License-Identifier: Apache-2.0
"""The documentation of storage pools, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Link, Steps, Text
from pextra.model.returned import Returned

DOCS = KindDocs(
    noun="pool",
    nouns="storage pools",
    module=Text(
        short="Manage storage pools",
        description=(
            "Creates, changes and removes a storage pool of a cluster, and says on which nodes it"
            " is enabled.",
            "A pool is configuration of the cluster; each enabled node realises it as a libvirt"
            " pool of the same name. The node that the task runs on does so at once, other nodes"
            " when they next run M(pextra.ce.storage_pool_propagation), which their timer does at"
            " intervals.",
        ),
        on_host=True,
        requirements=("libvirt-python >= 9.0 (Debian package python3-libvirt)",),
        seealso=("storage_pool_info", "volume"),
        links=(
            Link(
                "libvirt storage pools",
                "What a pool is on a node.",
                "https://libvirt.org/storage.html",
            ),
        ),
        examples="""
- name: Have the default pool on this node
  pextra.ce.storage_pool:
    name: local
    nodes:
      - node1

- name: Have a pool on a file system of its own
  pextra.ce.storage_pool:
    name: fast
    cluster: main
    description: NVMe
    type: directory
    options:
      path: /srv/pextra-ce/fast
    nodes:
      - node1

- name: Have a shared pool on an NFS server
  pextra.ce.storage_pool:
    name: shared
    cluster: main
    type: netfs
    options:
      server: 192.0.2.20
      export: /srv/images

- name: Have the LUNs of an iSCSI target
  pextra.ce.storage_pool:
    name: san
    cluster: main
    type: iscsi
    options:
      portal: 192.0.2.21
      target: iqn.2026-01.com.example:san
      username: node
      password: "{{ vault_san_password | default('correct horse') }}"

- name: Have a pool in a Ceph cluster
  pextra.ce.storage_pool:
    name: ceph
    cluster: main
    type: rbd
    options:
      monitors: [192.0.2.22, 192.0.2.23]
      username: pextra
      key: AQBhb2dcAAAAABAAiVRmsGhTVKvo9Ol5fMtMSg==

- name: Disable it on all nodes
  pextra.ce.storage_pool:
    name: fast
    cluster: main
    nodes: []
    purge_nodes: true

- name: Remove it when no volume is left in it
  pextra.ce.storage_pool:
    name: fast
    cluster: main
    state: absent
""",
    ),
    info=Text(
        short="List storage pools, their status and usage",
        description=(
            "Lists storage pools of one or of all clusters, with how far their nodes have them and"
            " how full they are.",
        ),
        on_host=True,
        requirements=("libvirt-python >= 9.0 (Debian package python3-libvirt), on a node",),
        seealso=("storage_pool",),
        examples="""
- name: List the storage pools of a cluster
  pextra.ce.storage_pool_info:
    cluster: main
  register: all

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.status }}: {{ item.status_reason }}"
  loop: "{{ all.storage_pools }}"
  loop_control:
    label: "{{ item.name }}"
  when: not item.available

- name: Look how full a pool is
  pextra.ce.storage_pool_info:
    name: local
    fields: [name, usage]
  register: pools
  failed_when: (pools.storage_pools | first).usage.percent_used | default(0) > 95
""",
    ),
    states={
        "present": "creates the pool, or changes what is given and differs.",
        "absent": "removes it. It must hold no volume on any node. On this node the libvirt pool"
        " is removed at once, and its directory if nothing is in it. The pool's name stays taken"
        " until every other node has let go of it, too.",
    },
    steps=Steps(
        name="local",
        sample=(
            "define",
            {"defined": False, "active": False, "autostart": False},
            {"defined": True, "active": True, "autostart": True},
        ),
        action=(
            "On the node, V(define) (also starts it and marks it for automatic start) or"
            " V(undefine).",
        ),
        kinds=", or V(storage_pool_node) for the pool on one node",
    ),
    failure=Failure(
        "conflict",
        'storage_pool "local"',
        "it still holds 2 volumes: data, web-root",
        "Destroy the volumes first",
    ),
    codes=("foreign", "unsupported", "host", "verification"),
    returned={
        "nodes": Returned(
            "How far the nodes have it on which it is enabled, or was.",
            "list",
            elements="dict",
            contains={
                "node_id": Returned("Identifier of the node.", sample="node-VF6lOEYQA-_cjIHCRFMbA"),
                "name": Returned("Name of the node.", sample="node1"),
                "status": Returned(
                    "V(ready), V(pending) where the node has not made it yet, V(deleting) where it"
                    " has not let go of it yet.",
                    sample="ready",
                ),
                "error": Returned(
                    "What went wrong when the node last tried, V(null) if nothing did."
                ),
            },
        )
    },
)
