#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/role: make generate
"""List roles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: role_info
short_description: List roles
version_added: 0.1.0
description:
  - Lists roles of one or of all organizations, with the predefined ones, which belong to none.
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
  organization:
    description:
      - Only those of this organization, by id or name.
    type: str
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - creation
      - description
      - id
      - name
      - organization
      - organization_id
      - policies
      - predefined
      - user_count
seealso:
  - module: pextra.ce.role
"""

EXAMPLES = r"""
- name: List the roles of an organization
  pextra.ce.role_info:
    organization: Example
  register: all

- name: Show what each role has
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.policies | join(', ') }}"
  loop: "{{ all.roles }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
roles:
  description: The roles that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(iamrole-) and 21 characters.
      type: str
      sample: iamrole-2igTYBYfQEzGL1GKd5wwg
    name:
      description: Name of the role.
      type: str
      sample: backup
    organization_id:
      description: Identifier of the organization that it belongs to, V(null) of a predefined one.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    organization:
      description: Name of the organization, V(null) without one.
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
    policies:
      description: The names of its policies, in the order in which they are asked.
      type: list
      elements: str
      sample:
        - viewer
        - backup operators
    predefined:
      description: 'Whether it is predefined: every organization has it, and nobody changes it.'
      type: bool
      sample: false
    user_count:
      description: How many users have it, V(null) of a predefined role.
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
    "organization": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "name",
            "organization_id",
            "description",
            "creation",
            "organization",
            "policies",
            "predefined",
            "user_count",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("role_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
