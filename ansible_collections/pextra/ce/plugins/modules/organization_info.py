#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/organization: make generate
"""List organizations."""

from __future__ import annotations

DOCUMENTATION = r"""
module: organization_info
short_description: List organizations
version_added: 0.1.0
description:
  - Lists organizations, with how much they own.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
  - pextra.ce.listing
options:
  name:
    description:
      - Only the ones with this name.
    type: str
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - cluster_count
      - creation
      - datacenter_count
      - description
      - id
      - name
      - user_count
seealso:
  - module: pextra.ce.organization
"""

EXAMPLES = r"""
- name: List all organizations
  pextra.ce.organization_info:
  register: all

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.name }} ({{ item.id }}) has {{ item.datacenter_count }} datacenters"
  loop: "{{ all.organizations }}"
  loop_control:
    label: "{{ item.name }}"

- name: Find one by its name, and only how many users it has
  pextra.ce.organization_info:
    name: Example
    fields: [name, user_count]
"""

RETURN = r"""
organizations:
  description: The organizations that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(org-) and 21 characters.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    name:
      description: Name of the organization.
      type: str
      sample: Example
    description:
      description: Text for people.
      type: str
      sample: Production
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    datacenter_count:
      description: How many datacenters it has.
      type: int
      sample: 1
    cluster_count:
      description: How many clusters it has.
      type: int
      sample: 1
    user_count:
      description: How many users it has.
      type: int
      sample: 2
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
    "name": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "name",
            "description",
            "creation",
            "datacenter_count",
            "cluster_count",
            "user_count",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("organization_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
