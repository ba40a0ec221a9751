# SPDX-License-Identifier: Apache-2.0
"""The documentation of nodes' licences, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="licence",
    nouns="licences",
    module=Text(
        short="Set the platform licence of a node",
        description=(
            "Checks a licence key against the public keys that the node trusts, without a network,"
            " and sets it as the node's licence; or makes an evaluation licence of 30 days on the"
            " node; or removes the licence.",
            "The trusted public keys are the files C(/etc/pextra-ce/license-keys.d/*.pem) of the"
            " node.",
        ),
        requirements=("cryptography >= 38 (Debian package python3-cryptography)",),
        notes=("A node has at most one licence, and a key serves one node.",),
        seealso=("node_license_info", "cluster_info", "node"),
        examples="""
- name: Evaluate the platform for 30 days
  pextra.ce.node_license:
    evaluation: true

- name: Set the licence that was bought for this node
  pextra.ce.node_license:
    key: "{{ lookup('ansible.builtin.file', '/etc/pextra-ce/node1.license') }}"

- name: Free the licence of a node
  pextra.ce.node_license:
    node: node1
    state: absent
""",
    ),
    info=Text(
        short="List the licences of nodes",
        description=(
            "Lists the nodes' platform licences. Keys are masked.",
            "A key was checked when it was set; what is returned is what it said then, judged by"
            " this machine's clock.",
        ),
        seealso=("node_license",),
        examples="""
- name: List all licences
  pextra.ce.node_license_info:
  register: all

- name: Warn of licences that end within 30 days
  ansible.builtin.debug:
    msg: "{{ item.node }}: {{ item.days_left }} days left of {{ item.key }}"
  loop: "{{ all.node_licenses }}"
  loop_control:
    label: "{{ item.node }}"
  when: item.days_left <= 30

- name: Look at one node's licence
  pextra.ce.node_license_info:
    node: node1
""",
    ),
    states={
        "present": "sets the licence.",
        "absent": "removes it from the store. Files of an evaluation stay on the node, and the"
        " same evaluation can be set again until it expires.",
    },
    steps=Steps(
        name="node-VF6lOEYQA-_cjIHCRFMbA",
        sample=("update", {"edition": "evaluation"}, {"edition": "standard"}),
        action=("A change of the key shows as C((secret)) and C((another secret)).",),
    ),
    failure=Failure(
        "license_expired",
        "node_license",
        "the licence expired on 2026-01-31T00:00:00Z",
        "Set a new key",
    ),
    codes=("unsupported",),
    more_codes=(
        "C(license_malformed), C(license_expired) and others with this beginning, the key is"
        " refused. The collection's C(docs/license-keys.md) lists them.",
    ),
)
