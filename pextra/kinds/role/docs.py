# SPDX-License-Identifier: Apache-2.0
"""The documentation of roles, besides that of their fields."""

from __future__ import annotations

from pextra.kinds.policy.view import PREDEFINED
from pextra.kinds.role.fields import POLICIES
from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="role",
    nouns="roles",
    module=Text(
        short="Manage roles, the policies that users are given together",
        description=(
            "Creates, changes and removes roles of an organization. A role is a list of policies;"
            " users get roles with M(pextra.ce.user), and may do what all the policies of all their"
            " roles say together.",
            "Every organization has the predefined roles V(administrator), V(operator),"
            " V(viewer), V(network), V(storage) and V(auditor). They cannot be changed; O(copy_of)"
            " makes a role of your own that begins as one of them.",
            "A change holds at once, also for users who are logged in.",
        ),
        seealso=("role_info", "policy", "user", "policy_decision_info"),
        examples="""
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
""",
    ),
    info=Text(
        short="List roles",
        description=(
            "Lists roles of one or of all organizations, with the predefined ones, which belong to"
            " none.",
        ),
        seealso=("role",),
        examples="""
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
""",
    ),
    states={
        "present": "creates the role, or changes what is given and differs.",
        "absent": "removes the role. No user may have it; who does is told.",
    },
    steps=Steps(
        name="backup",
        sample=("update", {"description": ""}, {"description": "Makes backups"}),
        kinds=", or V(role_policy) for a policy that it gets, loses or has in another place",
    ),
    failure=Failure(
        "conflict", 'role "backup"', "users have it: alice, bob", "Take it from these users first"
    ),
    returned={"policies": POLICIES, "predefined": PREDEFINED},
)
