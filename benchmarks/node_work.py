# SPDX-License-Identifier: Apache-2.0
"""Processes that each work as another node, all at the same moment, with Debian's Python.

Usage: node_work.py WORK TIMES DIRECTORY DATABASE...

There is a process for each DATABASE, a connection string; several may be given the same one. Each
is a node of its own: with a machine, an organization, a cluster, a storage pool and files of its
own, below DIRECTORY. WORK is ``migrate`` or ``prepare``, which make what is needed, one after the
other, or ``organizations``, ``users`` or ``volumes``, TIMES over.

A line of JSON goes to standard output: ``seconds`` from the first call to the end of the last one.
The exit status is 1 if a call of a process failed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

PREFIX = "pextra-bench-"
"""What the names of pools begin with; see ``ground.py``."""


class Node:
    """One of the nodes; the process that makes it works as this node from then on."""

    def __init__(self, number: int, directory: Path, database: str) -> None:
        from pextra.host import lock, machine

        self.own = f"own{number}"
        self.pool = f"{PREFIX}{directory.name}{number}"
        self.directory = directory / self.own
        self._database = database
        (self.directory / "pool").mkdir(parents=True, exist_ok=True)
        identity = self.directory / "machine-id"
        identity.write_text(hashlib.sha256(self.own.encode()).hexdigest()[:32])
        places = tuple(str(self.directory / name) for name in ("lib", "etc", "log"))
        machine.KEY_FILES = (str(identity),)
        machine.Host.__init__.__defaults__ = places
        lock.host_lock.__wrapped__.__defaults__ = (  # type: ignore[attr-defined]
            str(self.directory / "lock"), lock.TIMEOUT,
        )  # fmt: skip

    def call(self, what: str, **given: Any) -> None:
        """Call this node's engine."""
        from pextra.calls import registry
        from pextra.model.principal import Principal

        principal = Principal("bench", "localhost", "bench")
        registry.call(registry.find(what), {"database": self._database, **given}, principal)

    def apply(self, *resources: dict[str, Any]) -> None:
        """Apply a manifest."""
        self.call("apply", resources=list(resources))


def migrate(node: Node, _turn: int) -> None:
    """Make the tables."""
    node.call("database", state="migrated")


def prepare(node: Node, _turn: int) -> None:
    """Make what is this node's own."""
    own, path = node.own, str(node.directory / "pool")
    node.apply({"kind": "organization", "name": own})
    node.apply({"kind": "datacenter", "name": own, "organization": own})
    node.apply({"kind": "cluster", "name": own, "datacenter": own})
    pool = {"kind": "storage_pool", "name": node.pool, "options": {"path": path}, "nodes": [own]}
    node.apply({"kind": "node", "name": own, "cluster": own}, pool)


def organizations(node: Node, turn: int) -> None:
    """Change this node's organization."""
    node.call("organization", name=node.own, description=str(turn))


def users(node: Node, turn: int) -> None:
    """Make a user, and remove it the next time."""
    name, state = f"{node.own}-{turn // 2}", "absent" if turn % 2 else "present"
    node.call("user", username=name, organization=node.own, state=state)


def volumes(node: Node, turn: int) -> None:
    """Make a volume, and remove it the next time."""
    name, state = f"{node.own}-{turn // 2}", "absent" if turn % 2 else "present"
    node.call("volume", name=name, storage_pool=node.pool, size="1MiB", state=state)


WORKS: dict[str, Callable[[Node, int], None]] = {
    work.__name__: work for work in (migrate, prepare, organizations, users, volumes)
}


def begin(number: int, arguments: list[str], gate: tuple[int, int]) -> int:
    """Start a process that works when the gate's writing end is closed; its id."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.close(gate[1])
        work, times, directory, *databases = arguments
        node = Node(number, Path(directory), databases[number])
        for module in ("psycopg", "libvirt", "pextra.calls.apply"):
            __import__(module)
        os.read(gate[0], 1)
        for turn in range(int(times)):
            WORKS[work](node, turn)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> None:
    """Let all of them work."""
    arguments = sys.argv[1:]
    gate, processes, statuses = os.pipe(), list[int](), list[int]()
    turns = arguments[0] in ("migrate", "prepare")
    for number in range(len(arguments) - 3):
        gate = os.pipe() if turns else gate
        processes.append(begin(number, arguments, gate))
        if turns:
            os.close(gate[1])
            statuses.append(os.waitpid(processes.pop(), 0)[1])
    time.sleep(0 if turns else 1)  # until all have loaded what they need; it is not measured
    began = time.monotonic()
    if not turns:
        os.close(gate[1])
    statuses += [os.waitpid(process, 0)[1] for process in processes]
    print(json.dumps({"seconds": time.monotonic() - began}))
    sys.exit(any(statuses))


if __name__ == "__main__":
    main()
