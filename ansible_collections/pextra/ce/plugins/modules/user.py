#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/user: make generate
"""Manage users of an organization."""

from __future__ import annotations

DOCUMENTATION = r"""
module: user
short_description: Manage users of an organization
version_added: 0.1.0
description:
  - Creates, changes and removes users of the platform.
  - Passwords are kept as argon2id hashes. Neither a password nor its hash appears
    in any result, difference, audit row or log.
  - What a user may do is what the policies of O(roles) say. Root users, whom policies
    do not bind, stay root, and the last one of them that is enabled cannot be disabled,
    get an expiry, or be removed.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  username:
    description:
      - Name that the user logs in with, unique in the organization.
      - From 1 to 63 of the characters C(a-z), C(0-9), dot, underscore, hyphen and
        C(@), beginning and ending with a letter or digit.
      - Required to create one. Cannot be changed afterwards.
    type: str
  organization:
    description:
      - Id or name of the organization that the user belongs to.
      - Left out, it is the only organization there is. With several, it must be
        given. Cannot be changed afterwards.
    type: str
  password:
    description:
      - The password, of 8 to 1024 characters.
      - A password that fits the stored hash changes nothing, so that the same task
        can run again.
      - Give this or O(password_hash), not both. With neither, a new user cannot
        log in by password.
      - It is shown nowhere.
    type: str
  password_hash:
    description:
      - Hash of the password, in the PHC string format of argon2id, version 19,
        C($argon2id$v=19$m=19456,t=2,p=1$SALT$HASH).
      - It must be at least as strong as the weakest parameters that OWASP recommends,
        such as C(m=19456,t=2,p=1), with at most 1 GiB of memory, 64 passes and
        64 lanes.
      - Unlike O(password) it is compared as text, so another hash of the same password
        is a change.
      - It is shown nowhere.
    type: str
  linux_user:
    description:
      - Linux user on the nodes that this user acts as. It need not exist yet.
      - V(null) clears it.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  enabled:
    description:
      - Whether the user may log in.
      - Default on creation is V(true).
    type: bool
  expiry:
    description:
      - Moment from which on the user may no longer log in, as ISO 8601 date or
        time. Without an offset it is in UTC; a date means its first moment. A user
        without one never expires.
      - V(null) clears it.
    type: str
  is_root:
    description:
      - Whether the user is a root user, to whom no access rule applies.
      - Default on creation is V(false). Cannot be changed afterwards.
    type: bool
  roles:
    description:
      - Ids or names of the user's roles, of the organization or predefined. What
        the user may do is what the policies of these roles say together.
      - Roles that the user has and that are not in the list stay, unless O(purge)
        says otherwise. A root user needs none.
    type: list
    elements: str
  update_password:
    description:
      - V(always) sets the given password of an existing user, too.
      - V(on_create) sets it for a user that has none yet, and leaves one that is
        there alone.
    type: str
    choices:
      - always
      - on_create
    default: always
  purge:
    description:
      - Also take from the user the roles that O(roles) does not name.
    type: bool
    default: false
  force:
    description:
      - Change it even if the platform user who asks could no longer take the change
        back. Without it, a run is refused by which its own author is locked out.
    type: bool
    default: false
  state:
    description:
      - V(present) creates the user, or changes what is given and differs.
      - V(absent) removes the user, and takes its roles from it.
    type: str
    choices:
      - present
      - absent
    default: present
requirements:
  - argon2-cffi >= 21.1 (Debian package python3-argon2), for O(password)
notes:
  - Comparing a password with its hash takes about 40 ms of processor time for each
    user.
seealso:
  - module: pextra.ce.user_info
  - module: pextra.ce.organization
  - module: pextra.ce.role
  - module: pextra.ce.policy_decision_info
"""

EXAMPLES = r"""
- name: Have a user with a password from the vault
  pextra.ce.user:
    username: alice
    organization: Example
    password: "{{ vaulted_password }}"
    linux_user: alice
    description: Operations
    roles: [operator]

- name: Have a user whose first password is theirs to change
  pextra.ce.user:
    username: bob@example.net
    organization: Example
    password: "{{ first_password }}"
    update_password: on_create
    expiry: "2031-01-31"

- name: Have a service user with a hash that another system made
  pextra.ce.user:
    username: backup
    organization: Example
    password_hash: "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$\
      uyLZQyAdVnP4XqC4CJzpnD0AtNqjsVMOQmVhIUeJ/Gs"

- name: Let a user never expire
  pextra.ce.user:
    username: bob@example.net
    organization: Example
    expiry: null

- name: Have a user with these roles and no others
  pextra.ce.user:
    username: bob@example.net
    organization: Example
    roles: [viewer, storage]
    purge: true

- name: Lock a user out
  pextra.ce.user:
    username: alice
    organization: Example
    enabled: false

- name: Remove a user
  pextra.ce.user:
    username: alice
    organization: Example
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
user:
  description: The user after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(user-) and 21 characters.
      type: str
      sample: user-BPiZbadjt6lpsQKO4wB1a
    username:
      description: Name that the user logs in with.
      type: str
      sample: alice
    organization_id:
      description: Identifier of the organization that the user belongs to.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    linux_user:
      description: The Linux user that it is on nodes, V(null) without one.
      type: str
      sample: alice
    description:
      description: Text for people.
      type: str
      sample: Production
    enabled:
      description: Whether the user may log in.
      type: bool
      sample: true
    expiry:
      description: When the account ends or ended, in UTC, V(null) where it never ends.
      type: str
      sample: '2031-01-31T00:00:00Z'
    is_root:
      description: Whether the user is a root user, whom no policy binds.
      type: bool
      sample: false
    locked:
      description: Whether the user is locked after failed attempts.
      type: bool
      sample: false
    mfa_enabled:
      description: Whether the user needs a second factor.
      type: bool
      sample: false
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    roles:
      description: The names of the user's roles, in the order in which their policies are asked.
      type: list
      elements: str
      sample:
        - operator
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(user), or V(user_role) for a role that it gets or loses.
      type: str
      sample: user
    name:
      description: Its name.
      type: str
      sample: alice
    action:
      description:
        - In the store, V(create), V(update), or V(delete).
        - A change of the password shows as C((secret)) and C((another secret)).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        enabled: true
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        enabled: false
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
      type: str
      sample: invalid_input
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: user "alice"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'password: a password has 8 to 1024 characters'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "username": {"type": "str"},
    "organization": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "password_hash": {"type": "str", "no_log": True},
    "linux_user": {"type": "str"},
    "description": {"type": "str"},
    "enabled": {"type": "bool"},
    "expiry": {"type": "str"},
    "is_root": {"type": "bool"},
    "roles": {"type": "list", "elements": "str"},
    "update_password": {
        "type": "str",
        "default": "always",
        "choices": ["always", "on_create"],
        "no_log": False,
    },
    "purge": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("user", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
