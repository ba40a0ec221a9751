# SPDX-License-Identifier: Apache-2.0
"""What only CockroachDB has: cluster settings, and when the cluster was made."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pextra.model.errors import StoreError
from pextra.model.fields import Row

if TYPE_CHECKING:
    import psycopg

LICENSE, ORGANIZATION = "enterprise.license", "cluster.organization"
"""The settings that a licence has to do with."""
_SHOW = {
    LICENSE: "SHOW CLUSTER SETTING enterprise.license",
    ORGANIZATION: "SHOW CLUSTER SETTING cluster.organization",
}
_SET = {
    LICENSE: "SET CLUSTER SETTING enterprise.license = %s",
    ORGANIZATION: "SET CLUSTER SETTING cluster.organization = %s",
}
_REDACTED = "<redacted>"
_BORN = "SELECT min(completed_at) AS moment FROM system.migrations"
_FIRST_TABLES = "SELECT min(applied) AS moment FROM schema_migrations"
_NOT_ALLOWED = "42501"
_NOT_TO_BE_READ = frozenset({_NOT_ALLOWED, "3F000", "42P01"})


class ClusterSettings:
    """The cluster settings of a CockroachDB.

    They cannot be written inside a transaction, so every statement is one of its own, on a
    connection for nothing else.
    """

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    @property
    def version(self) -> str | None:
        """What the server says of itself, None where it is not CockroachDB."""
        return self._connection.info.parameter_status("crdb_version")

    def read(self, name: str) -> str:
        """A setting's value, empty where it is not set.

        Raises:
            StoreError: The server refuses to show it.
        """
        rows = self._run(_SHOW[name])
        value = str(next(iter(rows[0].values())) or "")
        if value == _REDACTED:
            raise StoreError(
                f"the database hides the cluster setting {name} from this role",
                hint="Grant it MODIFYCLUSTERSETTING, or turn"
                " server.redact_sensitive_settings.enabled off",
            )
        return value

    def write(self, name: str, value: str) -> None:
        """Set a value; it is sent as a parameter, apart from the statement.

        Raises:
            StoreError: The server refuses it.
        """
        self._run(_SET[name], (value,))

    def born(self) -> tuple[dt.datetime | None, bool]:
        """When the cluster was made, and whether that is exactly known.

        The migrations that made its system tables say so, to those who may read them; else the
        store's first tables do, which were made later. None where there are none either.
        """
        exact = self._moment(_BORN)
        if exact is not None:
            return exact, True
        return self._moment(_FIRST_TABLES), False

    def _moment(self, statement: str) -> dt.datetime | None:
        try:
            rows = self._run(statement)
        except StoreError as error:
            if getattr(error.__cause__, "sqlstate", None) in _NOT_TO_BE_READ:
                return None
            raise
        found = rows[0]["moment"]
        return found.astimezone(dt.UTC) if isinstance(found, dt.datetime) else None

    def _run(self, statement: str, parameters: tuple[str, ...] = ()) -> list[Row]:
        import psycopg

        try:
            done = self._connection.execute(statement.encode(), parameters or None)
            return done.fetchall() if done.description else []
        except psycopg.Error as error:
            raise _refused(error) from error


def _refused(error: psycopg.Error) -> StoreError:
    text = " ".join(str(error).split())
    hint = None
    if error.sqlstate == _NOT_ALLOWED:
        hint = "Grant the database role MODIFYCLUSTERSETTING, as the role pextra.ce.database does"
    return StoreError(f"the database refused: {text}", hint=hint)
