#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set the licence of the CockroachDB that the store is in."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cockroach_license
short_description: Set the licence of the CockroachDB that the store is in
version_added: 0.1.0
description:
  - Sets the cluster setting C(enterprise.license), once for the whole deployment. Without a licence
    the platform is not functional seven days after the database was made.
  - Sets C(cluster.organization), too, where it differs from the organization that the key names,
    letter case aside. CockroachDB before 24.3 compares the two, and accepts a key that names no
    organization only while the setting is empty.
  - Reads both settings first, changes what differs, and reads them again.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
options:
  key:
    description:
      - The licence key from U(https://cockroachlabs.cloud), from C(crl-0-) to its last character.
        White space around it does not matter. It is shown nowhere.
      - It is refused before anything is sent if it is no such key or has expired. A key that is set
        already is not refused for having expired, so that the same task can run later.
    type: str
    required: true
notes:
  - The database role needs the privilege C(MODIFYCLUSTERSETTING), which the role
    C(pextra.ce.database) grants.
  - A cluster setting cannot be part of a transaction. The audit row is written before it is set.
  - It was tested against a stand-in that speaks PostgreSQL's protocol and answers as CockroachDB's
    documentation says, because CockroachDB's package was not to be had. The same tests run on a
    real one whose connection string is in the environment variable E(PEXTRA_CE_TEST_COCKROACHDB).
seealso:
  - module: pextra.ce.cockroach_license_info
  - module: pextra.ce.node_license
  - name: CockroachDB licensing FAQs
    description: Types of licences, and when a cluster is throttled.
    link: https://www.cockroachlabs.com/docs/stable/licensing-faqs
"""

EXAMPLES = r"""
- name: Set the licence of the deployment
  pextra.ce.cockroach_license:
    key: "{{ cockroach_key }}"
    database: >-
      host=db1.example.net,db2.example.net port=26257 dbname=pextra_ce user=pextra_ce_pcedaemon
      sslrootcert=/usr/local/lib/cockroach/certs/ca.crt
      sslcert=/usr/local/lib/cockroach/certs/client.pextra_ce_pcedaemon.crt
      sslkey=/usr/local/lib/cockroach/certs/client.pextra_ce_pcedaemon.key
  run_once: true
"""

RETURN = r"""
changed:
  description: Whether a setting changed; in check mode, whether one would.
  returned: success
  type: bool
  sample: true
cockroach_license:
  description: What the key says.
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
  description: The setting C(cluster.organization) after the task.
  returned: success
  type: str
  sample: Example GmbH
plan:
  description: One step for each setting that differs, none otherwise. Keys are masked.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(cockroach_license).
      type: str
      sample: cockroach_license
    name:
      description: The setting, V(cluster.organization) or V(enterprise.license).
      type: str
      sample: enterprise.license
    action:
      description: Always V(set).
      type: str
      sample: set
    before:
      description: What was set, V(null) if there was no licence.
      type: dict
      sample: null
    after:
      description: What is set.
      type: dict
      sample:
        key: crl-0-****bGxj
        type: enterprise
        expiry: '2027-01-31T00:00:00Z'
    needs_restart:
      description: Always V(false).
      type: bool
      sample: false
code:
  description: The error's code.
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: license_malformed
errors:
  description: What went wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(license_malformed), it is no licence key of CockroachDB.
        - V(license_expired), it has ended.
        - V(conflict), the database is not CockroachDB.
        - V(store), the database cannot be reached, or refuses.
        - V(verification), the setting differs after it was set.
      type: str
      sample: license_malformed
    resource:
      description: V(null) here.
      type: str
      sample: null
    message:
      description: What was found.
      type: str
      sample: "this is not a CockroachDB licence key: it does not begin with crl-0-"
    hint:
      description: What to do about it.
      type: str
      sample: Copy the whole key again from cockroachlabs.cloud, from crl-0- to its last character
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "key": {"type": "str", "required": True, "no_log": True},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("cockroach_license", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
