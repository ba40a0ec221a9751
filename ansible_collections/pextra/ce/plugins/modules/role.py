#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/role: make generate
"""Manage roles, the policies that users are given together."""

from __future__ import annotations

DOCUMENTATION = r"""
module: role
short_description: Manage roles, the policies that users are given together
version_added: 0.1.0
description:
  - Creates, changes and removes roles of an organization. A role is a list of policies; users
    get roles with M(pextra.ce.user), and may do what all the policies of all their roles
    say together.
  - Every organization has the predefined roles V(administrator), V(operator), V(viewer),
    V(network), V(storage) and V(auditor). They cannot be changed; O(copy_of) makes a role
    of your own that begins as one of them.
  - A change holds at once, also for users who are logged in.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the role, unique in the organization, and not that of a predefined one.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning
        and ending with a letter or digit.
      - Required to create one. Together with O(id) it is the new name.
    type: str
  organization:
    description:
      - Id or name of the organization that it belongs to.
      - Left out, it is the only organization there is. With several, it must be given. Cannot
        be changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  policies:
    description:
      - Ids or names of its policies, of the organization or predefined, in the order in which
        they are asked. The order decides nothing but which statement is told to have decided.
      - Policies that it has and that are not in the list stay behind these, unless O(purge)
        says otherwise.
    type: list
    elements: str
  copy_of:
    description:
      - Id or name of a role of the organization, or of a predefined one, whose policies a
        new role begins with. A role that is there keeps its own, so the same task can run
        again.
      - Predefined are V(administrator), V(operator), V(viewer), V(network), V(storage) and
        V(auditor), each with the policy of the same name.
    type: str
  purge:
    description:
      - Also take from it the policies that O(policies) does not name.
    type: bool
    default: false
  force:
    description:
      - Change it even if the platform user who asks could no longer take the change back.
        Without it, a run is refused by which its own author is locked out.
    type: bool
    default: false
  state:
    description:
      - V(present) creates the role, or changes what is given and differs.
      - V(absent) removes the role. No user may have it; who does is told.
    type: str
    choices:
      - present
      - absent
    default: present
seealso:
  - module: pextra.ce.role_info
  - module: pextra.ce.policy
  - module: pextra.ce.user
  - module: pextra.ce.policy_decision_info
"""

EXAMPLES = r"""
- name: Have a role with a predefined policy and one of the organization
  pextra.ce.role:
    name: backup
    organization: Example
    description: Sees everything and makes backups
    policies: [viewer, backup operators]

- name: Have a role that begins as a predefined one
  pextra.ce.role:
    name: junior operator
    organization: Example
    copy_of: operator

- name: Let a role have these policies and no others
  pextra.ce.role:
    name: backup
    organization: Example
    policies: [backup operators]
    purge: true

- name: Remove a role that no user has
  pextra.ce.role:
    name: backup
    organization: Example
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
role:
  description: The role after the task, V(null) where it is absent.
  returned: success
  type: dict
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
      description: Identifier of the organization that it belongs to, V(null) of a predefined
        one.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
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
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(role), or V(role_policy) for a policy that it gets,
        loses or has in another place.
      type: str
      sample: role
    name:
      description: Its name.
      type: str
      sample: backup
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
        description: Makes backups
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
      sample: role "backup"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'users have it: alice, bob'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Take it from these users first
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "organization": {"type": "str"},
    "description": {"type": "str"},
    "policies": {"type": "list", "elements": "str"},
    "copy_of": {"type": "str"},
    "purge": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("role", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
