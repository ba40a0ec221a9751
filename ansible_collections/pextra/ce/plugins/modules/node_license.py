#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/node_license: make generate
"""Set the platform licence of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_license
short_description: Set the platform licence of a node
version_added: 0.1.0
description:
  - Checks a licence key against the public keys that the node trusts, without a network, and sets
    it as the node's licence; or makes an evaluation licence of 30 days on the node; or removes
    the licence.
  - The trusted public keys are the files C(/etc/pextra-ce/license-keys.d/*.pem) of the node.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  node:
    description:
      - Id or name of the node.
      - A key is checked by the node itself, so the task must run on it; a licence can be removed
        from elsewhere.
      - Left out, it is the node that this machine is registered as. Cannot be changed afterwards.
    type: str
  key:
    description:
      - The licence key, from C(PCE1) to its last character. White space around it does not matter.
      - It is refused by name if it is malformed, of a later format, from an unknown signer, has
        a signature that does not fit, is not valid yet, or has expired. The licence that is there
        stays then.
      - A key that is set already is not checked again, so that the same task can run after it has
        expired.
      - Required to create one, unless O(evaluation=true).
      - It is shown nowhere.
    type: str
  evaluation:
    description:
      - Make an evaluation licence of 30 days for this node, if it has no licence. A licence that
        is there stays, whatever it is.
      - Each node can do that once. When the evaluation has expired, a second one is refused.
      - Not together with O(key).
    type: bool
    default: false
  state:
    description:
      - V(present) sets the licence.
      - V(absent) removes it from the store. Files of an evaluation stay on the node, and the same
        evaluation can be set again until it expires.
    type: str
    choices:
      - present
      - absent
    default: present
requirements:
  - cryptography >= 38 (Debian package python3-cryptography)
notes:
  - A node has at most one licence, and a key serves one node.
seealso:
  - module: pextra.ce.node_license_info
  - module: pextra.ce.cluster_info
  - module: pextra.ce.node
"""

EXAMPLES = r"""
- name: Evaluate the platform for 30 days
  pextra.ce.node_license:
    evaluation: true

- name: Set the licence that was bought for this node
  pextra.ce.node_license:
    key: "{{ lookup('ansible.builtin.file', '/etc/pextra-ce/node1.license') }}"

- name: Free the licence of a node
  pextra.ce.node_license:
    node: node1
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
node_license:
  description: The licence after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(lic-) and 21 characters.
      type: str
      sample: lic-Scs04n_HUwGrg93FlBU8v
    node_id:
      description: Identifier of the node.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
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
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(node_license).
      type: str
      sample: node_license
    name:
      description: Its name.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    action:
      description:
        - In the store, V(create), V(update), or V(delete).
        - A change of the key shows as C((secret)) and C((another secret)).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        edition: evaluation
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        edition: standard
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
        - V(unsupported), the node lacks what the request needs.
        - V(store), the database cannot be reached or used.
        - C(license_malformed), C(license_expired) and others with this beginning, the key is
          refused. The collection's C(docs/license-keys.md) lists them.
      type: str
      sample: license_expired
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: node_license
    message:
      description: What was asked and what is there.
      type: str
      sample: the licence expired on 2026-01-31T00:00:00Z
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Set a new key
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "node": {"type": "str"},
    "key": {"type": "str", "no_log": True},
    "evaluation": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("node_license", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
