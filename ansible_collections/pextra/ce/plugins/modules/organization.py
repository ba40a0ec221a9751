#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/organization: make generate
"""Manage organizations, the tenants of the platform."""

from __future__ import annotations

DOCUMENTATION = r"""
module: organization
short_description: Manage organizations, the tenants of the platform
version_added: 0.1.0
description:
  - Creates, changes, renames and removes an organization.
  - Organizations own datacenters, users, roles, policies and AI providers. The first one is the
    root organization, the owner of the deployment.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the organization, unique in the deployment. Renaming it changes nothing else.
      - From 1 to 63 letters of any script, digits, spaces and marks as names of companies have
        them, such as C(Kea & Sons), beginning with a letter or digit.
      - Required to create one. Together with O(id) it is the new name.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  state:
    description:
      - V(present) creates the organization, or changes what is given and differs.
      - V(absent) removes it. It must hold no datacenter, user, role, policy or AI provider. What
        is predefined does not count.
    type: str
    choices:
      - present
      - absent
    default: present
seealso:
  - module: pextra.ce.organization_info
  - module: pextra.ce.datacenter
  - module: pextra.ce.user
"""

EXAMPLES = r"""
- name: Have an organization
  pextra.ce.organization:
    name: Example
    description: Owner of the deployment
  register: example

- name: Rename it
  pextra.ce.organization:
    id: "{{ example.organization.id }}"
    name: Example Hosting

- name: Remove it when nothing is left in it
  pextra.ce.organization:
    name: Example Hosting
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
organization:
  description: The organization after the task, V(null) where it is absent.
  returned: success
  type: dict
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
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(organization).
      type: str
      sample: organization
    name:
      description: Its name.
      type: str
      sample: Example
    action:
      description: In the store, V(create), V(update), or V(delete).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        description: ''
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        description: Owner of the deployment
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
        - V(store), the database cannot be reached or used.
      type: str
      sample: conflict
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: organization "Example"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'it still holds 1 of kind datacenter: Frankfurt'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Remove those first
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "description": {"type": "str"},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("organization", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
