# SPDX-License-Identifier: Apache-2.0
"""The documentation of datacenters, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="datacenter",
    nouns="datacenters",
    module=Text(
        short="Manage datacenters",
        description=(
            "Creates, changes, renames and removes a datacenter, a group of an organization's"
            " clusters at one place.",
        ),
        seealso=("datacenter_info", "organization", "cluster"),
        examples="""
- name: Have a datacenter
  pextra.ce.datacenter:
    name: Frankfurt
    organization: Example
    location:
      latitude: 50.1109
      longitude: 8.6821

- name: Forget where it is
  pextra.ce.datacenter:
    name: Frankfurt
    organization: Example
    location: null

- name: Remove it when no cluster is left in it
  pextra.ce.datacenter:
    name: Frankfurt
    organization: Example
    state: absent
""",
    ),
    info=Text(
        short="List datacenters",
        description=("Lists datacenters of one or of all organizations.",),
        seealso=("datacenter",),
        examples="""
- name: List the datacenters of an organization
  pextra.ce.datacenter_info:
    organization: Example
  register: all

- name: Show where they are
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.location | default('nowhere', true) }}"
  loop: "{{ all.datacenters }}"
  loop_control:
    label: "{{ item.name }}"
""",
    ),
    states={
        "present": "creates the datacenter, or changes what is given and differs.",
        "absent": "removes it. It must hold no cluster.",
    },
    steps=Steps(
        name="Frankfurt",
        sample=(
            "update",
            {"location": None},
            {"location": {"latitude": 50.1109, "longitude": 8.6821}},
        ),
    ),
    failure=Failure(
        "invalid_input",
        'datacenter "Frankfurt"',
        "location.latitude: 91.0 is not between -90 and 90 degrees",
    ),
)
