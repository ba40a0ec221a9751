# SPDX-License-Identifier: Apache-2.0
"""The documentation of policies, besides that of their fields."""

from __future__ import annotations

from pextra.kinds.policy.view import DOCUMENT, PREDEFINED
from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="policy",
    nouns="policies",
    module=Text(
        short="Manage policies, which say what is allowed and denied",
        description=(
            "Creates, changes, copies, imports, restores and removes policies of an organization. A"
            " policy is a list of statements. M(pextra.ce.role) puts policies together, and"
            " M(pextra.ce.user) gives roles to users.",
            "Every organization has a predefined policy for each predefined role:"
            " V(administrator), V(operator), V(viewer), V(network), V(storage) and V(auditor). They"
            " cannot be changed; O(copy_of) makes a policy of your own that begins as one of them.",
            "Whatever a policy says, nobody reaches what another organization has, and root users"
            " are not bound.",
            "A change holds at once. Each change of the statements is kept as a version.",
        ),
        notes=(
            "A statement with a C(rule) needs a licence with the feature C(IAM_ABAC_RULES). Without"
            " it no new rule is taken; those that are there go on to work.",
        ),
        seealso=("policy_info", "role", "user", "policy_decision_info"),
        examples="""
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
""",
    ),
    info=Text(
        short="List policies",
        description=(
            "Lists policies of one or of all organizations, with the predefined ones, which belong"
            " to none.",
        ),
        seealso=("policy",),
        examples="""
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
""",
    ),
    states={
        "present": "creates the policy, or changes what is given and differs.",
        "absent": "removes the policy with its versions. No role may have it; which do is told.",
    },
    steps=Steps(
        name="backup operators",
        sample=("update", {"version": 1, "enabled": True}, {"version": 2, "enabled": False}),
        kinds=", or V(policy_version) for what its statements were",
    ),
    failure=Failure(
        "invalid_input",
        'policy "backup operators"',
        "statement 1: 'instance.raed' is no action",
        "Did you mean instance.read?",
    ),
    more_codes=("V(license_feature), the edition in force has no rules.",),
    returned={"predefined": PREDEFINED, "document": DOCUMENT},
)
