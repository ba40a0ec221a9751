#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/ai_provider: make generate
"""List AI providers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ai_provider_info
short_description: List AI providers
version_added: 0.1.0
description:
  - Lists AI providers of one or of all organizations, without their keys.
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
      - base_url
      - creation
      - description
      - enabled
      - has_api_key
      - id
      - model
      - name
      - organization
      - organization_id
      - type
seealso:
  - module: pextra.ce.ai_provider
"""

EXAMPLES = r"""
- name: List the providers of an organization
  pextra.ce.ai_provider_info:
    organization: Example
  register: all

- name: Show which are used
  ansible.builtin.debug:
    msg: "{{ all.ai_providers | selectattr('enabled') | map(attribute='name') }}"
"""

RETURN = r"""
ai_providers:
  description: The providers that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(orgai-) and 21 characters.
      type: str
      sample: orgai-7-jjdXK17wFhjkbJItO9d
    name:
      description: Name of the provider.
      type: str
      sample: assistant
    organization_id:
      description: Identifier of the organization that it belongs to.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    organization:
      description: Name of the organization.
      type: str
      sample: Example
    description:
      description: Text for people.
      type: str
      sample: Production
    type:
      description: Whose interface it has.
      type: str
      sample: openai
    base_url:
      description: Where its interface is, V(null) where its type says it.
      type: str
      sample: https://llm.example.com/v1
    model:
      description: The model that is used, V(null) without one.
      type: str
      sample: gpt-5-mini
    enabled:
      description: Whether it is used.
      type: bool
      sample: true
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    has_api_key:
      description: Whether it has a key.
      type: bool
      sample: true
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
            "type",
            "base_url",
            "model",
            "enabled",
            "creation",
            "organization",
            "has_api_key",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("ai_provider_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
