-- SPDX-License-Identifier: Apache-2.0
-- A large deployment in a store of the latest schema, made by the database itself in seconds.
--
-- psql's variables: cluster, the name of the only cluster that is there; organizations, how many
-- others, each with a datacenter, a cluster and 100 users; nodes, how many; instances, how many on
-- each of them, with a network device and two volumes each.
--
-- Nothing of it is on this machine: it is what other nodes have. Half of them are in the cluster that
-- is there already, beside this machine's own node, and share its pools; the others are in the
-- clusters of the other organizations. Names that may be the same on several nodes are the same.

-- References are right by the way they are made: to look each up takes most of the time.
SET session_replication_role = replica;

CREATE FUNCTION pg_temp.id(prefix TEXT, number TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE
    AS $$ SELECT prefix || '-' || substr(md5(prefix || number), 1, 21) $$;

CREATE TEMPORARY TABLE other AS
    SELECT n::TEXT AS o, now() AS creation FROM generate_series(1, :organizations) AS n;

CREATE TEMPORARY TABLE node AS
    SELECT n, pg_temp.id('node', n::TEXT) AS id, home.organization_id, now() AS creation,
        CASE WHEN n % 2 = 0 THEN home.id
            ELSE pg_temp.id('cls', (n % :organizations + 1)::TEXT) END AS cluster_id
    FROM generate_series(1, :nodes) AS n, clusters AS home WHERE home.name = :'cluster';

CREATE TEMPORARY TABLE machine AS
    SELECT i::TEXT AS i, pg_temp.id('inst', i::TEXT) AS id, node.n, node.id AS node_id,
        node.cluster_id, now() AS creation
    FROM generate_series(1, :nodes * :instances) AS i JOIN node ON node.n = i % :nodes + 1;

INSERT INTO organizations (id, name, creation)
    SELECT pg_temp.id('org', o), 'larger-' || o, creation FROM other;

INSERT INTO datacenters (id, organization_id, name, creation)
    SELECT pg_temp.id('dc', o), pg_temp.id('org', o), 'dc', creation FROM other;

INSERT INTO clusters (id, organization_id, datacenter_id, name, creation)
    SELECT pg_temp.id('cls', o), pg_temp.id('org', o), pg_temp.id('dc', o), 'larger', creation
    FROM other;

INSERT INTO users (id, organization_id, username, creation)
    SELECT pg_temp.id('user', o || '/' || u), pg_temp.id('org', o), 'user' || u, creation
    FROM other, generate_series(1, 100) AS u;

INSERT INTO nodes (id, organization_id, cluster_id, name, host_key, hardware, creation)
    SELECT id, organization_id, cluster_id, 'larger-' || n, md5('host' || n),
        '{"vcpus": 64, "memory_gb": 512, "disks": []}', creation
    FROM node;

INSERT INTO node_licenses (id, node_id, key, edition, customer, not_before, expiry, creation)
    SELECT pg_temp.id('lic', n::TEXT), id, 'key' || n, 'standard', 'larger', creation, creation,
        creation
    FROM node;

-- A pool of each other cluster, and one of each node's own.
INSERT INTO storage_pools (id, cluster_id, name, type, options, status, creation)
    SELECT pg_temp.id('pool', 'o' || o), pg_temp.id('cls', o), 'local', 'directory',
        '{"path": "/var/lib/pextra-ce/local"}', 'ready', creation
    FROM other
    UNION ALL
    SELECT pg_temp.id('pool', 'n' || n), cluster_id, 'own-' || n, 'directory',
        jsonb_build_object('path', '/srv/own-' || n), 'ready', creation
    FROM node;

INSERT INTO storage_pool_nodes (id, storage_pool_id, node_id, name, internal_id, status, creation)
    SELECT pg_temp.id('pooln', pool.id || n), pool.id, node.id, pool.name, md5(pool.id || n),
        'ready', node.creation
    FROM node JOIN storage_pools AS pool USING (cluster_id)
    WHERE pool.name NOT LIKE 'own-%' OR pool.name = 'own-' || n;

INSERT INTO vswitches (id, cluster_id, node_id, name, mtu, status, creation)
    SELECT pg_temp.id('svs', n::TEXT), cluster_id, id, 'svswitch' || 5000000 + n, 1500, 'ready',
        creation
    FROM node;

INSERT INTO port_groups (id, node_id, vswitch_id, name, creation)
    SELECT pg_temp.id('pgrp', name || n), node.id, pg_temp.id('svs', n::TEXT), name, creation
    FROM node, unnest(ARRAY['lan', 'dmz']) AS name;

INSERT INTO instances (id, cluster_id, node_id, name, type, cpu, memory, firmware, autostart,
        boot_order, status, creation)
    SELECT id, cluster_id, node_id, 'larger-' || i, 'qemu',
        '{"sockets": 1, "cores": 1, "threads": 1}', 1024, 'bios', FALSE, '[]', 'ready', creation
    FROM machine;

INSERT INTO network_devices (id, instance_id, port_group_id, name, mac, model, creation)
    SELECT pg_temp.id('nic', i), id, pg_temp.id('pgrp', 'lan' || n), 'net0', 'larger-' || i,
        'virtio', creation
    FROM machine;

-- The root volume in a pool that nodes share, the other one in the node's own.
INSERT INTO volumes (id, storage_pool_id, node_id, name, size, format, instance_id, device_name,
        device_path, bus, is_root, status, creation)
    SELECT pg_temp.id('vol', i || 'a'), pool.id, node_id, 'larger-' || i, 1073741824, 'qcow2',
        machine.id, 'root', '/dev/vda', 'virtio', TRUE, 'ready', machine.creation
    FROM machine JOIN (
        SELECT min(id) AS id, cluster_id FROM storage_pools
        WHERE name NOT LIKE 'own-%' GROUP BY cluster_id
    ) AS pool USING (cluster_id)
    UNION ALL
    SELECT pg_temp.id('vol', i || 'b'), pg_temp.id('pool', 'n' || n), node_id, 'larger-' || i,
        1073741824, 'qcow2', id, 'data', '/dev/vdb', 'virtio', FALSE, 'ready', creation
    FROM machine;

INSERT INTO volume_snapshots (id, volume_id, node_id, name, size, status, creation)
    SELECT 'vsnap-' || right(id, 21), id, node_id, 'larger', size, 'ready', creation
    FROM volumes WHERE name LIKE 'larger-%7';

INSERT INTO instance_snapshots (id, instance_id, node_id, name, memory, state, volumes, reverting,
        status, creation)
    SELECT 'isnap-' || right(id, 21), id, node_id, 'larger', FALSE, 'stopped', '[]', FALSE, 'ready',
        creation
    FROM instances WHERE name LIKE 'larger-%7';

ANALYZE;
