#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask whether a user may do something, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_decision_info
short_description: Ask whether a user may do something, and why
version_added: 0.1.0
description:
  - Answers what the policies of a user's roles decide about an action on a resource, and names the
    statement that decides. Nothing is done and nothing is changed.
  - Use it to try out policies before users are given them, and to find out why somebody may do
    something or may not.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
options:
  user:
    description:
      - Id or name of the user.
    type: str
    required: true
  organization:
    description:
      - Id or name of the user's organization. Needed where several have a user of that name.
    type: str
  action:
    description:
      - What the user would do, such as V(instance.start) or V(volume.create). No pattern.
      - An action that does not exist is refused with the nearest one.
    type: str
    required: true
  resource:
    description:
      - Id of what it would be done to, or its name; a name is one of the kind that the action
        begins with, such as an instance for V(instance.start).
      - Left out, it is something new in the user's organization, as V(volume.create) makes it.
        Statements about patterns such as V(vol-*) do not match what has no identifier yet.
    type: str
  at:
    description:
      - When, as ISO 8601 date or time, for rules about the time. Without an offset it is in UTC.
      - Left out, it is now.
    type: str
  source_address:
    description:
      - IP address that the request would come from, for rules about it. Left out it is not known,
        and a rule that looks at it does not allow.
    type: str
  door:
    description:
      - What the request would come through, such as V(ansible), V(cli) or V(api), for rules about
        it. Left out it is not known, and a rule that looks at it does not allow.
    type: str
seealso:
  - module: pextra.ce.policy
  - module: pextra.ce.role
  - module: pextra.ce.user
"""

EXAMPLES = r"""
- name: Ask whether a user may make volumes
  pextra.ce.policy_decision_info:
    user: anna
    organization: Example
    action: volume.create
  register: decision

- name: Show why
  ansible.builtin.debug:
    msg: "{{ 'Yes' if decision.allowed else 'No' }}: {{ decision.why }}"

- name: Ask about one instance, on a Sunday evening, from some address
  pextra.ce.policy_decision_info:
    user: anna
    organization: Example
    action: instance.read
    resource: web1
    at: "2031-01-26T22:00:00Z"
    source_address: 192.0.2.7
    door: api

- name: Fail where a user could remove what it should not
  pextra.ce.policy_decision_info:
    user: anna
    organization: Example
    action: instance.delete
    resource: web1
  register: removal
  failed_when: removal.allowed
"""

RETURN = r"""
allowed:
  description: Whether the user may do it.
  returned: success
  type: bool
  sample: true
why:
  description: What decided, in words.
  returned: success
  type: str
  sample: statement 1 of the policy "operator" allows it
role:
  description: The first of the user's roles by which the user has the policy that decided,
    V(null) where no policy did.
  returned: success
  type: str
  sample: operator
policy:
  description: The policy that decided, V(null) where none did.
  returned: success
  type: str
  sample: operator
number:
  description: The number of the statement that decided, from 1, V(null) where none did.
  returned: success
  type: int
  sample: 1
statement:
  description: The statement that decided, as in O(pextra.ce.policy#module:statements), V(null)
    where none did.
  returned: success
  type: dict
  sample:
    effect: allow
    actions: ["instance.*"]
    resources: ["*"]
action:
  description: What was asked about.
  returned: success
  type: str
  sample: instance.start
user:
  description: Who was asked about.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier of the user.
      type: str
      sample: user-Y1jYV7MT2V3uWYkAyQbPg
    username:
      description: Name of the user.
      type: str
      sample: anna
    organization_id:
      description: Identifier of the user's organization.
      type: str
      sample: org-CIgLySkaAVeQ5kSLOodD3
    is_root:
      description: Whether the user is a root user, whom no policy binds.
      type: bool
      sample: false
    roles:
      description: The names of the user's roles, in the order in which their policies are asked.
      type: list
      elements: str
      sample: [operator]
resource:
  description: What it would be done to.
  returned: success
  type: dict
  contains:
    kind:
      description: Its kind.
      type: str
      sample: instance
    id:
      description: Its identifier, V(null) of something new.
      type: str
      sample: inst-Jm3QkcWlP1uZ5oWzQbTfE
    name:
      description: Its name, V(null) of something new.
      type: str
      sample: web1
    organization_id:
      description: Identifier of its organization, V(null) of what belongs to none.
      type: str
      sample: org-CIgLySkaAVeQ5kSLOodD3
    containers:
      description: Identifiers of the node, the cluster and the datacenter that it is in. Statements
        about these reach it.
      type: list
      elements: str
      sample: []
at:
  description: The moment that was asked about, in UTC.
  returned: success
  type: str
  sample: "2031-01-26T22:00:00Z"
code:
  description: What sort of error it is, such as V(not_found) or V(invalid_input).
  returned: failure
  type: str
  sample: invalid_input
errors:
  description: What is wrong, V(msg) taken apart.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: As RV(code).
      type: str
      sample: invalid_input
    resource:
      description: What it is about, V(null) where it is about none.
      type: str
      sample: policy_decision_info
    message:
      description: What was asked, and what is there.
      type: str
      sample: "'instance.strat' is no action"
    hint:
      description: What to do about it, V(null) where nothing better is known than the message.
      type: str
      sample: Did you mean instance.start?
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "user": {"type": "str", "required": True},
    "organization": {"type": "str"},
    "action": {"type": "str", "required": True},
    "resource": {"type": "str"},
    "at": {"type": "str"},
    "source_address": {"type": "str"},
    "door": {"type": "str"},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("policy_decision_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
