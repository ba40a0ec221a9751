#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the storage pools of a node to what the store says of them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_pool_propagation
short_description: Bring the storage pools of a node to what the store says of them
version_added: 0.1.0
description:
  - Propagates storage pools to the node that the task runs on. A pool that was enabled on it is
    tested, defined and started; one that is not available is started; one that was disabled or
    destroyed is removed from it.
  - Each pool is seen to by itself. What goes wrong with one is written down with the pool, where
    M(pextra.ce.storage_pool_info) shows it, and the others are still seen to; the task then fails
    in the end. Other nodes are not asked anything.
  - The role C(pextra.ce.storage_pool_propagation) has each node run it at intervals.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
options:
  storage_pools:
    description:
      - Ids or names of the pools to see to.
      - All that this node has, or is to have, when it is left out.
    type: list
    elements: str
attributes:
  check_mode:
    details:
      - Check mode also tries whether servers can be reached, which changes nothing, and fails where
        they cannot.
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt)
notes:
  - An enabled pool that somebody removed from libvirt is made again. It is no longer enabled on the
    node only where a pool of somebody else has taken its name and no volume is in it.
  - Any number of runs at once is safe. A run that is killed is finished by the next one.
seealso:
  - module: pextra.ce.storage_pool
  - module: pextra.ce.storage_pool_info
"""

EXAMPLES = r"""
- name: Propagate all storage pools to this node
  pextra.ce.storage_pool_propagation:

- name: Look at one of them again, now that its server is back
  pextra.ce.storage_pool_propagation:
    storage_pools: [local]
  register: propagation

- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.branch }}"
  loop: "{{ propagation.storage_pools }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success, or a pool failed
  type: bool
  sample: true
storage_pools:
  description: The pools that were seen to, by name.
  returned: success, or a pool failed
  type: list
  elements: dict
  contains:
    id:
      description: Identifier.
      type: str
      sample: pool-Bj6ImsKqzB32yNU87YlmE
    name:
      description: Name.
      type: str
      sample: shared
    branch:
      description:
        - The branch of the algorithm that was taken.
        - V(none), the pool has nothing to do with this node. V(realise), libvirt did not have it,
          and it was tested, defined and started. V(available), it is enabled and available.
          V(start), it was not available, and was started. V(forget), somebody else's pool has
          taken its name, and it is no longer enabled here. V(remove), it was destroyed here.
          V(held), it is to be destroyed, but holds volumes.
      type: str
      sample: realise
    changed:
      description: Whether anything changed.
      type: bool
      sample: true
    error:
      description: What went wrong, V(null) if nothing did.
      type: str
      sample: null
plan:
  description: The steps in the order in which they were carried out; in check mode, would be.
  returned: success, or a pool failed
  type: list
  elements: dict
  contains:
    kind:
      description: V(storage_pool_node), the pool on this node, or V(storage_pool).
      type: str
      sample: storage_pool_node
    name:
      description: The pool's name.
      type: str
      sample: shared
    action:
      description:
        - On the node, V(define) (also starts it), V(start) or V(undefine).
        - In the store, V(update), or V(delete) of the association or, with the last one, the pool.
      type: str
      sample: define
    before:
      description: The values that the step changes, as they were.
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
      description: Always V(false) here.
      type: bool
      sample: false
code:
  description: The kind of failure, V(host) where a pool failed.
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: host
errors:
  description: What went wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(host), a pool could not be seen to.
        - V(not_found), there is no such pool, or the machine is no node.
        - V(store), the database cannot be reached or used.
      type: str
      sample: host
    resource:
      description: Which pool, V(null) if it is about none.
      type: str
      sample: storage_pool "shared"
    message:
      description: What was asked and what is there.
      type: str
      sample: "server 192.0.2.9 port 2049 cannot be reached: no answer"
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "storage_pools": {"type": "list", "elements": "str"},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("storage_pool_propagation", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
