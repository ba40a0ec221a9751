# SPDX-License-Identifier: Apache-2.0
"""The documentation of AI providers, besides that of their fields."""

from __future__ import annotations

from pextra.kinds.ai_provider.view import HAS_KEY
from pextra.model.documentation import Failure, KindDocs, Steps, Text
from pextra.model.returned import Returned

DOCS = KindDocs(
    noun="provider",
    nouns="providers",
    module=Text(
        short="Manage AI providers of an organization",
        description=(
            "Creates, changes and removes connections to services with language models, in the"
            " cloud or your own. An organization needs one for the AI features of the platform.",
            "The key of a provider is in no result, difference, audit row or log. A changed key"
            " shows as C((secret)) and C((another secret)).",
            "Removing the last provider of an organization is possible, and warns.",
        ),
        notes=(
            "O(test) needs a way from the node to the provider. C(https_proxy) in the task's"
            " C(environment) is used for C(https), and for C(http) no proxy.",
        ),
        seealso=("ai_provider_info", "organization"),
        examples="""
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
""",
    ),
    info=Text(
        short="List AI providers",
        description=("Lists AI providers of one or of all organizations, without their keys.",),
        seealso=("ai_provider",),
        examples="""
- name: List the providers of an organization
  pextra.ce.ai_provider_info:
    organization: Example
  register: all

- name: Show which are used
  ansible.builtin.debug:
    msg: "{{ all.ai_providers | selectattr('enabled') | map(attribute='name') }}"
""",
    ),
    states={
        "present": "creates the provider, or changes what is given and differs.",
        "absent": "removes the provider. It warns where that is the organization's last one.",
    },
    steps=Steps(
        name="assistant",
        sample=("update", {"model": None}, {"model": "gpt-5-mini"}),
        action=("A change of the key shows as C((secret)) and C((another secret)).",),
    ),
    failure=Failure(
        "host",
        'ai_provider "assistant"',
        "the provider refuses the key: api.openai.com answers with status 401",
        "Give another api_key",
    ),
    codes=("host",),
    returned={
        "has_api_key": HAS_KEY,
        "test": Returned(
            "What O(test) came to, V(null) without it.",
            "dict",
            contains={
                "url": Returned(
                    "Where the list of models was asked for.",
                    sample="https://api.openai.com/v1/models",
                ),
                "models": Returned(
                    "The names of the provider's models, sorted, at most 2000.",
                    "list",
                    ["gpt-5", "gpt-5-mini"],
                    elements="str",
                ),
            },
        ),
    },
)
