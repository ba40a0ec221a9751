# SPDX-License-Identifier: Apache-2.0
"""The documentation of users, besides that of their fields."""

from __future__ import annotations

from pextra.kinds.user.fields import ROLES
from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="user",
    nouns="users",
    module=Text(
        short="Manage users of an organization",
        description=(
            "Creates, changes and removes users of the platform.",
            "Passwords are kept as argon2id hashes. Neither a password nor its hash appears in any"
            " result, difference, audit row or log.",
            "What a user may do is what the policies of O(roles) say. Root users, whom policies do"
            " not bind, stay root, and the last one of them that is enabled cannot be disabled, get"
            " an expiry, or be removed.",
        ),
        requirements=("argon2-cffi >= 21.1 (Debian package python3-argon2), for O(password)",),
        notes=(
            "Comparing a password with its hash takes about 40 ms of processor time for each user.",
        ),
        seealso=("user_info", "organization", "role", "policy_decision_info"),
        examples=r"""
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
""",
    ),
    info=Text(
        short="List users",
        description=(
            "Lists users of one or of all organizations.",
            "Neither passwords nor their hashes are returned.",
        ),
        seealso=("user",),
        examples="""
- name: List the users of an organization
  pextra.ce.user_info:
    organization: Example
  register: all

- name: Show who cannot log in
  ansible.builtin.debug:
    msg: "{{ all.users | rejectattr('enabled') | map(attribute='username') }}"

- name: Look whether a user has expired
  pextra.ce.user_info:
    username: anna
    fields: [username, expired, expiry]
""",
    ),
    states={
        "present": "creates the user, or changes what is given and differs.",
        "absent": "removes the user, and takes its roles from it.",
    },
    steps=Steps(
        name="alice",
        sample=("update", {"enabled": True}, {"enabled": False}),
        action=("A change of the password shows as C((secret)) and C((another secret)).",),
        kinds=", or V(user_role) for a role that it gets or loses",
    ),
    failure=Failure(
        "invalid_input", 'user "alice"', "password: a password has 8 to 1024 characters"
    ),
    codes=("unsupported",),
    returned={"roles": ROLES},
)
