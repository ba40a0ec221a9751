# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds: make generate
"""What the inventory reads of nodes and instances."""

from __future__ import annotations

NODES = """
    SELECT
        id, name, cluster_id, description, ip_address, wol_mac, hostname, os, pce_version,
        last_seen, creation
    FROM nodes"""
INSTANCES = """
    SELECT
        id, cluster_id, name, node_id, description, type, cpu, memory, firmware, autostart,
        boot_order, status, creation
    FROM instances"""
