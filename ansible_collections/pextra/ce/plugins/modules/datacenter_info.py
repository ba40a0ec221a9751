#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/datacenter: make generate
"""List datacenters."""

from __future__ import annotations

DOCUMENTATION = r"""
module: datacenter_info
short_description: List datacenters
version_added: 0.1.0
description:
  - Lists datacenters of one or of all organizations.
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
      - cluster_count
      - creation
      - description
      - id
      - location
      - name
      - organization
      - organization_id
seealso:
  - module: pextra.ce.datacenter
"""

EXAMPLES = r"""
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
"""

RETURN = r"""
datacenters:
  description: The datacenters that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(dc-) and 21 characters.
      type: str
      sample: dc-q-zfNQNjXAvp7KYc3fWyX
    name:
      description: Name of the datacenter.
      type: str
      sample: Frankfurt
    organization_id:
      description: Identifier of the organization that the datacenter belongs to.
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
    location:
      description: Where it is, V(null) where that was not said.
      type: dict
      contains:
        latitude:
          description: Degrees north of the equator.
          type: float
          sample: 50.1109
        longitude:
          description: Degrees east of Greenwich.
          type: float
          sample: 8.6821
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    cluster_count:
      description: How many clusters it has.
      type: int
      sample: 1
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
            "location",
            "creation",
            "organization",
            "cluster_count",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("datacenter_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
