# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and instances of the cloud, from its store, as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pextra
short_description: Nodes and instances of the cloud, from its store
version_added: 0.1.0
author:
  - pextra-ce contributors (@pextra-ce)
description:
  - Lists nodes and instances with what the store knows of them. It sends the database a handful of
    queries, however many there are.
  - Groups are C(organization_NAME), in it C(datacenter_NAME), in it C(cluster_NAME). Nodes are in
    the group of their cluster; instances are in C(node_NAME), the group of their node, which is in
    the cluster's.
  - All nodes are in C(pextra_nodes), all instances in C(pextra_instances). Instances are also in
    C(type_qemu) or C(type_lxc), and in C(state_STATUS).
  - In names of groups, everything but ASCII letters, digits and underscores becomes an underscore.
    Where two would then share a group, both names carry the id.
  - A host has the name of its node or instance. Where several in the listing have the same name,
    or it means something else in an inventory (V(all), V(ungrouped), V(localhost)), the name is
    followed by an underscore and the id.
  - Variables have the names that the modules return, after C(pextra_), and are never templates.
    The variable C(ansible_host) of a node is its IP address.
notes:
  - The state is that of the store (V(pending), V(ready), V(updating), V(deleting)). Whether an
    instance runs is known to its node alone, and the addresses of instances are known to
    themselves alone; so neither is here.
  - The file's name is C(pextra.yml), or ends with C(.pextra.yml); C(.yaml) does too.
  - When the database cannot be read, Ansible warns and goes on without these hosts, unless
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) is set.
requirements:
  - psycopg >= 3.1 and libpq on the controller
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Marks the file as one of this plugin.
    type: str
    required: true
    choices: [pextra.ce.pextra]
  database:
    description:
      - The store, as a libpq connection string, as the modules take it. Keep passwords out of it;
        they belong in a file that C(passfile) names.
      - Left out, it is the database of the machine that Ansible runs on, if that is a node.
    type: str
    env:
      - name: PEXTRA_CE_DATABASE
  include:
    description: What becomes hosts.
    type: list
    elements: str
    choices: [nodes, instances]
    default: [nodes, instances]
  networks:
    description:
      - Give each instance a variable C(pextra_networks), a list of its network devices with
        C(name), C(mac), C(model), C(port_group) and C(vswitch).
    type: bool
    default: false
  organizations:
    description: Names or ids of organizations; only what is in them is listed.
    type: list
    elements: str
    default: []
  datacenters:
    description: Names or ids of datacenters; only what is in them is listed.
    type: list
    elements: str
    default: []
  clusters:
    description: Names or ids of clusters; only what is in them is listed.
    type: list
    elements: str
    default: []
  nodes:
    description:
      - Names or ids of nodes; only they and what is on them are listed.
      - Nothing is read of other nodes, so that the time does not depend on how many there are.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
"""

EXAMPLES = r"""
# The whole cloud, when run on a node.
plugin: pextra.ce.pextra
---
# One node and the instances on it.
plugin: pextra.ce.pextra
nodes: [node1]
---
# Instances of one organization, cached for five minutes, with groups and variables of one's own.
plugin: pextra.ce.pextra
database: host=db.example.net dbname=pextra_ce user=reader sslrootcert=/etc/ssl/certs/db.pem
include: [instances]
organizations: [acme]
strict: true
keyed_groups:
  - key: pextra_firmware
    prefix: firmware
groups:
  large: pextra_memory >= 8192
  web: pextra_name is match('web-')
compose:
  ansible_host: pextra_name ~ '.example.net'
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/pextra-inventory
cache_timeout: 300
"""

import hashlib
import json
import os
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import PextraError
from ansible_collections.pextra.ce.plugins.module_utils.bare.store.connection import Store
from ansible_collections.pextra.ce.plugins.plugin_utils import listing

_FORMAT = 1
"""Changes when cached rows of an older program would no longer do."""


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin."""

    NAME = "pextra.ce.pextra"

    def verify_file(self, path: str) -> bool:
        """Whether the file is one of this plugin's, by its name."""
        name = os.path.basename(path)
        mine = name in ("pextra.yml", "pextra.yaml") or name.endswith(
            (".pextra.yml", ".pextra.yaml")
        )
        return mine and bool(super().verify_file(path))

    def parse(
        self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True
    ) -> None:
        """Fill the inventory.

        Raises:
            AnsibleParserError: An option is not acceptable, or the database cannot be read.
        """
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        found = listing.arrange(self._rows(path, cache), self.get_option("include"))
        for name in found.renamed:
            self.display.vv(f'pextra: hosts named "{name}" carry their id')
        self._fill(inventory, found)

    def _rows(self, path: str, cache: bool) -> dict[str, Any]:
        only = {level: self.get_option(f"{level}s") for level in (*listing.LEVELS, "node")}
        database, networks = self.get_option("database"), self.get_option("networks")
        if not self.get_option("cache"):
            return _read(database, only, networks)
        self.load_cache_plugin()
        asked = json.dumps([_FORMAT, database, only, networks])
        key = f"{self.get_cache_key(path)}_{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
        if cache and key in self._cache:
            return dict(self._cache[key])
        rows = _read(database, only, networks)
        self._cache[key] = rows
        return rows

    def _fill(self, inventory: InventoryData, found: listing.Listing) -> None:
        for group, parent in found.groups:
            inventory.add_group(group)
            if parent is not None:
                inventory.add_child(parent, group)
        strict, compose = self.get_option("strict"), self.get_option("compose")
        groups, keyed = self.get_option("groups"), self.get_option("keyed_groups")
        for entry in found.entries:
            inventory.add_host(entry.name)
            for group in entry.groups:
                inventory.add_child(group, entry.name)
            # inventory.set_variable() copies and checks each value: a third of the time of a large
            # listing. These are fresh, and come from JSON.
            inventory.hosts[entry.name].vars.update(entry.variables)
            self._set_composite_vars(compose, entry.variables, entry.name, strict)
            self._add_host_to_composed_groups(groups, entry.variables, entry.name, strict)
            self._add_host_to_keyed_groups(keyed, entry.variables, entry.name, strict)


def _read(database: str | None, only: dict[str, list[str]], networks: bool) -> dict[str, Any]:
    store = Store(database)
    try:
        return store.transact(lambda tx: listing.read(tx, only, networks=networks))
    except PextraError as error:
        raise AnsibleParserError(str(error)) from error
    finally:
        store.close()
