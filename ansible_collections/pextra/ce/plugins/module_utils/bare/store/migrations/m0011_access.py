# Copied from pextra/store/migrations/m0011_access.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Policies, roles, who has which, and AI providers; the predefined ones belong to nobody.

Of a predefined policy only the identifier is kept here, so that roles can refer to it. Its
statements are those of the program that runs: see ``pextra.access.predefined``.
"""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

_PREDEFINED = {
    "administrator": "Everything in the organization",
    "operator": "Runs machines with their volumes, and sees the rest",
    "viewer": "Sees everything but secrets and the audit log, and changes nothing",
    "network": "Virtual switches and port groups",
    "storage": "Storage pools, volumes and their snapshots",
    "auditor": "Sees what a viewer sees, the audit log, and what policies decide",
}
_SEEDS = tuple(
    statement
    for name, text in _PREDEFINED.items()
    for statement in (
        f"""INSERT INTO policies (id, name, description, enabled, statements, version, creation)
            VALUES ('iampol-{name:_<21}', '{name}', '{text}', TRUE, '[]', 1, now())""",  # noqa: S608
        f"""INSERT INTO roles (id, name, description, creation)
            VALUES ('iamrole-{name:_<21}', '{name}', '{text}', now())""",  # noqa: S608 - constants
        f"""INSERT INTO role_policies (id, role_id, policy_id, place, creation)
            VALUES ('rolpol-{name:_<21}', 'iamrole-{name:_<21}', 'iampol-{name:_<21}',
                1, now())""",  # noqa: S608
    )
)

MIGRATION = Migration(
    11,
    "policies, roles and AI providers",
    (
        """CREATE TABLE policies (
            id TEXT PRIMARY KEY,
            organization_id TEXT REFERENCES organizations (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            enabled BOOL NOT NULL,
            statements JSONB NOT NULL,
            version INT8 NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (organization_id, name))""",
        """CREATE TABLE policy_versions (
            id TEXT PRIMARY KEY,
            policy_id TEXT NOT NULL REFERENCES policies (id),
            number INT8 NOT NULL,
            statements JSONB NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (policy_id, number))""",
        """CREATE TABLE roles (
            id TEXT PRIMARY KEY,
            organization_id TEXT REFERENCES organizations (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (organization_id, name))""",
        """CREATE TABLE role_policies (
            id TEXT PRIMARY KEY,
            role_id TEXT NOT NULL REFERENCES roles (id),
            policy_id TEXT NOT NULL REFERENCES policies (id),
            place INT8 NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (role_id, policy_id))""",
        """CREATE TABLE user_roles (
            id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users (id),
            role_id TEXT NOT NULL REFERENCES roles (id),
            place INT8 NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (user_id, role_id))""",
        """CREATE TABLE ai_providers (
            id TEXT PRIMARY KEY,
            organization_id TEXT NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            type TEXT NOT NULL,
            base_url TEXT,
            api_key TEXT,
            model TEXT,
            enabled BOOL NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (organization_id, name))""",
        "CREATE INDEX policies_name ON policies (name)",
        "CREATE INDEX roles_name ON roles (name)",
        "CREATE INDEX role_policies_policy ON role_policies (policy_id)",
        "CREATE INDEX user_roles_role ON user_roles (role_id)",
        "CREATE INDEX ai_providers_name ON ai_providers (name)",
        # Who is root, whether another one is left, and whom a Linux user acts as.
        "CREATE INDEX users_root ON users (is_root, enabled)",
        "CREATE INDEX users_linux_user ON users (linux_user)",
        *_SEEDS,
    ),
)
