#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/policy: make generate
"""List policies."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_info
short_description: List policies
version_added: 0.1.0
description:
  - Lists policies of one or of all organizations, with the predefined ones, which belong to none.
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
      - All of them but V(document) and V(versions) when it is left out or empty.
    type: list
    elements: str
    choices:
      - creation
      - description
      - document
      - enabled
      - id
      - name
      - organization
      - organization_id
      - predefined
      - roles
      - statements
      - version
      - versions
seealso:
  - module: pextra.ce.policy
"""

EXAMPLES = r"""
- name: List the policies of an organization
  pextra.ce.policy_info:
    organization: Example
  register: all

- name: Export one, to be imported elsewhere
  pextra.ce.policy_info:
    organization: Example
    name: operator
    fields: [document]
  register: exported

- name: Show it as the platform writes it
  ansible.builtin.debug:
    msg: "{{ {'policies': exported.policies | map(attribute='document')} | to_nice_json }}"

- name: See what the statements were before
  pextra.ce.policy_info:
    organization: Example
    fields: [name, version, versions]
"""

RETURN = r"""
policies:
  description: The policies that match, sorted by name.
  returned: success
  type: list
  elements: dict
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
    organization:
      description: Name of the organization, V(null) without one.
      type: str
      sample: Example
    description:
      description: Text for people.
      type: str
      sample: Production
    enabled:
      description: Whether it counts.
      type: bool
      sample: true
    version:
      description: The number of its version, which is one more with
        each change of its statements. Earlier ones can be restored.
      type: int
      sample: 3
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
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
    predefined:
      description: 'Whether it is predefined: every organization has
        it, and nobody changes it.'
      type: bool
      sample: false
    roles:
      description: The names of the roles that have it, V(null) of a
        predefined policy.
      type: list
      elements: str
      sample:
        - backup
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
    versions:
      description: What its statements were, the oldest first. A predefined
        policy has none.
      type: list
      elements: dict
      contains:
        number:
          description: The number of the version.
          type: int
          sample: 1
        creation:
          description: Since when it was so, in UTC.
          type: str
          sample: '2026-01-31T12:00:00Z'
        statements:
          description: Its statements, in the order in which they are
            asked.
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
              description: Identifiers of resources, or patterns of
                them.
              type: list
              elements: str
              sample:
                - '*'
            rule:
              description: Its condition, where it has one.
              type: str
              sample: env.time_of_day < "18:00:00"
code:
  description: What sort of error it is, such as V(not_found), V(conflict),
    V(store) or V(host).
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
      description: Kind and name of what it is about, V(null) where
        it is about none.
      type: str
      sample: organization "Exampel"
    message:
      description: What was asked, and what is there.
      type: str
      sample: does not exist
    hint:
      description: What to do about it, V(null) where nothing better
        is known than the message.
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
            "enabled",
            "version",
            "creation",
            "organization",
            "statements",
            "predefined",
            "roles",
            "document",
            "versions",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("policy_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
