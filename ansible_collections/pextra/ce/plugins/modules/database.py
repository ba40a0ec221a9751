#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create or upgrade the schema of the store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database
short_description: Create or upgrade the schema of the store
version_added: 0.1.0
description:
  - Brings the tables of the store to the version that this collection knows. In an empty database
    it creates them.
  - Neither the database nor its role is made here; the playbook C(pextra.ce.database) does that,
    and starts the server.
  - Every other module refuses a schema that is older or newer than the one it knows.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
options:
  state:
    description:
      - V(migrated) applies the migrations that are missing, in their order.
    type: str
    choices: [migrated]
    default: migrated
attributes:
  check_mode:
    details:
      - Check mode says from which version to which, and which migrations that takes. It connects,
        and so fails where a real run could not connect.
notes:
  - All missing migrations are one transaction. A run that is interrupted leaves the schema as it
    was.
  - Secrets that were in the store before it encrypted them are encrypted after that, many a
    transaction. If that is interrupted, the next run goes on. The node needs the cluster's keys for
    it, and makes the first one. See the collection's C(docs/secrets.md).
  - Migrations go forward only. A schema that is newer than this collection is refused and left as
    it is; upgrade the collection on the machine that runs the module.
  - Upgrade the collection on all nodes before the schema. A node with an older collection refuses
    to work with a newer schema.
  - Any number of runs at once is safe; one migrates, and the others find nothing to do.
seealso:
  - module: pextra.ce.database_info
"""

EXAMPLES = r"""
- name: Have the tables of the node's own database at the latest version
  pextra.ce.database:

- name: Upgrade the tables of a CockroachDB cluster
  pextra.ce.database:
    state: migrated
    database: >-
      host=db1.example.net,db2.example.net port=26257 dbname=pextra_ce user=pextra_ce
      sslmode=verify-full sslrootcert=/etc/pextra-ce/cockroachdb/ca.crt
      sslcert=/etc/pextra-ce/cockroachdb/client.pextra_ce.crt
      sslkey=/etc/pextra-ce/cockroachdb/client.pextra_ce.key

- name: See what an upgrade would take
  pextra.ce.database:
  check_mode: true
  register: upgrade

- name: Show it
  ansible.builtin.debug:
    msg: "from version {{ upgrade.version_before }} to {{ upgrade.version_after }}"
"""

RETURN = r"""
changed:
  description: Whether migrations were missing, or secrets were not encrypted.
  returned: always
  type: bool
  sample: true
version_before:
  description: The schema's version before the run. An empty database has V(0).
  returned: success
  type: int
  sample: 0
version_after:
  description: The schema's version after the run; in check mode, after what a real run would do.
  returned: success
  type: int
  sample: 1
migrations:
  description: The migrations that were applied; in check mode, those that would be.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: The version that the migration leads to.
      type: int
      sample: 1
    summary:
      description: What it is about.
      type: str
      sample: organizations to instances, and the audit log
plan:
  description:
    - One step where migrations are missing, and one where secrets are not encrypted. In check mode,
      secrets are counted only where no migration is missing.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(database).
      type: str
      sample: database
    name:
      description: The database's name.
      type: str
      sample: pextra_ce
    action:
      description: V(migrate) or V(encrypt).
      type: str
      sample: migrate
    before:
      description: The version before, or how many secrets are not encrypted.
      type: dict
      sample:
        version: 0
    after:
      description: The version after, or how many secrets are not encrypted then.
      type: dict
      sample:
        version: 1
    needs_restart:
      description: Always V(false).
      type: bool
      sample: false
errors:
  description: What went wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(store), where the database cannot be reached or its schema is newer.
        - V(invalid_input), where O(database) is not acceptable.
        - V(secret), where secrets are to be encrypted and the node does not have the key.
      type: str
      sample: store
    resource:
      description: V(null) here.
      type: str
      sample: null
    message:
      description: What was found.
      type: str
      sample: the database's schema has version 7, this program knows up to 1
    hint:
      description: What to do about it.
      type: str
      sample: Upgrade pextra.ce on this machine
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "state": {"type": "str", "default": "migrated", "choices": ["migrated"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("database", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
