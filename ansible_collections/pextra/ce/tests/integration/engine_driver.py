# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's modules for the tests, on the Python and the libraries of a node.

Started once a session with /usr/bin/python3. Each line of standard input is a JSON list of jobs;
each job is carried out in a process of its own, all of a list at the same time, and one line with
the list of their results goes to standard output. What a new Ansible task pays for importing is so
paid once.

A job: ``op`` is ``module`` (``name``, ``args``, ``check``, ``diff``) or ``call`` (the same,
straight to the engine) or ``command`` (``arguments`` of the command pextra) or
``threads`` (``calls`` at the same time in one process, as operations) or ``sql``
(``database``, ``statement``, ``parameters``) or ``libvirt`` (``prefix``: the domains and pools
whose names begin with it). Besides: ``directories`` (state, configuration and log directory),
``environment``, ``machine_id`` (act as another machine, with a lock of its own),
``no_libvirt`` (libvirt does not answer), ``umask``, ``user`` (act as that Linux user, a number),
``count_rows`` (of each statement, ``points`` has the number of rows that it returned),
``die_at`` (be killed at that point, named, or counted from 1; 0 lists the points),
``meanwhile_at`` (there another process carries out the job ``meanwhile``; queries are points then,
too), ``lose_database_at`` and ``lose_libvirt_at`` (their connections break there).

A result: ``signal`` or None, ``output`` (the module's JSON, the rows, the domains), ``error``
(what was printed besides), ``points`` (the names of the points passed, if they were counted).
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any

Job = dict[str, Any]

COLLECTION = "ansible_collections.pextra.ce.plugins"
TIME_LIMIT = 120
"""Seconds until a job is given up."""


def work(job: Job, points: IO[str]) -> None:
    """Carry one job out, in a process of its own; the result goes to standard output."""
    os.environ.update(job.get("environment", {}))
    if "umask" in job:
        os.umask(job["umask"])
    if "user" in job:
        os.setgroups([])
        os.setgid(job["user"])
        os.setuid(job["user"])
    if job["op"] == "sql":
        query(job)
        return
    if job["op"] == "libvirt":
        look(job["prefix"])
        return
    adapt(job)
    if job.get("count_rows"):
        count_rows(points)
    if "meanwhile_at" in job:
        counter = Points(job["meanwhile_at"], lambda: meanwhile(job["meanwhile"]), points)
        counter.watch()
        counter.watch_queries()
    for name, what in FAULTS.items():
        if job.get(name) is not None:
            Points(job[name], what, points).watch()
    doors = {
        "module": run_module, "call": run_call, "command": run_command, "threads": run_threads,
    }  # fmt: skip
    doors[job["op"]](job)


def query(job: Job) -> None:
    """The rows of one statement."""
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(job["database"], autocommit=True, row_factory=dict_row) as connection:
        done = connection.execute(job["statement"].encode(), job.get("parameters") or None)
        rows = done.fetchall() if done.description else []
    json.dump(rows, sys.stdout, default=str)


def look(prefix: str) -> None:
    """Domains and pools of a prefix, with their persistent definitions."""
    import libvirt

    connection = libvirt.open("qemu:///system")
    found = {
        "domains": {
            domain.name(): {
                "xml": domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE),
                "live": domain.XMLDesc(0) if domain.isActive() else None,
                "autostart": bool(domain.autostart()),
            }
            for domain in connection.listAllDomains(0)
            if domain.name().startswith(prefix)
        },
        "pools": {
            pool.name(): {
                "xml": pool.XMLDesc(libvirt.VIR_STORAGE_XML_INACTIVE),
                "active": bool(pool.isActive()),
                "autostart": bool(pool.autostart()),
            }
            for pool in connection.listAllStoragePools(0)
            if pool.name().startswith(prefix)
        },
    }
    json.dump(found, sys.stdout)


def adapt(job: Job) -> None:
    """Give the job its own directories, and the troubles that it asks for."""
    machine = importlib.import_module("pextra.host.machine")
    machine.Host.__init__.__defaults__ = tuple(job["directories"])
    if "machine_id" in job:
        machine.KEY_FILES = (job["machine_id"],)
        lock = importlib.import_module("pextra.host.lock")
        lock.host_lock.__wrapped__.__defaults__ = (f"{job['machine_id']}.lock", lock.TIMEOUT)
    if job.get("no_libvirt"):
        import libvirt

        libvirt.open = functools.partial(_open_nowhere, libvirt.open)


def count_rows(points: IO[str]) -> None:
    """Write down how many rows each statement returns, also those that come as one value."""
    transaction = importlib.import_module("pextra.store.transaction").Transaction

    def counted(read: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        rows = read(*args, **kwargs)
        points.write(f"{len(rows)}\n")
        points.flush()
        return rows

    for name in ("select", "page", "query"):
        read = getattr(transaction, name)
        setattr(transaction, name, functools.partialmethod(functools.partial(counted, read)))


def _open_nowhere(connect: Callable[[str], Any], uri: str) -> Any:
    return connect(f"{uri}?socket=/nonexistent/libvirt-sock")


def run_module(job: Job) -> None:
    """Run a module as Ansible would, from its arguments to its exit."""
    from ansible.module_utils import basic

    arguments = {
        **job["args"],
        "_ansible_check_mode": bool(job.get("check")),
        "_ansible_diff": bool(job.get("diff")),
    }
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    runpy.run_module(f"{COLLECTION}.modules.{job['name']}", run_name="__main__", alter_sys=True)


def run_call(job: Job) -> None:
    """Call the engine by a name, as a face does; an error is told as a module tells it."""
    from pextra.calls import registry
    from pextra.host.identity import local
    from pextra.model.errors import IncompleteError, PextraError, each

    try:
        procedure = registry.find(job["name"])
        answer = registry.call(
            procedure, job["args"], local("test"), check=bool(job.get("check")),
            diff=bool(job.get("diff")),
        )  # fmt: skip
    except PextraError as error:
        results = error.results if isinstance(error, IncompleteError) else {}
        errors = [item.as_dict() for item in each(error)]
        failed = {"failed": True, "msg": str(error), "code": error.code, "errors": errors}
        answer = {**results, **failed}
    json.dump(answer, sys.stdout)


def run_command(job: Job) -> None:
    """Run the command pextra, and tell its exit status and what it printed."""
    import contextlib
    import io

    from pextra.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main.main(job["arguments"])
        except SystemExit as end:
            status = int(end.code or 0)
    found = {"status": status, "out": out.getvalue(), "err": err.getvalue()}
    json.dump(found, sys.stdout)


def run_threads(job: Job) -> None:
    """Carry calls out at the same time, as a service does: one store, a host view a call.

    A call: ``name``, ``args``, ``principal``; ``host_key`` (as another machine), ``cancel_at``
    (ask the operation to stop when that step of it begins, counted from 1; 0: before it begins),
    ``meanwhile`` (a statement that another node's run carries out when its first step begins).
    """
    import concurrent.futures

    from pextra.store.connection import Store

    with (
        Store(job["database"]) as store,
        concurrent.futures.ThreadPoolExecutor(len(job["calls"])) as pool,
    ):
        found = list(pool.map(lambda call: _operation(call, store), job["calls"]))
    json.dump(found, sys.stdout, default=str)


def _operation(call: Job, store: Any) -> Job:
    """What came of one of the calls."""
    import dataclasses

    from pextra.calls import operation, registry
    from pextra.engine.operations import Operations
    from pextra.engine.progress import Progress
    from pextra.host.machine import Host
    from pextra.model.errors import PextraError
    from pextra.model.principal import Principal

    class Canceller(Progress):
        seen = 0

        def report(self, event: Any) -> None:
            self.seen += 1
            if self.seen == 1 and "meanwhile" in call:
                store.transact(lambda tx: tx.execute(call["meanwhile"]))
            if self.seen == call.get("cancel_at"):
                Operations(store, host).cancel(id)

    procedure, principal = registry.find(call["name"]), Principal(**call["principal"])
    with Host() as host:
        if "host_key" in call:
            host.__dict__["key"] = call["host_key"]
        id = operation.queue(procedure, call["args"], principal, store, host)
        if call.get("cancel_at") == 0:
            Operations(store, host).cancel(id)
        answer: Any = None
        error = None
        try:
            answer = operation.carry_out(
                id, procedure, call["args"], principal, store, host, progress=Canceller()
            )
        except PextraError as wrong:
            error = wrong.as_dict()
        kept = Operations(store, host).find(id)
    told = {key: getattr(kept, key) for key in ("state", "progress", "line", "error", "result")}
    log = [dataclasses.asdict(line) for line in kept.log]
    return {"id": id, "answer": answer, "error": error, "kept": {**told, "log": log}}


def die() -> None:
    """End as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def meanwhile(job: Job) -> None:
    """Have another process carry a job out, to its end."""
    done = subprocess.run(
        [sys.executable, "-I", __file__, *sys.argv[1:]],
        input=json.dumps([job]) + "\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    (result,) = json.loads(done.stdout)
    if result["signal"] or (result["output"] or {}).get("failed"):
        raise RuntimeError(done.stdout)


def lose_connections(mark: bytes) -> None:
    """Break this process's connections to local sockets whose path has the mark."""
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as connection:
                peer = connection.getpeername()
                if mark in (peer if isinstance(peer, bytes) else str(peer).encode()):
                    connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


FAULTS: dict[str, Callable[[], None]] = {
    "die_at": die,
    "lose_database_at": lambda: lose_connections(b".s.PGSQL."),
    "lose_libvirt_at": lambda: lose_connections(b"libvirt-sock"),
}


class Points:
    """Counts what a run does to the world, and lets something happen at one of them.

    Args:
        at: The number of the action before which it happens, or its name; 0 is never.
        what: What happens.
        names: Where the names of the points passed are written.
    """

    def __init__(self, at: int | str, what: Callable[[], None], names: IO[str]) -> None:
        self._at = at
        self._what = what
        self._names = names
        self._passed = 0
        self._lock = threading.Lock()

    def watch(self) -> None:
        """From here on, count."""
        import libvirt

        connection = importlib.import_module("pextra.store.connection")
        connection.Store.transact = self._transaction(connection.Store.transact)
        changes = {
            libvirt.virConnect: ("defineXMLFlags", "restoreFlags", "storagePoolDefineXML"),
            libvirt.virDomain: (
                "attachDeviceFlags", "backupBegin", "create", "destroy", "detachDeviceFlags",
                "resume", "saveFlags", "setAutostart", "suspend",
                "shutdown", "undefineFlags", "updateDeviceFlags",
            ),
            libvirt.virStoragePool: ("create", "destroy", "setAutostart", "undefine"),
            os: ("replace", "rmdir", "unlink"),
            subprocess: ("run",),
        }  # fmt: skip
        for owner, names in changes.items():
            for name in names:
                self._wrap(owner, name)

    def watch_queries(self) -> None:
        """Count what is read of the database, too."""
        self._wrap(importlib.import_module("pextra.store.transaction").Transaction, "query")

    def _wrap(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._pass(f"{owner.__name__}.{name}")
            return original(*args, **kwargs)

        setattr(owner, name, counted)

    def _transaction(self, transact: Callable[..., Any]) -> Callable[..., Any]:
        def counted(store: Any, work: Callable[[Any], Any], **options: Any) -> Any:
            reads = bool(options.get("read_only"))

            def before_commit(tx: Any) -> Any:
                result = work(tx)
                self._pass("read" if reads else "commit")
                return result

            result = transact(store, before_commit, **options)
            self._pass("read-over" if reads else "committed")
            return result

        return counted

    def _pass(self, name: str) -> None:
        with self._lock:
            self._passed += 1
            passed = self._passed
            self._names.write(f"{name}\n")
            self._names.flush()
        if self._at in (passed, name):
            self._what()


class Running:
    """One job in a process of its own, which begins when ``gate`` is closed by this process."""

    def __init__(self, job: Job, gate: tuple[int, int]) -> None:
        self._out, self._err, self._points = (
            tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - read when it has ended
            for _index in range(3)
        )
        self._pid = os.fork()
        if self._pid == 0:
            self._child(job, gate)

    def _child(self, job: Job, gate: tuple[int, int]) -> None:
        code = 70
        try:
            os.close(gate[1])
            os.read(gate[0], 1)
            signal.alarm(TIME_LIMIT)
            for descriptor, file in ((1, self._out), (2, self._err)):
                os.dup2(file.fileno(), descriptor)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            work(job, self._points)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def result(self) -> dict[str, Any]:
        """What became of it, when it has ended."""
        _pid, status = os.waitpid(self._pid, 0)
        out, err, points = (self._read(file) for file in (self._out, self._err, self._points))
        try:
            output = json.loads(out) if out.strip() else None
        except ValueError:
            output, err = None, out + err
        return {
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "output": output,
            "error": err,
            "points": points.split(),
        }

    def _read(self, file: IO[str]) -> str:
        with file:
            file.seek(0)
            return file.read()


def main() -> None:
    """Serve until standard input ends."""
    _root, controller = sys.argv[1:]
    sys.path.insert(0, _root)
    sys.path.append(controller)  # only ansible-core from there: Debian's libraries come first
    for name in ("libvirt", "psycopg", "pextra.calls.apply"):
        importlib.import_module(name)
    for line in sys.stdin:
        gate = os.pipe()
        running = [Running(job, gate) for job in json.loads(line)]
        for descriptor in gate:
            os.close(descriptor)
        sys.stdout.write(json.dumps([job.result() for job in running]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
