"""A lab from its beginning to its end."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import access, base, container, machine, network, paths
from lab.errors import LabError
from lab.programs import run, succeeds
from lab.topology import Nic, Node, Topology, parse

BOOT_SECONDS = 240
"""How long a node may take from power to ssh on a busy machine; 10 to 20 are usual."""
PROGRESS_SECONDS = 10


@contextmanager
def locked(lab: str) -> Iterator[None]:
    """Keep others from changing this lab."""
    with Path(f"/run/lock/{paths.namespace(lab)}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"lab: waiting for another command that changes lab {lab}", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def up(lab: str, document: Any, packages: str) -> Topology:
    """Bring a lab up; when this fails nothing of it is left."""
    topology = parse(lab, document)
    root = base.ready(packages, topology.base)
    with locked(lab):
        if paths.lab(lab).exists() or network.exists(lab):
            raise LabError(
                f"lab {lab} exists already, or was left by something that broke",
                f"Remove it with `scripts/lab --name {lab} down`.",
            )
        try:
            _make(lab, topology, root, document)
        except BaseException:
            _remove(lab)
            raise
    return topology


def _make(lab: str, topology: Topology, root: Path, document: Any) -> None:
    folder = paths.lab(lab)
    folder.mkdir(parents=True, mode=0o700)
    state = folder / "state.json.new"
    state.write_text(json.dumps({"topology": document, "base": str(root)}, indent=2) + "\n")
    os.rename(state, folder / "state.json")
    for node in topology.nodes:
        paths.node(lab, node.name).mkdir(parents=True)
    access.write(lab, topology)
    network.make(lab, topology)
    for node in topology.nodes:
        machine.prepare(lab, node, topology)
        machine.start(lab, node, topology, root)
    wait(lab, topology.nodes)


def read(lab: str) -> tuple[Topology, Path]:
    """What a lab is made of, and its base.

    Raises:
        LabError: There is no such lab.
    """
    try:
        state = json.loads((paths.lab(lab) / "state.json").read_text())
    except FileNotFoundError:
        raise LabError(f"there is no lab {lab}", "Make one with `scripts/lab up`.") from None
    return parse(lab, state["topology"]), Path(state["base"])


def down(lab: str) -> bool:
    """Remove a lab, or what there is of it; whether there was anything."""
    with locked(lab):
        return _remove(lab)


def _remove(lab: str) -> bool:
    folder = paths.lab(lab)
    there = folder.exists() or network.exists(lab)
    access.close(lab)
    machine.end(lambda: network.processes(lab))
    network.remove(lab)
    container.forget(paths.control_group(lab, "*"))
    if folder.exists():
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed(mounts):
            if Path(mount).is_relative_to(folder):
                run("umount", mount)
        shutil.rmtree(folder)
    return there


def boot_id(lab: str, node: str) -> str | None:
    """Which boot of a node this is; None while it does not answer."""
    return access.answer(lab, node, "cat /proc/sys/kernel/random/boot_id")


def wait(lab: str, nodes: Sequence[Node], not_boots: Sequence[str | None] = ()) -> None:
    """Wait until nodes have booted and all their services are started.

    Args:
        not_boots: Boots that are not the ones waited for.

    Raises:
        LabError: A node ended, or did not answer in time; with the tail of its console.
    """
    began = told = time.monotonic()
    waiting = list(nodes)
    while waiting:
        for node in list(waiting):
            found = boot_id(lab, node.name)
            if found and found not in not_boots:
                waiting.remove(node)
            elif not machine.processes(lab, node.name):
                raise _failed(lab, node, "ended while it booted")
        now = time.monotonic()
        if waiting and now - began > BOOT_SECONDS:
            raise _failed(lab, waiting[0], f"did not answer within {BOOT_SECONDS} s")
        if waiting and now - told > PROGRESS_SECONDS:
            told = now
            names = ", ".join(node.name for node in waiting)
            print(f"lab: {now - began:.0f} s: waiting for {names} to boot", flush=True)
        time.sleep(0.5)
    for node in nodes:
        state = access.answer(
            lab, node.name, "systemctl is-system-running --wait || systemctl --failed --no-legend",
            BOOT_SECONDS,
        )  # fmt: skip
        if state is None:
            raise _failed(lab, node, "did not start its services in time")
        failed = [line for line in state.splitlines()[1:] if line.strip()]
        if failed:
            print(f"lab: {node.name}: units failed: {' | '.join(failed)}", flush=True)


def _failed(lab: str, node: Node, what: str) -> LabError:
    tail = machine.console(lab, node.name)
    return LabError(f"{node.name} {what}. The end of its console:\n{tail}")


def start(lab: str, name: str) -> None:
    """Switch a node on that was killed or powered off, and wait for it."""
    topology, root = read(lab)
    node = topology.node(name)
    with locked(lab):
        if machine.processes(lab, name):
            raise LabError(f"{name} runs already", f"`scripts/lab reboot {name}` reboots it.")
        machine.start(lab, node, topology, root)
        wait(lab, [node])


def kill(lab: str, name: str) -> None:
    """Take a node's power away: what it had not written to its disks is lost."""
    read(lab)[0].node(name)
    with locked(lab):
        machine.kill(lab, name)


def reboot(lab: str, name: str) -> None:
    """Reboot a node as its administrator would, and wait for it."""
    topology, _ = read(lab)
    node = topology.node(name)
    with locked(lab):
        before = boot_id(lab, name)
        if before is None:
            raise LabError(f"{name} does not answer", f"See `scripts/lab console {name}`.")
        access.answer(lab, name, "systemctl reboot")
        wait(lab, [node], [before])


def link(lab: str, name: str, nic: str, up: bool) -> None:
    """Plug a NIC's cable in, or take it out; the node sees its link down."""
    topology, _ = read(lab)
    node = topology.node(name)
    card = _nic(node, nic)
    cable = network.plug(lab, topology, card) if up else network.unplug(lab, card)
    if up:
        run(*cable)
    if not succeeds(*access.ssh(lab, name, f"ip link set {nic} {'up' if up else 'down'}")):
        raise LabError(f"{name} does not answer", f"See `scripts/lab console {name}`.")
    if not up:  # the node knows by now: it is not to send into nothing while ssh connects
        run(*cable)


def _nic(node: Node, name: str) -> Nic:
    for nic in node.nics:
        if nic.name == name:
            return nic
    names = ", ".join(nic.name for nic in node.nics)
    raise LabError(f"{node.name} has no NIC {name!r}", f"It has {names}.")
