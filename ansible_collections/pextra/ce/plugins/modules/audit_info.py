#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the audit log."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_info
short_description: Look at the audit log
version_added: 0.2.0
description:
  - Returns who did what, when, from where, and what came of it, the newest first.
  - There is a row for each step of a plan that was carried out, and for each attempt that was
    refused, failed or was denied. Looking, and check mode, leave none.
  - What is returned is a page of up to O(limit) rows. The next page is asked for with O(cursor).
  - Rows are found by index with O(since), O(until), O(user), O(resource), and O(outcome) for what
    did not succeed. A page then costs the same in a short and in a long log. With other filters
    alone, rows are looked through from the newest on until a page is full.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
options:
  since:
    description:
      - Only rows that were written at this time or later.
      - A time as ISO 8601 has it, in UTC unless it says otherwise, or an age such as V(90m),
        V(24h), V(7d) or V(4w).
    type: str
  until:
    description:
      - Only rows that were written before this time, which is given like O(since).
    type: str
  user:
    description:
      - Only rows of this user.
    type: str
  kind:
    description:
      - Only rows about this kind of resource, such as V(instance).
    type: str
  resource:
    description:
      - Only rows about the resource with this identifier, or with this name at that time.
    type: str
  action:
    description:
      - Only rows with this action, such as V(create), V(update), V(delete) or V(start).
    type: str
  outcome:
    description:
      - Only rows with this outcome.
    type: str
    choices:
      - succeeded
      - failed
      - denied
  organization_id:
    description:
      - Only rows of users of the organization with this identifier.
    type: str
  request_id:
    description:
      - Only rows of the request with this identifier, and of all requests with this correlation.
    type: str
  limit:
    description:
      - How many rows are returned, from V(1) to V(1000).
    type: int
    default: 100
  cursor:
    description:
      - Go on after a page, with RV(next_cursor) of that page and the same other options.
    type: str
notes:
  - The command C(pextra audit export) on a node writes all rows as JSON lines, and
    C(pextra audit verify) checks that none was changed, removed or added since.
  - To find again what several tasks of a play did together, give them an identifier in the
    environment variable E(PEXTRA_CE_CORRELATION_ID).
seealso:
  - module: pextra.ce.database_info
"""

EXAMPLES = r"""
- name: Look at what failed or was denied since yesterday
  pextra.ce.audit_info:
    since: 24h
    outcome: failed
  register: failures

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.at }} {{ item.user }}@{{ item.origin }}: {{ item.message }}"
  loop: "{{ failures.audit }}"
  loop_control:
    label: "{{ item.id }}"

- name: Look at who has changed an instance
  pextra.ce.audit_info:
    kind: instance
    resource: web1
    action: update

- name: Take the first two rows of January
  pextra.ce.audit_info:
    since: "2026-01-01"
    until: "2026-02-01"
    limit: 2
  register: first

- name: Take the next two, if there are more
  pextra.ce.audit_info:
    since: "2026-01-01"
    until: "2026-02-01"
    limit: 2
    cursor: "{{ first.next_cursor }}"
  when: first.next_cursor is not none
"""

RETURN = r"""
audit:
  description: The rows that match, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier of the row, a UUID.
      type: str
      sample: 0b7f9a3e-6f0d-4c43-9a55-2f8d3d8f7b11
    at:
      description: When, in UTC, with microseconds. Steps of one plan have the same time.
      type: str
      sample: '2026-01-31T12:00:00.123456Z'
    user:
      description:
        - Who. Of what is done on a node, the Linux user, the one before C(sudo) if that was used.
      type: str
      sample: anna
    origin:
      description: Host name or address that it came from.
      type: str
      sample: node1
    door:
      description: What it came through, such as V(ansible), V(cli) or V(timer).
      type: str
      sample: ansible
    organization_id:
      description: Identifier of the user's organization, V(null) for the root of a node.
      type: str
      sample: null
    request_id:
      description: Identifies the call. All rows of one call have the same.
      type: str
      sample: req-CIgLySkaAVeQ5kSLOodD3
    correlation_id:
      description:
        - Identifies several calls that belong together. Of one that stands alone, it is as
          RV(audit[].request_id).
      type: str
      sample: req-CIgLySkaAVeQ5kSLOodD3
    action:
      description:
        - The step's verb, as in a plan.
        - Of an attempt that did not succeed, the state that was asked for, such as V(present).
      type: str
      sample: create
    kind:
      description: Kind of the resource, or the name of what was called.
      type: str
      sample: volume
    resource_id:
      description: Its identifier, empty where it is not known.
      type: str
      sample: vol-CIgLySkaAVeQ5kSLOodD3
    name:
      description: Its name at that time.
      type: str
      sample: data
    outcome:
      description:
        - V(succeeded) for a step that was written to the store and then begun.
        - V(failed) for an attempt that was refused, or that broke off on the host after its steps
          were written. Both rows then have the same RV(audit[].request_id).
        - V(denied) for an attempt of somebody who may not do it.
      type: str
      sample: succeeded
    message:
      description: Why it failed or was denied, V(null) where it succeeded.
      type: str
      sample: null
    before:
      description: The values that the step changed, as they were, V(null) where there was nothing.
      type: dict
      sample: null
    after:
      description:
        - The values as they became, V(null) where nothing is left. No secrets.
        - Of an attempt that did not succeed, the options that were given, shortened if they are
          long.
      type: dict
      sample:
        size: 10737418240
    step:
      description: The number of the step in its plan, from V(0).
      type: int
      sample: 0
    chain:
      description: The chain that the row is sealed in, one for each node.
      type: str
      sample: 6d3f0a1b2c4d5e6f708192a3b4c5d6e7
    node:
      description: Name of the node that the chain is of, V(null) if it is none, or no longer.
      type: str
      sample: node1
    sequence:
      description:
        - The number of the row in its chain, from V(1). V(null) for some seconds, until it is
          sealed.
      type: int
      sample: 17
    previous:
      description: Hash of the row before it in the chain, V(null) until it is sealed.
      type: str
      sample: 1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014
    hash:
      description: Its own hash, V(null) until it is sealed.
      type: str
      sample: 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
next_cursor:
  description: What O(cursor) takes to return the rows after these, V(null) if there are none.
  returned: success
  type: str
  sample: WyIyMDI2LTAxLTMxVDEyOjAwOjAwLjEyMzQ1NloiLDAsIjBiN2YiXQ
code:
  description: What sort of error it is, V(invalid_input) or V(store).
  returned: failure
  type: str
  sample: invalid_input
errors:
  description: What is wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: As RV(code).
      type: str
      sample: invalid_input
    resource:
      description: V(audit_info), or V(null).
      type: str
      sample: audit_info
    message:
      description: What was given.
      type: str
      sample: "since: 'yesterday' is not a date"
    hint:
      description: What to do about it.
      type: str
      sample: Write 2030-01-31 or 2030-01-31T12:00:00Z
"""
# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "since": {"type": "str"},
    "until": {"type": "str"},
    "user": {"type": "str"},
    "kind": {"type": "str"},
    "resource": {"type": "str"},
    "action": {"type": "str"},
    "outcome": {"type": "str", "choices": ["succeeded", "failed", "denied"]},
    "organization_id": {"type": "str"},
    "request_id": {"type": "str"},
    "limit": {"type": "int", "default": 100},
    "cursor": {"type": "str"},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("audit_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
