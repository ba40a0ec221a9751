# SPDX-License-Identifier: Apache-2.0
"""What the database says when something goes wrong, as errors that a user can act on."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from pextra.model.errors import ConflictError, StoreError

if TYPE_CHECKING:
    import psycopg


def no_driver(error: ImportError) -> StoreError:
    """This Python has no psycopg."""
    return StoreError(
        f"{sys.executable} cannot use psycopg: {error}",
        hint="On a node, install python3-psycopg, as the role pextra.ce.platform does; Debian's own"
        " /usr/bin/python3 has it. Elsewhere, install psycopg with pip, and libpq (Debian: libpq5)",
    )


ENCODING = "Make it anew: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
_CONNECT_HINTS = {
    "no password supplied": "It asks for a password: put it in a passfile, or use peer access",
    "password authentication failed": "The password in the connection string or passfile is wrong",
    "Peer authentication failed": "Run as a Linux user that the database maps to this role",
    "does not exist": "Create it with the playbook pextra.ce.database",
    "No such file or directory": "Start PostgreSQL, or run the playbook pextra.ce.database",
    "Connection refused": "Start the database, or correct host and port",
    "timeout expired": "The host does not answer: check host, port and firewall",
    "certificate verify failed": "Name the authority's certificate with sslrootcert",
}


def unreachable(error: Exception) -> StoreError:
    """The database does not answer, or lets nobody in."""
    text = re.sub(r"password=\S+", "password=********", " ".join(str(error).split()))
    hint = next((hint for mark, hint in _CONNECT_HINTS.items() if mark in text), None)
    return StoreError(f"the database cannot be reached: {text}", hint=hint)


def unknown(error: Exception) -> StoreError:
    """The connection broke while changes were being committed; it is not tried again."""
    text = " ".join(str(error).split())
    return StoreError(
        f"the connection to the database broke while the changes were written: {text}",
        hint="Whether they were is not known. Run it again: it goes on from what is there",
    )


def translated(error: psycopg.Error) -> Exception:
    """A statement failed."""
    text = " ".join(str(error).split())
    state = error.sqlstate or ""
    if state == "23505":
        return ConflictError(f"another resource has it already: {text}")
    if state == "23503":
        return ConflictError(f"something else refers to it: {text}")
    hints = {
        "25006": "The database is read-only: connect to the primary",
        "42P01": "Create the tables: run the module pextra.ce.database with state=migrated",
        "42501": "The database role lacks the right: use the owner of the tables",
        "40001": "The database is too busy: run it again",
        "22P05": f"The database is not in UTF-8. {ENCODING}, and move the data with pg_dump",
        "53100": "The database's disk is full",
        "3D000": "Create it with the playbook pextra.ce.database",
    }
    return StoreError(f"the database failed: {text}", hint=hints.get(state))
