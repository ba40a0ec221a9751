#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/node_license: make generate
"""List the licences of nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_license_info
short_description: List the licences of nodes
version_added: 0.1.0
description:
  - Lists the nodes' platform licences. Keys are masked.
  - A key was checked when it was set; what is returned is what it said then, judged by this
    machine's clock.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
  - pextra.ce.listing
options:
  node:
    description:
      - Only those of this node, by id or name.
    type: str
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - creation
      - customer
      - days_left
      - edition
      - expiry
      - id
      - key
      - node
      - node_id
      - not_before
      - valid
seealso:
  - module: pextra.ce.node_license
"""

EXAMPLES = r"""
- name: List all licences
  pextra.ce.node_license_info:
  register: all

- name: Warn of licences that end within 30 days
  ansible.builtin.debug:
    msg: "{{ item.node }}: {{ item.days_left }} days left of {{ item.key }}"
  loop: "{{ all.node_licenses }}"
  loop_control:
    label: "{{ item.node }}"
  when: item.days_left <= 30

- name: Look at one node's licence
  pextra.ce.node_license_info:
    node: node1
"""

RETURN = r"""
node_licenses:
  description: The licences that match, sorted by name of the node.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(lic-) and 21 characters.
      type: str
      sample: lic-Scs04n_HUwGrg93FlBU8v
    node_id:
      description: Identifier of the node.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    node:
      description: Name of the node.
      type: str
      sample: node1
    edition:
      description: V(community), V(evaluation), V(standard) or V(enterprise).
      type: str
      sample: evaluation
    customer:
      description: Whom the licence was issued to.
      type: str
      sample: Evaluation
    not_before:
      description: First moment of validity, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    expiry:
      description: First moment at which it is no longer valid, in UTC.
      type: str
      sample: '2026-03-02T12:00:00Z'
    creation:
      description: When it was set first, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    key:
      description: The key, masked but for its format and its last four characters.
      type: str
      sample: PCE1.****YnBg
    valid:
      description: Whether it is valid now.
      type: bool
      sample: true
    days_left:
      description: Days until it ends, where a day that has begun counts. V(0) when it has ended.
      type: int
      sample: 30
code:
  description: What sort of error it is, such as V(not_found), V(conflict), V(store) or V(host).
  returned: failure
  type: str
  sample: not_found
errors:
  description: What is wrong, V(msg) taken apart.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: As RV(code).
      type: str
      sample: not_found
    resource:
      description: Kind and name of what it is about, V(null) where it is about none.
      type: str
      sample: organization "Exampel"
    message:
      description: What was asked, and what is there.
      type: str
      sample: does not exist
    hint:
      description: What to do about it, V(null) where nothing better is known than the message.
      type: str
      sample: Did you mean "Example"?
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "node": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "node_id",
            "edition",
            "customer",
            "not_before",
            "expiry",
            "creation",
            "node",
            "key",
            "valid",
            "days_left",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("node_license_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
