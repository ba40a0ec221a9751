# Copied from pextra/store/address.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Where the store is: a libpq connection string, and what we insist on in it."""

from __future__ import annotations

import os
import re

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import InputError, StoreError

DEFAULT = "host=/var/run/postgresql port=5499 dbname=pextra_ce user=pextra_ce"
"""The node's own database, by peer authentication on a local socket."""
CONNINFO_FILE = "/etc/pextra-ce/database.conninfo"
"""What the role ``database`` writes on a node whose database is on another one."""
_ELSEWHERE = frozenset({"PGHOSTADDR", "PGSERVICE"})


def conninfo(option: str | None) -> str:
    """The connection string: the option, else PEXTRA_CE_DATABASE, else the node's default.

    Raises:
        StoreError: The node's file, which has the default, cannot be read.
    """
    return option or os.environ.get("PEXTRA_CE_DATABASE") or _kept() or DEFAULT


def _kept() -> str | None:
    try:
        with open(CONNINFO_FILE, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{CONNINFO_FILE} says where the database is, and cannot be read: {error}",
            hint="Run the playbook pextra.ce.database, or set the option database",
        ) from None


def secured(text: str) -> str:
    """The connection string with TLS verification for anything but a local socket.

    Raises:
        InputError: It cannot be parsed, or it turns verification off.
    """
    import psycopg

    try:
        parts = psycopg.conninfo.conninfo_to_dict(text)
    except psycopg.Error as error:
        raise InputError(
            f"the database's connection string is not acceptable: {str(error).strip()}",
            hint="Write it as libpq does: host=... dbname=... user=...",
        ) from None
    known = {"connect_timeout": parts.get("connect_timeout", 10)}
    hosts = str(parts.get("host") or os.environ.get("PGHOST") or "/").split(",")
    if len(hosts) > 1:
        # Of a replicated database, the server that takes changes.
        known["target_session_attrs"] = parts.get("target_session_attrs", "read-write")
    elsewhere = {"hostaddr", "service"} & set(parts) or _ELSEWHERE & set(os.environ)
    if not elsewhere and all(host.startswith(("/", "@")) for host in hosts):
        return psycopg.conninfo.make_conninfo(text, **known)
    mode = parts.get("sslmode", "verify-full")
    if mode not in ("verify-full", "verify-ca"):
        raise InputError(
            f"sslmode={mode} would leave the database connection unverified",
            hint="Use sslmode=verify-full with sslrootcert, or a local socket",
        )
    return psycopg.conninfo.make_conninfo(text, sslmode=mode, **known)


def secrets_of(text: str) -> set[str]:
    """What of a connection string must not be shown: itself and its password.

    Of one that cannot be parsed, each word: the reason names the word it stumbled over.
    """
    try:
        import psycopg
    except ImportError:
        return {text}
    try:
        password = psycopg.conninfo.conninfo_to_dict(text).get("password")
    except psycopg.Error:
        return {text, *re.split(r"[\s=]+", text)} - {""}
    return {text, str(password)} if password else {text}
