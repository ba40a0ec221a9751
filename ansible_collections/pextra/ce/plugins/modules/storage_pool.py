#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/storage_pool: make generate
"""Manage storage pools."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_pool
short_description: Manage storage pools
version_added: 0.1.0
description:
  - Creates, changes and removes a storage pool of a cluster, and says on which nodes it is
    enabled.
  - A pool is configuration of the cluster; each enabled node realises it as a libvirt pool
    of the same name. The node that the task runs on does so at once, other nodes when they
    next run M(pextra.ce.storage_pool_propagation), which their timer does at intervals.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
  - pextra.ce.resource.host
options:
  name:
    description:
      - Name of the pool, unique in its cluster. From 1 to 63 ASCII letters, digits, dots,
        underscores and hyphens, beginning with a letter or digit. V(local) is what volumes
        are put in unless another pool is named.
      - Required to create one. Cannot be changed afterwards.
    type: str
  cluster:
    description:
      - Id or name of the cluster.
      - Left out, it is the cluster of the node that the task runs on, or the only cluster
        there is. Cannot be changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  type:
    description:
      - What the pool stands on.
      - V(directory), image files in a directory of each node. V(netfs), image files on an
        NFS or CIFS server. V(iscsi), the LUNs of an iSCSI target. V(rbd), images in a Ceph
        pool. V(zfs), volumes of a ZFS pool, and V(lvm), logical volumes of a volume group;
        these must exist on each node under the pool's name.
      - Default on creation is V(directory). Cannot be changed afterwards.
    type: str
    choices:
      - directory
      - netfs
      - iscsi
      - rbd
      - zfs
      - lvm
  options:
    description:
      - Settings of the pool's type; each says for which types it is. They are the same on
        every node.
      - Settings of a pool that exists are fixed, and a run that would change one fails, but
        for O(options.password) and O(options.key), which every node takes over when it next
        propagates pools.
      - Default on creation is empty.
    type: dict
    suboptions:
      path:
        description:
          - For V(directory), the absolute path of the directory, and for V(netfs), where
            the export is mounted. It is made if it is missing.
          - It must be outside the system's own directories, and neither inside nor around
            the path of another pool of the cluster. For V(netfs), nothing else may be mounted
            or lie there.
          - Unless given it is C(/var/lib/pextra-ce/pools/) and the pool's name.
        type: str
      protocol:
        description:
          - For V(netfs), what the server speaks. V(nfs) unless given.
        type: str
        choices:
          - nfs
          - cifs
      server:
        description:
          - For V(netfs), address or name of the server, which it needs.
        type: str
      export:
        description:
          - For V(netfs), which it needs. Absolute path of the export with NFS, the name of
            the share with CIFS.
        type: str
      version:
        description:
          - For V(netfs), the version of the protocol. What client and server agree on unless
            given.
          - V(3), V(4), V(4.0), V(4.1) and V(4.2) are of NFS, the others of CIFS.
        type: str
        choices:
          - '3'
          - '4'
          - '4.0'
          - '4.1'
          - '4.2'
          - '2.1'
          - '3.0'
          - 3.1.1
      domain:
        description:
          - For V(netfs) with CIFS, the domain or workgroup of the user.
        type: str
      portal:
        description:
          - For V(iscsi), which it needs. IP address of the target's portal, and a port after
            a colon unless that is 3260. An IPv6 address is in brackets.
        type: str
      target:
        description:
          - For V(iscsi), which it needs. The target's qualified name.
        type: str
      monitors:
        description:
          - For V(rbd), which it needs. Addresses of the monitors, each with a port after
            a colon unless that is 6789.
        type: list
        elements: str
      ceph_pool:
        description:
          - For V(rbd), the Ceph pool. It has the name of the storage pool unless given.
        type: str
      username:
        description:
          - For V(netfs) with CIFS and V(rbd), which need it, and for V(iscsi) with CHAP,
            who logs in. A cephx user is written without C(client.).
        type: str
      password:
        description:
          - For V(netfs) with CIFS, which needs it, and for V(iscsi) with CHAP, the password.
            It can be changed.
          - Nodes read it from the store, and keep it in a file of root's.
          - It is shown nowhere.
        type: str
      key:
        description:
          - For V(rbd), which needs it, the cephx user's key. It can be changed.
          - Nodes read it from the store, and keep it in a secret of libvirt and in a file
            of root's.
          - It is shown nowhere.
        type: str
      thin:
        description:
          - For V(zfs), whether volumes take only what is written to them. V(true) unless
            given.
        type: bool
      thin_pool:
        description:
          - For V(lvm), the name of a thin pool, which must exist in the volume group on each
            node. Volumes then take only what is written to them, and can have snapshots.
        type: str
  nodes:
    description:
      - Ids or names of nodes of the cluster on which the pool is enabled. They are added
        to those that are there already.
      - A pool that is enabled on no node can hold no volumes.
    type: list
    elements: str
  purge_nodes:
    description:
      - Also disable the pool on every node that O(nodes) does not name. Such a node must
        hold no volume in it.
    type: bool
    default: false
  state:
    description:
      - V(present) creates the pool, or changes what is given and differs.
      - V(absent) removes it. It must hold no volume on any node. On this node the libvirt
        pool is removed at once, and its directory if nothing is in it. The pool's name stays
        taken until every other node has let go of it, too.
    type: str
    choices:
      - present
      - absent
    default: present
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt)
seealso:
  - module: pextra.ce.storage_pool_info
  - module: pextra.ce.volume
  - name: libvirt storage pools
    description: What a pool is on a node.
    link: https://libvirt.org/storage.html
"""

EXAMPLES = r"""
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
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
storage_pool:
  description: The pool after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(pool-) and 21 characters.
      type: str
      sample: pool-J8rFUDg2dlzRB1HSerSm4
    name:
      description: Name of the storage pool.
      type: str
      sample: local
    cluster_id:
      description: Identifier of the cluster that the storage pool belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    description:
      description: Text for people.
      type: str
      sample: Production
    type:
      description: What it stands on, such as V(directory).
      type: str
      sample: directory
    options:
      description: Settings of its type, complete but for passwords and keys.
      type: dict
      sample:
        path: /var/lib/pextra-ce/pools/local
    status:
      description: What the store says of it. V(ready), or V(pending) (creation), V(updating)
        or V(deleting) where a run is at work or was interrupted, or another node still has to
        do its part.
      type: str
      sample: ready
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    nodes:
      description: How far the nodes have it on which it is enabled, or was.
      type: list
      elements: dict
      contains:
        node_id:
          description: Identifier of the node.
          type: str
          sample: node-VF6lOEYQA-_cjIHCRFMbA
        name:
          description: Name of the node.
          type: str
          sample: node1
        status:
          description: V(ready), V(pending) where the node has not made it yet, V(deleting) where
            it has not let go of it yet.
          type: str
          sample: ready
        error:
          description: What went wrong when the node last tried, V(null) if nothing did.
          type: str
          sample: null
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(storage_pool), or V(storage_pool_node) for the pool
        on one node.
      type: str
      sample: storage_pool
    name:
      description: Its name.
      type: str
      sample: local
    action:
      description:
        - In the store, V(create), V(update), V(delete), V(finish) for what an interrupted run
          left unfinished, or V(keep) for what it was to remove.
        - On the node, V(define) (also starts it and marks it for automatic start) or V(undefine).
      type: str
      sample: define
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        defined: false
        active: false
        autostart: false
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        defined: true
        active: true
        autostart: true
    needs_restart:
      description: Always V(false) for this kind.
      type: bool
      sample: false
code:
  description:
    - The kind of failure. V(plan) if the request was refused as a whole, with the reasons in
      RV(errors); else the code of the only error.
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: plan
errors:
  description: What is wrong; after V(plan), everything that was found wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(invalid_input), an option is not acceptable by itself.
        - V(not_found), something that was referred to does not exist.
        - V(conflict), what was asked contradicts what is there.
        - V(foreign), the name belongs to something on the node that others made.
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(verification), the node still differs after applying.
        - V(secret), a secret cannot be encrypted or read, as the node does not have the key.
        - V(store), the database cannot be reached or used.
      type: str
      sample: conflict
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: storage_pool "local"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'it still holds 2 volumes: data, web-root'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Destroy the volumes first
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "cluster": {"type": "str"},
    "description": {"type": "str"},
    "type": {"type": "str", "choices": ["directory", "netfs", "iscsi", "rbd", "zfs", "lvm"]},
    "options": {
        "type": "dict",
        "options": {
            "path": {"type": "str"},
            "protocol": {"type": "str", "choices": ["nfs", "cifs"]},
            "server": {"type": "str"},
            "export": {"type": "str"},
            "version": {
                "type": "str",
                "choices": ["3", "4", "4.0", "4.1", "4.2", "2.1", "3.0", "3.1.1"],
            },
            "domain": {"type": "str"},
            "portal": {"type": "str"},
            "target": {"type": "str"},
            "monitors": {"type": "list", "elements": "str"},
            "ceph_pool": {"type": "str"},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "key": {"type": "str", "no_log": True},
            "thin": {"type": "bool"},
            "thin_pool": {"type": "str"},
        },
    },
    "nodes": {"type": "list", "elements": "str"},
    "purge_nodes": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("storage_pool", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
