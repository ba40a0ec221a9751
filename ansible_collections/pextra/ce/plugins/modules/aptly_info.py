#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what aptly has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: aptly_info
short_description: Read aptly's mirrors, snapshots and publications
version_added: 0.1.0
description:
  - Changes nothing.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.aptly
  - pextra.ce.aptly.info
seealso:
  - module: pextra.ce.aptly_mirror
  - module: pextra.ce.aptly_snapshot
  - module: pextra.ce.aptly_publication
"""

EXAMPLES = r"""
- name: See what aptly has
  pextra.ce.aptly_info:
    config: /var/lib/pextra-mirror/aptly.conf
  register: found
"""

RETURN = r"""
mirrors:
  description: All mirrors.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: pextra-common
    archive_url:
      description: Address of the repository.
      type: str
      sample: https://repo.example.com/debian/
    distribution:
      description: Its distribution.
      type: str
      sample: bookworm
    components:
      description: Its components, empty for all.
      type: list
      elements: str
      sample: [common]
    architectures:
      description: Its architectures.
      type: list
      elements: str
      sample: [amd64]
    filter:
      description: The package query, empty for all packages.
      type: str
      sample: ""
    filter_with_deps:
      description: Whether dependencies of what matches come too.
      type: bool
      sample: false
    with_sources:
      description: Whether source packages come too.
      type: bool
      sample: false
    last_update:
      description: When it was filled last, V(null) if never.
      type: str
      sample: '2026-01-31T12:00:00Z'
snapshots:
  description: All snapshots.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: pextra-common-20260131T120000Z
    mirror:
      description: The mirror that it is of, V(null) if it was merged.
      type: str
      sample: pextra-common
    snapshots:
      description: The snapshots that it was merged of.
      type: list
      elements: str
      sample: []
    created:
      description: When it was made.
      type: str
      sample: '2026-01-31T12:00:00Z'
publications:
  description: All publications.
  returned: success
  type: list
  elements: dict
  contains:
    prefix:
      description: Its folder below the published tree.
      type: str
      sample: pextra
    distribution:
      description: Its distribution.
      type: str
      sample: bookworm
    components:
      description: The snapshot of each component.
      type: dict
      sample: {common: pextra-common-20260131T120000Z}
    architectures:
      description: Its architectures.
      type: list
      elements: str
      sample: [amd64]
    acquire_by_hash:
      description: Whether indexes can be had by their hash.
      type: bool
      sample: true
    origin:
      description: The field Origin of its Release.
      type: str
      sample: Example
    label:
      description: The field Label of its Release.
      type: str
      sample: Example
    suite:
      description: The field Suite of its Release.
      type: str
      sample: stable
code:
  description: The kind of failure, such as V(conflict), V(invalid_input) or V(host).
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: conflict
errors:
  description: What is wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description: The kind of failure.
      type: str
      sample: conflict
    resource:
      description: What it is about.
      type: str
      sample: mirror "pextra-common"
    message:
      description: What was asked and what is there.
      type: str
      sample: "distribution is 'bookworm' and cannot become 'trixie'"
    hint:
      description: What to do about it.
      type: str
      sample: Remove the mirror and make it again
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils.aptly import SPEC, aptly_of, fail
from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.errors import MirrorError


def main() -> None:
    """Read and return."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    aptly = aptly_of(module)
    try:
        found = {
            "mirrors": [aptly.mirror(name) for name in sorted(aptly.names("mirror"))],
            "snapshots": [aptly.snapshot(name) for name in sorted(aptly.names("snapshot"))],
            "publications": aptly.publications(),
        }
    except MirrorError as error:
        fail(module, error)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
