#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List network interfaces and what they are used for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nic_info
short_description: List network interfaces and what they are used for
version_added: 0.1.0
description:
  - Lists the network interfaces of the machine that can be uplinks of vSwitches, what they are, and
    what they are used for. Bridges and the ports of instances are left out.
  - Needs no database.
author:
  - pextra-ce contributors (@pextra-ce)
options:
  name:
    description:
      - Only the one with this name.
    type: str
  virtual:
    description:
      - Also interfaces without a network card behind them, such as bonds and VLAN interfaces.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Shows what changes, before and after; this module changes nothing.
    support: N/A
requirements:
  - iproute2 >= 6.1
seealso:
  - module: pextra.ce.vswitch
"""

EXAMPLES = r"""
- name: See the network cards
  pextra.ce.nic_info:
  register: cards

- name: Show which are free
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.driver }}, {{ item.speed }} Mbit/s"
  loop: "{{ cards.nics | rejectattr('used_for') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
nics:
  description: The interfaces, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name, as in the option O(pextra.ce.vswitch#module:uplinks).
      type: str
      sample: eth1
    mac:
      description: The MAC address that it has. Links of a bond have the bond's.
      type: str
      sample: 02:9a:84:9a:e3:22
    permanent_mac:
      description: The MAC address that it was made with.
      type: str
      sample: 02:9a:84:9a:e3:22
    kind:
      description: V(physical), or the kernel's name of the kind of a virtual one.
      type: str
      sample: physical
    up:
      description: Whether it is switched on.
      type: bool
      sample: true
    link:
      description: Whether it is connected; not known, and V(false), while it is off.
      type: bool
      sample: true
    speed:
      description: Mbit/s, V(null) where it is not known.
      type: int
      sample: 10000
    duplex:
      description: V(full) or V(half), V(null) where it is not known.
      type: str
      sample: full
    driver:
      description: Name of the driver, V(null) without hardware.
      type: str
      sample: ixgbe
    pci_address:
      description: Where it is on the PCI bus, V(null) where it is not on one.
      type: str
      sample: '0000:03:00.1'
    mtu:
      description: Largest packet, in bytes.
      type: int
      sample: 1500
    max_mtu:
      description: The largest value that O(pextra.ce.vswitch#module:mtu) could have with it.
      type: int
      sample: 9710
    addresses:
      description: Its addresses with their prefix length, without those of the link alone.
      type: list
      elements: str
      sample: []
    dynamic:
      description: Whether an address came by DHCP or router advertisement.
      type: bool
      sample: false
    routes:
      description: Destination and gateway of routes through it, but those that addresses bring.
      type: list
      elements: list
      sample: []
    master:
      description: The bridge or bond that it belongs to, V(null) if none.
      type: str
      sample: svbond10
    vswitch:
      description: The vSwitch that it leads out of, V(null) if none.
      type: str
      sample: svswitch10
    used_for:
      description:
        - What it is used for, empty if it is free. V(uplink) of a vSwitch, V(management) (this
          connection comes in there), V(default_route), V(addresses), or V(bridge_port) or
          V(bond_link) of something that is no vSwitch.
      type: list
      elements: str
      sample: [uplink]
code:
  description: What sort of error it is, such as V(host).
  returned: failure
  type: str
  sample: host
errors:
  description: What is wrong, V(msg) taken apart.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: As RV(code).
      type: str
      sample: host
    resource:
      description: What it is about, V(null) where it is about none.
      type: str
      sample: null
    message:
      description: What was asked, and what is there.
      type: str
      sample: there is no program ip
    hint:
      description: What to do about it, V(null) where nothing better is known than the message.
      type: str
      sample: Install the Debian package iproute2
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {"name": {"type": "str"}, "virtual": {"type": "bool", "default": False}}


def main() -> None:
    """Run the module."""
    run("nic_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
