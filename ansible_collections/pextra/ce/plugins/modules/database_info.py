#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_info
short_description: Look at the store
version_added: 0.1.0
description:
  - Says whether the store can be reached, which server it is, which version its schema has, how
    many rows of each kind it holds, and what was changed last.
  - A database that cannot be reached or used is no failure of the task but RV(reachable=false), so
    that a play can go by it. A connection string that is not acceptable is a failure.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
options:
  audit_limit:
    description:
      - How many rows of the audit log to return, from V(0) to V(10000).
    type: int
    default: 10
notes:
  - It reads with any version of the schema, also one that the other modules refuse.
seealso:
  - module: pextra.ce.database
"""

EXAMPLES = r"""
- name: Look at the store
  pextra.ce.database_info:
  register: store

- name: Stop where there is none
  ansible.builtin.assert:
    that: store.reachable
    fail_msg: "{{ store.error.message | default('') }}"

- name: Show who did what in the last 100 changes
  pextra.ce.database_info:
    audit_limit: 100
  register: store

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.at }} {{ item.actor }}@{{ item.origin }}: {{ item.action }} {{ item.kind }}"
  loop: "{{ store.audit }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
reachable:
  description: Whether the database answered.
  returned: success
  type: bool
  sample: true
error:
  description: Why it did not, V(null) if it did.
  returned: success
  type: dict
  contains:
    code:
      description: Always V(store).
      type: str
      sample: store
    resource:
      description: Always V(null).
      type: str
      sample: null
    message:
      description: What the database, or the attempt to reach it, said.
      type: str
      sample: "the database cannot be reached: Connection refused"
    hint:
      description: What to do about it, V(null) if nothing better is known than the message.
      type: str
      sample: Start the database, or correct host and port
server:
  description: What the server calls itself, V(null) if it did not answer.
  returned: success
  type: str
  sample: PostgreSQL 15.14 (Debian 15.14-0+deb12u1) on x86_64-pc-linux-gnu, 64-bit
schema_version:
  description: The schema's version, V(0) where there are no tables, V(null) if it did not answer.
  returned: success
  type: int
  sample: 1
latest_version:
  description: The newest schema version that this collection knows.
  returned: success
  type: int
  sample: 1
needs_migration:
  description:
    - Whether M(pextra.ce.database) would change the schema, V(null) if the database did not answer.
    - Where RV(schema_version) is above RV(latest_version), the collection is too old instead.
  returned: success
  type: bool
  sample: false
counts:
  description:
    - How many there are of each kind, by the kinds' names as M(pextra.ce.apply) takes them, and of
      their parts V(network_device) and V(storage_pool_node). Empty if the database did not answer.
  returned: success
  type: dict
  sample:
    organization: 1
    datacenter: 1
    cluster: 1
    node: 1
    user: 2
    node_license: 1
    storage_pool: 1
    storage_pool_node: 1
    vswitch: 1
    port_group: 1
    instance: 3
    network_device: 3
    volume: 4
audit:
  description: The newest rows of the audit log, newest first. Empty if the database did not answer.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier of the row, a UUID.
      type: str
      sample: 0b7f9a3e-6f0d-4c43-9a55-2f8d3d8f7b11
    at:
      description: When, in UTC. Steps of one plan have the same time.
      type: str
      sample: '2026-01-31T12:00:00Z'
    actor:
      description: The Linux user who ran it, the one before C(sudo) if that was used.
      type: str
      sample: root
    origin:
      description: Name of the host on which it ran.
      type: str
      sample: node1
    action:
      description: The step's verb, as in a plan.
      type: str
      sample: create
    kind:
      description: Kind of the resource.
      type: str
      sample: volume
    resource_id:
      description: Its identifier.
      type: str
      sample: vol-CIgLySkaAVeQ5kSLOodD3
    name:
      description: Its name.
      type: str
      sample: data
    before:
      description: The values that the step changed, as they were, V(null) where there was nothing.
      type: dict
      sample: null
    after:
      description: The values as they became, V(null) where nothing is left. No secrets.
      type: dict
      sample:
        size: 10737418240
errors:
  description: What is wrong with an option.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: Always V(invalid_input).
      type: str
      sample: invalid_input
    resource:
      description: Always V(null).
      type: str
      sample: null
    message:
      description: What was given.
      type: str
      sample: "audit_limit: -1 is not between 0 and 10000"
    hint:
      description: What to do about it.
      type: str
      sample: null
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "audit_limit": {"type": "int", "default": 10},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("database_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
