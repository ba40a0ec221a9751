#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/datacenter: make generate
"""Manage datacenters."""

from __future__ import annotations

DOCUMENTATION = r"""
module: datacenter
short_description: Manage datacenters
version_added: 0.1.0
description:
  - Creates, changes, renames and removes a datacenter, a group of an organization's clusters at
    one place.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the datacenter, unique in its organization.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning and
        ending with a letter or digit.
      - Required to create one. Together with O(id) it is the new name.
    type: str
  organization:
    description:
      - Id or name of the organization that owns it.
      - Left out, it is the only organization there is. With several, it must be given. Cannot be
        changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  location:
    description:
      - Where it is on earth.
      - V(null) clears it.
    type: dict
    suboptions:
      latitude:
        description:
          - From V(-90) (south) to V(90) (north).
          - Counted in degrees.
        type: float
        required: true
      longitude:
        description:
          - From V(-180) (west) to V(180) (east).
          - Counted in degrees.
        type: float
        required: true
  state:
    description:
      - V(present) creates the datacenter, or changes what is given and differs.
      - V(absent) removes it. It must hold no cluster.
    type: str
    choices:
      - present
      - absent
    default: present
seealso:
  - module: pextra.ce.datacenter_info
  - module: pextra.ce.organization
  - module: pextra.ce.cluster
"""

EXAMPLES = r"""
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
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
datacenter:
  description: The datacenter after the task, V(null) where it is absent.
  returned: success
  type: dict
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
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(datacenter).
      type: str
      sample: datacenter
    name:
      description: Its name.
      type: str
      sample: Frankfurt
    action:
      description: In the store, V(create), V(update), or V(delete).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        location: null
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        location:
          latitude: 50.1109
          longitude: 8.6821
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
        - V(store), the database cannot be reached or used.
      type: str
      sample: invalid_input
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: datacenter "Frankfurt"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'location.latitude: 91.0 is not between -90 and 90 degrees'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "organization": {"type": "str"},
    "description": {"type": "str"},
    "location": {
        "type": "dict",
        "options": {
            "latitude": {"type": "float", "required": True},
            "longitude": {"type": "float", "required": True},
        },
    },
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("datacenter", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
