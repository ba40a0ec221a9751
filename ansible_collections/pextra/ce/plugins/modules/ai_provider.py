#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/ai_provider: make generate
"""Manage AI providers of an organization."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ai_provider
short_description: Manage AI providers of an organization
version_added: 0.1.0
description:
  - Creates, changes and removes connections to services with language models, in the cloud or
    your own. An organization needs one for the AI features of the platform.
  - The key of a provider is in no result, difference, audit row or log. A changed key shows as
    C((secret)) and C((another secret)).
  - Removing the last provider of an organization is possible, and warns.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the provider, unique in the organization.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning and
        ending with a letter or digit.
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
  type:
    description:
      - Whose interface it has. V(ollama) and V(lmstudio) are hosted by yourself, the others by
        their makers.
      - For any other service with the interface of OpenAI, take V(openai) and give O(base_url).
      - Required to create one.
    type: str
    choices:
      - openai
      - anthropic
      - google
      - xai
      - mistral
      - deepinfra
      - deepseek
      - cerebras
      - groq
      - perplexity
      - cohere
      - ollama
      - lmstudio
  base_url:
    description:
      - Where the provider's interface is, such as C(https://llm.example.com/v1). Required for
        V(ollama) and V(lmstudio); the other types have one of their own.
      - 'It begins with C(https). C(http) is possible to a private or loopback address and to
        names that are not on the internet: C(localhost), names without dots, and those that end
        with C(.local), C(.lan), C(.internal), C(.home.arpa) or C(.localhost).'
      - V(null) clears it.
    type: str
  api_key:
    description:
      - The key that the provider gave you. It can be changed and cleared, and not be read again.
        Types that are hosted by their makers need one, unless O(base_url) leads elsewhere.
      - V(null) clears it. It is shown nowhere.
    type: str
  model:
    description:
      - Name of the model that is used unless something else is asked for.
      - V(null) clears it.
    type: str
  enabled:
    description:
      - Whether the provider is used.
      - Default on creation is V(true).
    type: bool
  test:
    description:
      - Ask the provider for the list of its models before anything is changed, in check mode
        too. The task fails if it does not answer, refuses the key, or does not have O(model).
      - The node asks, with the options of this task. The providers of the types V(deepinfra)
        and V(perplexity) list their models without looking at the key.
    type: bool
    default: false
  timeout:
    description:
      - How long O(test) may take.
      - Counted in seconds.
    type: int
    default: 20
  state:
    description:
      - V(present) creates the provider, or changes what is given and differs.
      - V(absent) removes the provider. It warns where that is the organization's last one.
    type: str
    choices:
      - present
      - absent
    default: present
notes:
  - O(test) needs a way from the node to the provider. C(https_proxy) in the task's C(environment)
    is used for C(https), and for C(http) no proxy.
seealso:
  - module: pextra.ce.ai_provider_info
  - module: pextra.ce.organization
"""

EXAMPLES = r"""
- name: Have a provider with a key from the vault
  pextra.ce.ai_provider:
    name: assistant
    organization: Example
    type: anthropic
    api_key: "{{ vaulted_ai_key }}"
    model: claude-sonnet-4-6

- name: Have a server of your own in the private network
  pextra.ce.ai_provider:
    name: local
    organization: Example
    type: ollama
    base_url: http://192.168.7.20:11434
    model: llama3.1:8b

- name: Have another service with the interface of OpenAI
  pextra.ce.ai_provider:
    name: other
    organization: Example
    type: openai
    base_url: https://llm.example.com/v1
    api_key: "{{ vaulted_ai_key }}"

- name: Turn one off for now
  pextra.ce.ai_provider:
    name: other
    organization: Example
    enabled: false

- name: Remove it
  pextra.ce.ai_provider:
    name: other
    organization: Example
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
ai_provider:
  description: The provider after the task, V(null) where it is absent.
  returned: success
  type: dict
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
    test:
      description: What O(test) came to, V(null) without it.
      type: dict
      contains:
        url:
          description: Where the list of models was asked for.
          type: str
          sample: https://api.openai.com/v1/models
        models:
          description: The names of the provider's models, sorted, at most 2000.
          type: list
          elements: str
          sample:
            - gpt-5
            - gpt-5-mini
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(ai_provider).
      type: str
      sample: ai_provider
    name:
      description: Its name.
      type: str
      sample: assistant
    action:
      description:
        - In the store, V(create), V(update), or V(delete).
        - A change of the key shows as C((secret)) and C((another secret)).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        model: null
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        model: gpt-5-mini
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
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(secret), a secret cannot be encrypted or read, as the node does not have the key.
        - V(store), the database cannot be reached or used.
      type: str
      sample: host
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: ai_provider "assistant"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'the provider refuses the key: api.openai.com answers with status 401'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Give another api_key
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "organization": {"type": "str"},
    "description": {"type": "str"},
    "type": {
        "type": "str",
        "choices": [
            "openai",
            "anthropic",
            "google",
            "xai",
            "mistral",
            "deepinfra",
            "deepseek",
            "cerebras",
            "groq",
            "perplexity",
            "cohere",
            "ollama",
            "lmstudio",
        ],
    },
    "base_url": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "model": {"type": "str"},
    "enabled": {"type": "bool"},
    "test": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 20},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("ai_provider", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
