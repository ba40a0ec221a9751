# SPDX-License-Identifier: Apache-2.0
"""The documentation of organizations, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="organization",
    nouns="organizations",
    module=Text(
        short="Manage organizations, the tenants of the platform",
        description=(
            "Creates, changes, renames and removes an organization.",
            "Organizations own datacenters, users, roles, policies and AI providers. The first one"
            " is the root organization, the owner of the deployment.",
        ),
        seealso=("organization_info", "datacenter", "user"),
        examples="""
- name: Have an organization
  pextra.ce.organization:
    name: Example
    description: Owner of the deployment
  register: example

- name: Rename it
  pextra.ce.organization:
    id: "{{ example.organization.id }}"
    name: Example Hosting

- name: Remove it when nothing is left in it
  pextra.ce.organization:
    name: Example Hosting
    state: absent
""",
    ),
    info=Text(
        short="List organizations",
        description=("Lists organizations, with how much they own.",),
        seealso=("organization",),
        examples="""
- name: List all organizations
  pextra.ce.organization_info:
  register: all

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.name }} ({{ item.id }}) has {{ item.datacenter_count }} datacenters"
  loop: "{{ all.organizations }}"
  loop_control:
    label: "{{ item.name }}"

- name: Find one by its name, and only how many users it has
  pextra.ce.organization_info:
    name: Example
    fields: [name, user_count]
""",
    ),
    states={
        "present": "creates the organization, or changes what is given and differs.",
        "absent": "removes it. It must hold no datacenter, user, role, policy or AI provider. What"
        " is predefined does not count.",
    },
    steps=Steps(
        name="Example",
        sample=("update", {"description": ""}, {"description": "Owner of the deployment"}),
    ),
    failure=Failure(
        "conflict",
        'organization "Example"',
        "it still holds 1 of kind datacenter: Frankfurt",
        "Remove those first",
    ),
)
