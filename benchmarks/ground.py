# SPDX-License-Identifier: Apache-2.0
"""The throw-away ground that is measured on: a PostgreSQL server, a directory, a name prefix.

Nothing else on the machine is touched, and all of it goes at the end. What a run that was killed
could not remove, the next one does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PREFIX = "pextra-bench-"
"""What the names of domains and pools begin with."""
POOL = f"{PREFIX}pool"
DIRECTORY = Path("/var/lib/pextra-ce-bench")
NODE_PYTHON = "/usr/bin/python3"
BRIDGES = tuple(f"svswitch{4_200_000 + number}" for number in range(10))
"""vSwitches that are measured, and the bridges that a loop makes instead."""
_ROOT = Path(__file__).parents[1]
_LOCK = "/run/lock/pextra-ce-bench.lock"
_SHARED = tuple(
    map(
        Path,
        (
            "/var/log/pextra-ce/console",
            "/var/log/pextra-ce",
            "/run/lock/pextra-ce.lock",
            "/var/lib/pextra-ce/definitions-qemu.json",
            "/var/lib/pextra-ce",
        ),
    )
)
"""Made by the modules where they are missing; a cloud on this machine may have them already."""
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{directory}'
"""


class Ground:
    """A PostgreSQL server with the settings of a new one, and paths; see ``ground``."""

    directory = DIRECTORY
    pool = DIRECTORY / "pool"
    engine = DIRECTORY / "engine"
    worker = DIRECTORY / "worker.sock"
    vswitch = BRIDGES[0]
    database = f"host={DIRECTORY} port=5432 dbname=cloud user=postgres"

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda item: item.parent.name)
        if not found:
            sys.exit("benchmarks: PostgreSQL is not installed")
        self._programs = found[-1]
        self._data = DIRECTORY / "sql"
        self._served: subprocess.Popen[bytes] | None = None
        self.filled: int | None = None

    def start(self) -> None:
        """Make the directory, note what of the shared paths is missing, start the server.

        The engine that is measured is this tree's, compiled as a node's package has it.
        """
        DIRECTORY.mkdir(mode=0o755)
        missing = [str(path) for path in _SHARED if not path.exists()]
        (DIRECTORY / "missing").write_text("\n".join(missing))
        self._data.mkdir()
        for path in (DIRECTORY, self._data):
            shutil.chown(path, "postgres", "postgres")
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(directory=DIRECTORY))
        self._control("start")
        shutil.copytree(
            _ROOT / "pextra", self.engine / "pextra",
            ignore=shutil.ignore_patterns("tests", "__pycache__"),
        )  # fmt: skip
        subprocess.run([NODE_PYTHON, "-m", "compileall", "-q", str(self.engine)], check=True)
        self.sql("CREATE DATABASE cloud TEMPLATE template0")
        self._serve()

    def _serve(self) -> None:
        """Start the engine's worker, as systemd does on a node."""
        environment = {
            "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONPATH": str(self.engine),
            "PEXTRA_CE_WORKER": str(self.worker),
        }  # fmt: skip
        self._served = subprocess.Popen(
            [NODE_PYTHON, "-P", "-m", "pextra.cli.worker"], env=environment, cwd="/",
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def keep(self) -> None:
        """Let what the database now holds be what ``renew`` goes back to."""
        self.sql("CREATE DATABASE kept TEMPLATE cloud")

    def renew(self) -> None:
        """Remove every instance and volume, and go back to the database as kept."""
        self.filled = None
        self._libvirt("remove", f"{PREFIX}vm")
        for path in self.pool.iterdir():
            path.unlink()
        self.sql("DROP DATABASE cloud WITH (FORCE)")
        self.sql("CREATE DATABASE cloud TEMPLATE kept")

    def forget(self, stem: str) -> None:
        """Remove the domains and pools whose names begin with the prefix and this."""
        self._libvirt("remove", PREFIX + stem)

    def unbridge(self) -> None:
        """Remove the bridges, and what a loop wrote beside them."""
        for name in BRIDGES:
            if Path("/sys/class/net", name).exists():
                subprocess.run(["ip", "link", "del", name], check=True)
        shutil.rmtree(DIRECTORY / "units", ignore_errors=True)

    def remove(self) -> None:
        """Remove all that was made, here or by a run that was killed."""
        if self._served:
            self._served.terminate()
            self._served.wait()
            self._served = None
        self._libvirt("remove", PREFIX)
        self.unbridge()
        if not DIRECTORY.exists():
            return
        if (self._data / "postmaster.pid").exists():
            self._control("stop", check=False)
        noted = DIRECTORY / "missing"
        missing = noted.read_text().split() if noted.exists() else ()
        for path in (path for path in _SHARED if str(path) in missing):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        shutil.rmtree(DIRECTORY)

    def sql(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the server's owner."""
        where = ("-h", str(DIRECTORY), "-d", database)
        self._run("psql", "-qX", "-v", "ON_ERROR_STOP=1", *where, "-c", statement)

    def script(self, path: Path, database: str, **variables: object) -> None:
        """Run a file as the server's owner, with psql's variables."""
        where = ("-h", str(DIRECTORY), "-d", database)
        given = (item for name, value in variables.items() for item in ("-v", f"{name}={value}"))
        readable = DIRECTORY / path.name
        shutil.copy(path, readable)
        self._run("psql", "-qX", "-v", "ON_ERROR_STOP=1", *where, *given, "-f", str(readable))

    def ask(self, statement: str) -> str:
        """What a statement of one row and column returns."""
        where = ("-h", str(DIRECTORY), "-d", "postgres")
        argv = ["runuser", "-u", "postgres", "--", str(self._programs / "psql"), "-qAtX", *where]
        done = subprocess.run(
            [*argv, "-c", statement], cwd="/", capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def _control(self, action: str, *, check: bool = True) -> None:
        log = str(DIRECTORY / "sql" / "log")
        self._run(
            "pg_ctl", "-D", str(self._data), "-l", log, "-m", "fast", "-w", action, check=check
        )

    def _libvirt(self, action: str, argument: str) -> None:
        script = str(Path(__file__).with_name("bare_libvirt.py"))
        subprocess.run([NODE_PYTHON, script, action, argument], check=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        argv = ["runuser", "-u", "postgres", "--", str(self._programs / program), *arguments]
        done = subprocess.run(
            argv, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)} failed with {done.returncode}")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Be the only benchmark on this machine."""
    with open(_LOCK, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("benchmarks: another run is under way on this machine")
        try:
            yield
        finally:
            os.unlink(_LOCK)
