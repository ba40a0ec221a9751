#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a publication of aptly's."""

from __future__ import annotations

DOCUMENTATION = r"""
module: aptly_publication
short_description: Publish snapshots as a Debian repository with aptly
version_added: 0.1.0
description:
  - Publishes snapshots, one for each component, under one prefix and distribution.
  - What is published already is switched to other snapshots, never published twice.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.aptly
options:
  prefix:
    description: Folder below aptly's published tree.
    type: str
    default: "."
  distribution:
    description: Name of the distribution.
    type: str
    required: true
  components:
    description:
      - The snapshot of each component. Required to create the publication.
      - Which components there are cannot be changed.
    type: dict
  architectures:
    description: Architectures; left out on creation, those of the snapshots. Cannot be changed.
    type: list
    elements: str
  gpg_key:
    description: Fingerprint of the key to sign with. Without one it is not signed.
    type: str
  acquire_by_hash:
    description: Whether indexes can be had by their hash; left out on creation, they can.
    type: bool
  contents:
    description: Whether indexes of file names are made, which takes long.
    type: bool
    default: false
  origin:
    description: The field Origin of the Release. Cannot be changed.
    type: str
  label:
    description: The field Label of the Release. Cannot be changed.
    type: str
  suite:
    description: The field Suite of the Release. Cannot be changed.
    type: str
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
- name: Publish both components under one prefix
  pextra.ce.aptly_publication:
    prefix: pextra
    distribution: bookworm
    components:
      common: pextra-common-first
      meta: pextra-meta-first
    gpg_key: "{{ mirror_key }}"

- name: Publish it no longer
  pextra.ce.aptly_publication:
    prefix: pextra
    distribution: bookworm
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
publication:
  description: The publication after the task, V(null) where it is absent.
  returned: success
  type: dict
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

from ansible_collections.pextra.ce.plugins.module_utils.aptly import publication, run

SPEC = {
    "prefix": {"type": "str", "default": "."},
    "distribution": {"type": "str", "required": True},
    "components": {"type": "dict"},
    "architectures": {"type": "list", "elements": "str"},
    "gpg_key": {"type": "str", "no_log": False},
    "acquire_by_hash": {"type": "bool"},
    "contents": {"type": "bool", "default": False},
    "origin": {"type": "str"},
    "label": {"type": "str"},
    "suite": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    run(
        "publication",
        SPEC,
        lambda aptly, options: aptly.publication(options["prefix"], options["distribution"]),
        publication,
    )


if __name__ == "__main__":
    main()
