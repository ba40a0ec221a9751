#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/user: make generate
"""List users."""

from __future__ import annotations

DOCUMENTATION = r"""
module: user_info
short_description: List users
version_added: 0.1.0
description:
  - Lists users of one or of all organizations.
  - Neither passwords nor their hashes are returned.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
  - pextra.ce.listing
options:
  username:
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
      - enabled
      - expired
      - expiry
      - id
      - is_root
      - linux_user
      - locked
      - mfa_enabled
      - organization
      - organization_id
      - roles
      - username
seealso:
  - module: pextra.ce.user
"""

EXAMPLES = r"""
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
"""

RETURN = r"""
users:
  description: The users that match, sorted by name.
  returned: success
  type: list
  elements: dict
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
    organization:
      description: Name of the organization.
      type: str
      sample: Example
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
    expired:
      description: Whether the account has ended.
      type: bool
      sample: false
    roles:
      description: The names of the user's roles, in the order in which their policies are asked.
      type: list
      elements: str
      sample:
        - operator
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
    "username": {"type": "str"},
    "organization": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "username",
            "organization_id",
            "linux_user",
            "description",
            "enabled",
            "expiry",
            "is_root",
            "locked",
            "mfa_enabled",
            "creation",
            "organization",
            "expired",
            "roles",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("user_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
