#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a mirror of aptly's."""

from __future__ import annotations

DOCUMENTATION = r"""
module: aptly_mirror
short_description: Manage a mirror of a Debian repository in aptly
version_added: 0.1.0
description:
  - Makes, changes or removes the definition of a mirror.
  - It fetches no package. The command C(pextra-mirror sync) does, and C(aptly mirror update).
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.aptly
options:
  name:
    description: Name of the mirror.
    type: str
    required: true
  archive_url:
    description: Address of the repository. Required to create the mirror.
    type: str
  distribution:
    description: Distribution. Required to create the mirror. Cannot be changed.
    type: str
  components:
    description:
      - Components; left out on creation, all. Cannot be changed.
      - What comes of a mirror with several components is one, so give each a mirror of its own
        where nodes tell them apart.
    type: list
    elements: str
  architectures:
    description: Architectures; left out on creation, all.
    type: list
    elements: str
  filter:
    description: A package query, of which only the matches are mirrored; empty for all.
    type: str
  filter_with_deps:
    description: Whether what the matches depend on is mirrored too.
    type: bool
  with_sources:
    description: Whether source packages are mirrored too.
    type: bool
  keyring:
    description: Files of the keys that the repository must be signed with.
    type: list
    elements: path
  force:
    description: Remove it also where snapshots or publications refer to it.
    type: bool
    default: false
  state:
    description:
      - V(present) makes it, or changes what is given.
      - V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: pextra.ce.aptly_info
  - module: pextra.ce.aptly_snapshot
"""

EXAMPLES = r"""
- name: Mirror the platform's packages
  pextra.ce.aptly_mirror:
    name: pextra-common
    archive_url: https://repo.example.com/debian/cloudenvironment
    distribution: bookworm
    components: [common]
    architectures: [amd64]
    keyring: [/usr/share/keyrings/pextra-ce.gpg]

- name: Take only what the metapackage needs
  pextra.ce.aptly_mirror:
    name: pextra-common
    filter: pce-common
    filter_with_deps: true

- name: Mirror it no longer
  pextra.ce.aptly_mirror:
    name: pextra-common
    state: absent
    force: true
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
mirror:
  description: The mirror after the task, V(null) where it is absent.
  returned: success
  type: dict
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

from ansible_collections.pextra.ce.plugins.module_utils.aptly import mirror, run

SPEC = {
    "name": {"type": "str", "required": True},
    "archive_url": {"type": "str"},
    "distribution": {"type": "str"},
    "components": {"type": "list", "elements": "str"},
    "architectures": {"type": "list", "elements": "str"},
    "filter": {"type": "str"},
    "filter_with_deps": {"type": "bool"},
    "with_sources": {"type": "bool"},
    "keyring": {"type": "list", "elements": "path", "no_log": False},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    run("mirror", SPEC, lambda aptly, options: aptly.mirror(options["name"]), mirror)


if __name__ == "__main__":
    main()
