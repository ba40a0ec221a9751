# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL server of the tests' own: no TCP, nothing outside one directory."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

MEMORY, MEMORY_NEEDED = "/dev/shm", 1 << 30
"""Where the server is if that many bytes are free there; a database is copied for each test."""
PORT = 5432
ROLE = "pextra_ce"
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{directory}'
port = {port}
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 120
shared_buffers = 32MB
"""
_ACCESS = """
local  all  with_password  scram-sha-256
local  all  all            trust
"""


class Postgres:
    """A server that runs from ``start`` to ``stop``."""

    def __init__(self) -> None:
        room = Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED
        where = MEMORY if room else "/var/tmp"
        self.directory = Path(tempfile.mkdtemp(prefix="pextra-ce-sql-", dir=where))
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda item: item.parent.name)
        self._programs = found[-1]

    def start(self) -> None:
        """Make the server's files and start it."""
        shutil.chown(self.directory, "postgres", "postgres")
        self.directory.chmod(0o755)
        data = self.directory / "data"
        self._run("initdb", "-D", str(data), "-A", "trust", "-E", "UTF8", "-N", "--locale=C.UTF-8")
        (data / "pg_hba.conf").write_text(_ACCESS)
        settings = _SETTINGS.format(directory=self.directory, port=PORT)
        with (data / "postgresql.conf").open("a") as file:
            file.write(settings)
        self._run("pg_ctl", "-D", str(data), "-l", f"{self.directory}/log", "-w", "start")
        self.psql(f"CREATE ROLE {ROLE} LOGIN")
        self.psql("CREATE ROLE with_password LOGIN PASSWORD 'right'")

    def stop(self) -> None:
        """Stop the server and remove its files."""
        data = self.directory / "data"
        self._run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database; its connection string."""
        self.psql(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}")
        return self.conninfo(name)

    def drop(self, name: str) -> None:
        """Remove a database, also while somebody is connected."""
        self.psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def conninfo(self, name: str, user: str = ROLE) -> str:
        """How to reach a database."""
        return f"host={self.directory} port={PORT} dbname={name} user={user}"

    def psql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the server's owner."""
        return self._psql(database, "-c", statement)

    def script(self, path: Path, database: str, **variables: object) -> None:
        """Run a file as the server's owner, with psql's variables."""
        given = (item for name, value in variables.items() for item in ("-v", f"{name}={value}"))
        self._psql(database, *given, "-f", str(path))

    def restart(self) -> None:
        """Stop the server, whoever is connected, and start it again."""
        data = self.directory / "data"
        self._run("pg_ctl", "-D", str(data), "-l", f"{self.directory}/log", "-w", "-m", "fast",
                  "restart")  # fmt: skip

    def _psql(self, database: str, *arguments: str) -> str:
        where = ["-h", str(self.directory), "-p", str(PORT), "-d", database]
        return self._run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", *where, *arguments)

    def _run(self, program: str, *arguments: str, check: bool = True) -> str:
        argv = ["runuser", "-u", "postgres", "--", str(self._programs / program), *arguments]
        # pg_ctl's server inherits what is open here, and pipes would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                argv, stdout=output, stderr=output, cwd="/", stdin=subprocess.DEVNULL, check=False
            )
            output.seek(0)
            text = output.read()
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} failed: {text}")
        return text
