#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether a machine meets the platform's requirements."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Check whether a machine meets the platform's requirements
version_added: 0.1.0
description:
  - Reads the machine's processor, memory, disks, network interfaces, PCI devices and operating
    system from V(/proc), V(/sys), V(/dev/kvm) and V(/etc/os-release), and compares them with the
    minimum and recommended requirements of a node.
  - Changes nothing and needs no database and no package besides Python.
  - The module itself never fails because of a check; see RV(failed_checks).
author:
  - pextra-ce contributors (@pextra-ce)
options:
  ignore:
    description:
      - Names of checks whose failure counts as a warning only.
    type: list
    elements: str
    choices:
      - root
      - operating_system
      - python
      - architecture
      - avx2
      - virtualization
      - kvm
      - cores
      - memory
      - storage
      - storage_medium
      - network
      - hardware_raid
    default: []
attributes:
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Reports what changed; this module changes nothing.
    support: none
notes:
  - Gigabytes are decimal, so that a machine with 8 GiB fitted, of which the kernel keeps a part,
    counts as one with 8 GB.
  - Cores are counted, not hardware threads.
"""

EXAMPLES = r"""
- name: Check the machine
  pextra.ce.preflight_info:
  register: preflight

- name: Check a small test machine
  pextra.ce.preflight_info:
    ignore: [cores, memory]
  register: preflight

- name: Show the table
  ansible.builtin.debug:
    msg: "{{ preflight.table }}"

- name: Show what runs the instances
  ansible.builtin.debug:
    msg: "{{ preflight.accelerator.name }}: {{ preflight.accelerator.reason }}"
"""

RETURN = r"""
passed:
  description: Whether no check failed.
  returned: always
  type: bool
  sample: true
checks:
  description: Every check, always in the same order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The check's name, as O(ignore) takes it.
      type: str
      sample: memory
    requirement:
      description: What is required, and what is recommended.
      type: str
      sample: 8 GB (better 32 GB)
    found:
      description: What the machine has.
      type: str
      sample: 16.7 GB
    level:
      description:
        - V(pass), V(warning) (below the recommended, not needed to run, or not to be known), or
          V(fail) (below the minimum).
      type: str
      sample: warning
    hint:
      description: What to do about it.
      type: str
      sample: Fit more memory
    ignored:
      description: Whether the check failed and O(ignore) made a warning of it.
      type: bool
      sample: false
failed_checks:
  description: The names of the checks that failed.
  returned: always
  type: list
  elements: str
  sample: [cores]
failures:
  description: A sentence for each failed check, with what to do about it.
  returned: always
  type: list
  elements: str
  sample:
    - "avx2: required AVX2 on x86_64, found no AVX2. Use a processor with AVX2."
warning_checks:
  description: The names of the checks with a warning.
  returned: always
  type: list
  elements: str
  sample: [memory]
table:
  description: The checks as aligned lines for people.
  returned: always
  type: list
  elements: str
  sample:
    - result   check   required             found
    - warning  memory  8 GB (better 32 GB)  16.7 GB
accelerator:
  description: What runs QEMU instances on this machine.
  returned: always
  type: dict
  contains:
    name:
      description: V(kvm) where it is really usable, else V(tcg).
      type: str
      sample: tcg
    reason:
      description: Why.
      type: str
      sample: there is no /dev/kvm
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils.bare.host.preflight.checks import (
    NAMES,
    Level,
    accelerator,
    failure,
    run_checks,
    table,
)
from ansible_collections.pextra.ce.plugins.module_utils.bare.host.preflight.machine import (
    read_machine,
)


def main() -> None:
    """Read, check, return."""
    module = AnsibleModule(
        argument_spec={
            "ignore": {"type": "list", "elements": "str", "choices": list(NAMES), "default": []}
        },
        supports_check_mode=True,
    )
    machine = read_machine()
    checks = run_checks(machine, module.params["ignore"])
    failed = [check for check in checks if check.level is Level.FAIL]
    module.exit_json(
        changed=False,
        passed=not failed,
        checks=[check.as_dict() for check in checks],
        failed_checks=[check.name for check in failed],
        failures=[failure(check) for check in failed],
        warning_checks=[check.name for check in checks if check.level is Level.WARNING],
        table=table(checks),
        accelerator=accelerator(machine)._asdict(),
    )


if __name__ == "__main__":
    main()
