#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a whole manifest of resources true in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
short_description: Make a whole manifest of resources true in one task
version_added: 0.1.0
description:
  - Takes any number of resources of any kinds, makes one plan for all of them, and carries it out.
    Reading takes one query and one listing for each kind, however many resources there are, which
    makes it much faster than a loop over single modules.
  - Resources are created after what they refer to and removed before it, whatever their order in
    the manifest. They can refer to each other by name.
  - One resource that is not acceptable fails the whole manifest before anything is changed. All
    that is wrong is reported at once, in RV(errors).
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource.host
options:
  resources:
    description:
      - The resources. Each is a dictionary with C(kind), which is V(organization), V(datacenter),
        V(cluster), V(node), V(policy), V(role), V(user), V(ai_provider), V(node_license),
        V(storage_pool), V(vswitch), V(port_group), V(instance), V(volume), V(volume_snapshot) or
        V(instance_snapshot), and the options of the module of that name, except O(database).
      - Options mean what they mean there, C(state) among them. C(allow_restart) of an entry does
        not count; set O(allow_restart).
      - The same resource must not be listed twice.
    type: list
    elements: dict
    required: true
  purge:
    description:
      - Kinds of which the run also removes what O(resources) does not name, after everything that
        it does name.
      - Of kinds that are on a node, V(instance), V(volume), V(volume_snapshot),
        V(instance_snapshot), V(port_group), V(vswitch) and V(node_license), it removes
        those of the node that the task runs on, and no other's. Of other kinds it removes
        those that have the same parent as a named one, such as the other clusters of a
        datacenter of which a cluster is named, and nothing if none of the kind is named.
      - What goes is subject to the same conditions as with C(state=absent). Instances that run, or
        something that still holds other resources, fail the whole run. Volumes of a removed
        instance are detached and stay, unless V(volume) is purged, too.
      - Look at the plan in check mode first.
    type: list
    elements: str
    choices:
      - organization
      - datacenter
      - cluster
      - node
      - policy
      - role
      - user
      - ai_provider
      - node_license
      - storage_pool
      - vswitch
      - port_group
      - instance
      - volume
      - volume_snapshot
      - instance_snapshot
    default: []
  allow_restart:
    description:
      - Restart running instances if a change needs it. Without it such a change fails before
        anything is changed.
    type: bool
    default: false
requirements:
  - What the modules of the kinds require that the manifest uses
notes:
  - An option of an entry that is left out is neither compared nor changed. V(null) counts as left
    out, except where the option's description says that it clears the value.
  - What the node needs to see happens after everything is in place. Instances are asked to shut
    down or are started all at once, and then waited for.
seealso:
  - module: pextra.ce.organization
  - module: pextra.ce.datacenter
  - module: pextra.ce.cluster
  - module: pextra.ce.node
  - module: pextra.ce.user
  - module: pextra.ce.node_license
  - module: pextra.ce.storage_pool
  - module: pextra.ce.vswitch
  - module: pextra.ce.port_group
  - module: pextra.ce.instance
  - module: pextra.ce.volume
  - module: pextra.ce.volume_snapshot
  - module: pextra.ce.instance_snapshot
"""

EXAMPLES = r"""
- name: Make this machine a cloud of one node with two instances
  pextra.ce.apply:
    resources:
      - {kind: organization, name: Example}
      - {kind: datacenter, name: Frankfurt, organization: Example}
      - {kind: cluster, name: main, datacenter: Frankfurt}
      - {kind: node, name: node1, cluster: main}
      - {kind: storage_pool, name: local, cluster: main, nodes: [node1]}
      - {kind: vswitch, name: svswitch10}
      - {kind: port_group, name: lan, vswitch: svswitch10}
      - kind: instance
        name: web
        memory: 512MiB
        volumes:
          - {name: web-root, image: /var/lib/pextra-ce/images/debian-12.qcow2, size: 4GiB}
        networks:
          - {name: lan0, port_group: lan}
        state: started
      - kind: instance
        name: mail
        memory: 512MiB
        volumes:
          - {name: mail-root, size: 2GiB}
        networks:
          - {name: lan0, port_group: lan}

- name: See what a manifest in a file would change
  pextra.ce.apply:
    resources: "{{ lookup('ansible.builtin.file', 'cloud.yml') | from_yaml }}"
  check_mode: true
  diff: true
  register: preview

- name: Have ten instances that are alike, and no other port group on this node
  pextra.ce.apply:
    resources: "{{ port_groups + instances }}"
    purge: [port_group]
  vars:
    port_groups:
      - {kind: port_group, name: lan, vswitch: svswitch10}
    names: "{{ query('ansible.builtin.sequence', 'count=10 format=worker%02d') }}"
    instances: >-
      {{ dict(names | product(['256MiB']))
         | ansible.builtin.dict2items(key_name='name', value_name='memory')
         | map('ansible.builtin.combine', {'kind': 'instance'}) }}

- name: Remove an instance with its volumes, and the vSwitch that it was on
  pextra.ce.apply:
    resources:
      - {kind: instance, name: mail, state: absent, destroy_volumes: true}
      - {kind: port_group, name: old, state: absent}
      - {kind: vswitch, name: svswitch99, state: absent}
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
resources:
  description: What each entry of O(resources) came to, in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource.
      type: str
      sample: volume
    name:
      description:
        - Its name as the entry gives it, the C(username) of a user. V(null) if the entry has none,
          as that of a licence.
      type: str
      sample: data
    id:
      description: Its identifier, V(null) where it is absent, C((known after apply)) in check mode
        if it is new.
      type: str
      sample: vol-F4zhjmVZkY9wuJ6Gnmb4A
    state:
      description: The state that was asked for.
      type: str
      sample: present
    changed:
      description: Whether the plan has steps for it.
      type: bool
      sample: true
    actions:
      description:
        - The actions of its steps, in their order. Steps of its parts, such as an instance's
          volumes, are in RV(plan) only.
      type: list
      elements: str
      sample: [create, allocate]
    resource:
      description:
        - The resource as the module of its kind returns it under the kind's name, V(null) where it
          is absent.
      type: dict
      sample:
        id: vol-F4zhjmVZkY9wuJ6Gnmb4A
        name: data
        size: 10737418240
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - Kind of the resource, one that O(resources) can have, or V(network_device) or
          V(storage_pool_node) for parts of instances and pools.
      type: str
      sample: instance
    name:
      description: Its name.
      type: str
      sample: web
    action:
      description:
        - As the module of the kind returns it.
      type: str
      sample: start
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        power: stopped
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        power: running
    needs_restart:
      description: Whether it takes effect only by restarting an instance.
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
        - V(restart_required), a change needs a restart that was not allowed.
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(verification), the node still differs after applying.
        - V(secret), a secret cannot be encrypted or read, as the node does not have the key.
        - V(store), the database cannot be reached or used.
      type: str
      sample: not_found
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: storage_pool "lokal"
    message:
      description: What was asked and what is there.
      type: str
      sample: does not exist
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Did you mean "local"?
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "resources": {"type": "list", "required": True, "elements": "dict"},
    "purge": {
        "type": "list",
        "default": [],
        "choices": [
            "organization",
            "datacenter",
            "cluster",
            "node",
            "policy",
            "role",
            "user",
            "ai_provider",
            "node_license",
            "storage_pool",
            "vswitch",
            "port_group",
            "instance",
            "volume",
            "volume_snapshot",
            "instance_snapshot",
        ],
        "elements": "str",
    },
    "allow_restart": {"type": "bool", "default": False},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("apply", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
