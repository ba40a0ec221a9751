#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/policy: make generate
"""Manage policies, which say what is allowed and denied."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy
short_description: Manage policies, which say what is allowed and denied
version_added: 0.1.0
description:
  - Creates, changes, copies, imports, restores and removes policies of an organization. A
    policy is a list of statements. M(pextra.ce.role) puts policies together, and M(pextra.ce.user)
    gives roles to users.
  - 'Every organization has a predefined policy for each predefined role: V(administrator),
    V(operator), V(viewer), V(network), V(storage) and V(auditor). They cannot be changed;
    O(copy_of) makes a policy of your own that begins as one of them.'
  - Whatever a policy says, nobody reaches what another organization has, and root users are
    not bound.
  - A change holds at once. Each change of the statements is kept as a version.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the policy, unique in the organization, and not that of a predefined one.
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
  enabled:
    description:
      - Whether the policy counts. One that does not allows and denies nothing.
      - Default on creation is V(true).
    type: bool
  statements:
    description:
      - 'What the policy allows and denies, at most 1024 statements. The list is taken as
        a whole: statements that are not in it go.'
      - What any statement denies is denied. What none denies and one allows is allowed; what
        no statement allows is denied.
      - All statements are checked before anything is changed, and all that is wrong is told
        at once.
      - Default on creation is empty, and an empty list clears it.
    type: list
    elements: dict
    suboptions:
      effect:
        description:
          - Whether it allows or denies what it matches. What any statement denies is denied.
        type: str
        choices:
          - allow
          - deny
        required: true
      actions:
        description:
          - Actions, or patterns of them with V(*), such as V(instance.*).
        type: list
        elements: str
        required: true
      resources:
        description:
          - Identifiers, or patterns of them with V(*), such as V(inst-*). One of an organization,
            a datacenter, a cluster or a node reaches what is in it.
        type: list
        elements: str
        required: true
      rule:
        description:
          - A condition, without which the statement does not match.
          - V(null) clears it.
        type: str
      id:
        description:
          - A name for the statement.
          - V(null) clears it.
        type: str
      description:
        description:
          - Text for people.
          - Default on creation is empty, and an empty string clears it.
        type: str
  document:
    description:
      - 'The policy as the platform''s export has it, instead of O(statements): a dictionary
        C({name, enabled, description, policy: [statement]}), a list of some, or C({policies:
        [...]}), also as text in JSON.'
      - Without O(name), the document must have one policy, whose name is taken. With it,
        the document's policy of that name is; a single one is taken whatever its name is.
      - O(description) and O(enabled) are the document's, unless they are given besides.
    type: raw
  copy_of:
    description:
      - Id or name of a policy of the organization, or of a predefined one, whose statements
        a new policy begins with. A policy that is there keeps its own, so the same task can
        run again.
      - Predefined are V(administrator), V(operator), V(viewer), V(network), V(storage) and
        V(auditor).
    type: str
  restore:
    description:
      - The number of an earlier version, whose statements the policy has from now on. They
        are a new version, so that nothing of what was is lost.
    type: int
  force:
    description:
      - Change it even if the platform user who asks could no longer take the change back.
        Without it, a run is refused by which its own author is locked out.
    type: bool
    default: false
  state:
    description:
      - V(present) creates the policy, or changes what is given and differs.
      - V(absent) removes the policy with its versions. No role may have it; which do is told.
    type: str
    choices:
      - present
      - absent
    default: present
notes:
  - A statement with a C(rule) needs a licence with the feature C(IAM_ABAC_RULES). Without
    it no new rule is taken; those that are there go on to work.
seealso:
  - module: pextra.ce.policy_info
  - module: pextra.ce.role
  - module: pextra.ce.user
  - module: pextra.ce.policy_decision_info
"""

EXAMPLES = r"""
- name: Have a policy
  pextra.ce.policy:
    name: backup operators
    organization: Example
    statements:
      - effect: allow
        actions: [instance.list, instance.read, instance.backup]
        resources: ["*"]
      - effect: deny
        actions: ["*.delete"]
        resources: ["inst-*", "vol-*"]

- name: Have a policy that begins as a predefined one
  pextra.ce.policy:
    name: our operators
    organization: Example
    copy_of: operator

- name: Import a policy that the platform has exported
  pextra.ce.policy:
    organization: Example
    document:
      policies:
        - name: imported
          enabled: true
          description: From another deployment
          policy:
            - effect: allow
              actions: ["volume.*"]
              resources: ["*"]

- name: Allow something else
  pextra.ce.policy:
    name: backup operators
    organization: Example
    statements:
      - effect: allow
        actions: ["instance.*"]
        resources: ["*"]

- name: Go back to what it was in the beginning
  pextra.ce.policy:
    name: backup operators
    organization: Example
    restore: 1

- name: Remove it when no role has it
  pextra.ce.policy:
    name: backup operators
    organization: Example
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything
    would.
  returned: success
  type: bool
  sample: true
policy:
  description: The policy after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(iampol-) and 21 characters.
      type: str
      sample: iampol-Ln_qXlWssvgQu1OUw6M96
    name:
      description: Name of the policy.
      type: str
      sample: backup operators
    organization_id:
      description: Identifier of the organization that it belongs to,
        V(null) of a predefined one.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    description:
      description: Text for people.
      type: str
      sample: Production
    enabled:
      description: Whether it counts.
      type: bool
      sample: true
    statements:
      description: Its statements, in the order in which they are asked.
      type: list
      elements: dict
      contains:
        id:
          description: A name for the statement, where it has one.
          type: str
          sample: no-nights
        description:
          description: Text for people, where it has some.
          type: str
          sample: Not at night
        effect:
          description: V(allow) or V(deny).
          type: str
          sample: allow
        actions:
          description: Actions, or patterns of them.
          type: list
          elements: str
          sample:
            - instance.*
        resources:
          description: Identifiers of resources, or patterns of them.
          type: list
          elements: str
          sample:
            - '*'
        rule:
          description: Its condition, where it has one.
          type: str
          sample: env.time_of_day < "18:00:00"
    version:
      description: The number of its version, which is one more with
        each change of its statements. Earlier ones can be restored.
      type: int
      sample: 3
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    predefined:
      description: 'Whether it is predefined: every organization has
        it, and nobody changes it.'
      type: bool
      sample: false
    document:
      description: The policy as the platform's export has it, which
        O(pextra.ce.policy#module:document) takes.
      type: dict
      sample:
        name: backup operators
        enabled: true
        description: ''
        policy:
          - effect: allow
            actions:
              - instance.backup
            resources:
              - '*'
plan:
  description:
    - The steps in the order in which they were carried out; in check
      mode, would be. Empty if everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(policy), or V(policy_version)
        for what its statements were.
      type: str
      sample: policy
    name:
      description: Its name.
      type: str
      sample: backup operators
    action:
      description: In the store, V(create), V(update), or V(delete).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null)
        where there was nothing.
      type: dict
      sample:
        version: 1
        enabled: true
    after:
      description: The values as they become. V(null) where nothing
        is left.
      type: dict
      sample:
        version: 2
        enabled: false
    needs_restart:
      description: Always V(false) for this kind.
      type: bool
      sample: false
code:
  description:
    - The kind of failure. V(plan) if the request was refused as a whole,
      with the reasons in RV(errors); else the code of the only error.
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: plan
errors:
  description: What is wrong; after V(plan), everything that was found
    wrong.
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
        - V(license_feature), the edition in force has no rules.
      type: str
      sample: invalid_input
    resource:
      description: Kind and name of what it is about, V(null) if it
        is about no resource.
      type: str
      sample: policy "backup operators"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'statement 1: ''instance.raed'' is no action'
    hint:
      description: What to do about it, V(null) if the message says
        it all.
      type: str
      sample: Did you mean instance.read?
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "organization": {"type": "str"},
    "description": {"type": "str"},
    "enabled": {"type": "bool"},
    "statements": {
        "type": "list",
        "elements": "dict",
        "options": {
            "effect": {"type": "str", "required": True, "choices": ["allow", "deny"]},
            "actions": {"type": "list", "required": True, "elements": "str"},
            "resources": {"type": "list", "required": True, "elements": "str"},
            "rule": {"type": "str"},
            "id": {"type": "str"},
            "description": {"type": "str"},
        },
    },
    "document": {"type": "raw"},
    "copy_of": {"type": "str"},
    "restore": {"type": "int"},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("policy", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
