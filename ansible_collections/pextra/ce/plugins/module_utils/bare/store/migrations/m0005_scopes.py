# Copied from pextra/store/migrations/m0005_scopes.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Indexes for every way in which rows are read, who acted in audit rows, identifiers ``svs-``."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

_VSWITCH = "cluster_id, node_id, description, mtu, status, creation, uplinks, bond, addressing"

MIGRATION = Migration(
    5,
    "indexes, principals in the audit log, identifiers of vSwitches",
    (
        "CREATE INDEX datacenters_name ON datacenters (name)",
        "CREATE INDEX clusters_name ON clusters (name)",
        "CREATE INDEX clusters_organization ON clusters (organization_id)",
        "CREATE INDEX nodes_name ON nodes (name)",
        "CREATE INDEX nodes_organization ON nodes (organization_id)",
        "CREATE INDEX users_username ON users (username)",
        "CREATE INDEX storage_pools_name ON storage_pools (name)",
        "CREATE INDEX storage_pools_status ON storage_pools (cluster_id, status)",
        "CREATE INDEX storage_pool_nodes_node ON storage_pool_nodes (node_id)",
        "CREATE INDEX vswitches_node ON vswitches (node_id)",
        "CREATE INDEX vswitches_name ON vswitches (name)",
        "CREATE INDEX port_groups_name ON port_groups (name)",
        "CREATE INDEX port_groups_vswitch ON port_groups (vswitch_id)",
        "CREATE INDEX instances_name ON instances (name)",
        "CREATE INDEX instances_node ON instances (node_id)",
        "CREATE INDEX network_devices_port_group ON network_devices (port_group_id)",
        "CREATE INDEX volumes_name ON volumes (name)",
        "CREATE INDEX volumes_node ON volumes (node_id)",
        "CREATE INDEX volume_snapshots_name ON volume_snapshots (name)",
        "CREATE INDEX volume_snapshots_node ON volume_snapshots (node_id)",
        "CREATE INDEX instance_snapshots_name ON instance_snapshots (name)",
        "CREATE INDEX instance_snapshots_node ON instance_snapshots (node_id)",
        "CREATE INDEX audit_log_resource ON audit_log (resource_id, at)",
        "ALTER TABLE audit_log ADD COLUMN door TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE audit_log ADD COLUMN organization_id TEXT",
        "ALTER TABLE audit_log ADD COLUMN request_id TEXT NOT NULL DEFAULT ''",
        # Under another name until the old row is gone: a name is unique in its cluster.
        f"""INSERT INTO vswitches (id, name, {_VSWITCH})
            SELECT 'svs-' || substr(id, 5), name || '~', {_VSWITCH}
            FROM vswitches WHERE id LIKE 'vsw-%'""",  # noqa: S608 - constants
        """UPDATE port_groups SET vswitch_id = 'svs-' || substr(vswitch_id, 5)
            WHERE vswitch_id LIKE 'vsw-%'""",
        "DELETE FROM vswitches WHERE id LIKE 'vsw-%'",
        "UPDATE vswitches SET name = substr(name, 1, length(name) - 1) WHERE name LIKE '%~'",
        """UPDATE audit_log SET resource_id = 'svs-' || substr(resource_id, 5)
            WHERE resource_id LIKE 'vsw-%'""",
    ),
)
