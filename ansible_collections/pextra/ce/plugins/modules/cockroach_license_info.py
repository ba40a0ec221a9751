#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the licence of the CockroachDB that the store is in."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cockroach_license_info
short_description: Look at the licence of the CockroachDB that the store is in
version_added: 0.1.0
description:
  - Says which licence is set, when it ends, and from when on CockroachDB throttles the cluster.
  - Warns where there is no licence, with the days that are left of the first seven, and where the
    licence ends within 30 days or has ended.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
notes:
  - When a cluster without a licence was made is known exactly to a database role that may read
    C(system.migrations) (C(GRANT SYSTEM VIEWSYSTEMTABLE TO) the role). To others it is taken from
    the store's first tables, which were made later, so that there may be less time left than
    RV(days_left) says; see RV(throttled_from_exact).
  - A cluster that was made before CockroachDB asked for licences has 30 days from its upgrade, and
    one started with C(cockroach start-single-node) needs none. Neither can be seen from here.
  - Tested as M(pextra.ce.cockroach_license) says.
seealso:
  - module: pextra.ce.cockroach_license
  - module: pextra.ce.database_info
"""

EXAMPLES = r"""
- name: Look at CockroachDB's licence
  pextra.ce.cockroach_license_info:
  register: cockroach

- name: Stop where less than a week is left
  ansible.builtin.assert:
    that: cockroach.days_left is none or cockroach.days_left >= 7
    fail_msg: "{{ cockroach.warning | default('No warning', true) }}"
"""

RETURN = r"""
version:
  description: What the server says of itself, V(null) if it is not CockroachDB. All else is too.
  returned: success
  type: str
  sample: CockroachDB CCL v24.3.1 (x86_64-pc-linux-gnu)
cockroach_license:
  description: The licence, V(null) where there is none.
  returned: success
  type: dict
  contains:
    key:
      description: The key, masked but for its prefix and its last four characters.
      type: str
      sample: crl-0-****bGxj
    type:
      description:
        - V(enterprise), V(evaluation), V(free), V(trial), V(non_commercial), or V(other) where
          this collection does not know it.
      type: str
      sample: enterprise
    organization:
      description: Whom it was issued to, empty where it does not say.
      type: str
      sample: Example GmbH
    environment:
      description: V(unspecified), V(production), V(pre_production), V(development) or V(other).
      type: str
      sample: production
    expiry:
      description: When it ends, in UTC.
      type: str
      sample: '2027-01-31T00:00:00Z'
    valid:
      description: Whether it has not ended.
      type: bool
      sample: true
    days_left:
      description: Days until it ends, where a day that has begun counts. V(0) when it has ended.
      type: int
      sample: 365
    telemetry_required:
      description: Whether CockroachDB throttles the cluster after seven days without telemetry.
      type: bool
      sample: false
organization:
  description: The setting C(cluster.organization).
  returned: success
  type: str
  sample: Example GmbH
throttled_from:
  description:
    - From when on CockroachDB throttles the cluster if nothing changes, in UTC. V(null) is never
      (an enterprise licence), or not known.
    - Seven days after the cluster was made without a licence; with one, 7 days (V(trial)) or 30
      days (V(free), V(evaluation)) after it has ended.
  returned: success
  type: str
  sample: '2026-02-07T12:00:00Z'
throttled_from_exact:
  description: Whether RV(throttled_from) is exact; otherwise it can be earlier.
  returned: success
  type: bool
  sample: true
days_left:
  description: Days until RV(throttled_from), where a day that has begun counts.
  returned: success
  type: int
  sample: 3
warning:
  description: What the task warns of, V(null) if of nothing.
  returned: success
  type: str
  sample: >-
    CockroachDB has no licence; the platform is not functional from 2026-02-07T12:00:00Z on, in 3
    days. Get a key from cockroachlabs.cloud and set it with pextra.ce.cockroach_license
errors:
  description: What went wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(store), where the database cannot be reached or refuses, or V(invalid_input), where
          O(database) is not acceptable.
      type: str
      sample: store
    resource:
      description: V(null) here.
      type: str
      sample: null
    message:
      description: What was found.
      type: str
      sample: "the database cannot be reached: Connection refused"
    hint:
      description: What to do about it.
      type: str
      sample: Start the database, or correct host and port
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {"database": {"type": "str", "no_log": True}}


def main() -> None:
    """Run the module."""
    run("cockroach_license_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
