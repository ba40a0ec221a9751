"""The command line, scripts/lab."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from lab import access, base, lifecycle, machine, paths, topology
from lab.errors import LabError
from lab.programs import check_machine

USUAL: dict[str, Any] = {"nodes": 3, "memory": "2GiB", "disks": "2x4GiB", "nics": 3}
"""What `make lab` brings up; without disks on the machine's own kernel."""


def arguments() -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="scripts/lab", description="Nodes to test on.")
    parser.add_argument("--name", default="lab", help="which lab (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="bring a lab up")
    up.add_argument("--topology", type=Path, help="a lab.yml; the options below are without one")
    up.add_argument("--nodes", type=int, default=USUAL["nodes"], help="%(default)s")
    up.add_argument("--memory", default=USUAL["memory"], help="of each node, %(default)s")
    up.add_argument("--kernel", choices=topology.KERNELS, default=topology.KERNELS[0],
                    help="what nodes run on: one of their own, which has every feature, or this "
                    "machine's, which is far quicker; %(default)s")  # fmt: skip
    up.add_argument(
        "--disks", help=f"of each node, {USUAL['disks']}; none on this machine's kernel"
    )
    up.add_argument("--nics", type=int, default=USUAL["nics"],
                    help="of each node besides vec0, all on one segment; %(default)s")  # fmt: skip
    for name, text in {
        "down": "remove a lab, or what there is of it",
        "status": "show nodes, networks and how to reach them",
        "inventory": "print the path of the Ansible inventory",
    }.items():
        commands.add_parser(name, help=text)
    build = commands.add_parser("base", help="only build the nodes' root disk, if there is none")
    build.add_argument("--topology", type=Path, help="a lab.yml, which names the base")
    for name, text in {
        "ssh": "a shell on a node, or run a command",
        "console": "show what a node's console showed",
        "reboot": "reboot a node and wait for it",
        "kill": "take a node's power away",
        "start": "switch a node on and wait for it",
        "link": "plug a NIC's cable in or take it out",
    }.items():
        command = commands.add_parser(name, help=text)
        if name == "console":
            command.add_argument("node", metavar="NODE", nargs="?", help="all, where none is named")
        else:
            command.add_argument("node", metavar="NODE")
        if name == "link":
            command.add_argument("nic", metavar="NIC")
            command.add_argument("state", choices=["up", "down"])
        if name == "ssh":
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser.parse_args()


def document(options: argparse.Namespace) -> Any:
    """The topology that the command line asks for."""
    if options.topology:
        return topology.document(options.topology)
    usual = "" if options.kernel == "machine" else USUAL["disks"]
    return {
        "kernel": options.kernel,
        "memory": options.memory,
        "disks": topology.disk_sizes(usual if options.disks is None else options.disks),
        "nics": ["lan"] * options.nics,
        "nodes": {f"node{number}": None for number in range(1, options.nodes + 1)},
    }


def up(options: argparse.Namespace) -> None:
    """Bring a lab up and say how to reach it."""
    check_machine()
    began = time.monotonic()
    lifecycle.up(options.name, document(options), os.environ.get("PACKAGES_NODE", ""))
    print(f"lab: up after {time.monotonic() - began:.0f} s")
    status(options)


def status(options: argparse.Namespace) -> None:
    """Show a lab."""
    found, _ = lifecycle.read(options.name)
    for node in found.nodes:
        runs = "runs" if machine.processes(options.name, node.name) else "is off"
        cards = ", ".join(f"{nic.name} on {nic.segment}" for nic in node.nics)
        disks = "".join(f", ubd{letter} {size >> 20} MiB"
                        for letter, size in zip("bcdefgh", node.disks, strict=False))  # fmt: skip
        print(f"{node.name} {runs}: {node.memory >> 20} MiB, {cards}{disks}")
        print(f"  {shlex.join(access.ssh(options.name, node.name))}")
    print(f"inventory: {paths.lab(options.name) / 'inventory.yml'}")


def main() -> int:
    """Run a command; the exit code."""
    options = arguments()
    name = topology.checked_name(options.name, "lab")
    match options.command:
        case "up":
            up(options)
        case "status":
            status(options)
        case "down":
            there = lifecycle.down(name)
            print(f"lab: {name} is removed" if there else f"lab: there is no {name}")
        case "base":
            check_machine()
            asked = topology.document(options.topology) if options.topology else {}
            print(base.ready(os.environ.get("PACKAGES_NODE", ""), asked.get("base", "node")))
        case "inventory":
            lifecycle.read(name)
            print(paths.lab(name) / "inventory.yml")
        case "ssh":
            lifecycle.read(name)[0].node(options.node)
            argv = access.ssh(name, options.node, *options.words)
            os.execvp(argv[0], argv)  # noqa: S606 - the ssh of the machine
        case "console":
            found, _ = lifecycle.read(name)
            if options.node:
                found.node(options.node)
                print(machine.console(name, options.node, 1000))
            else:
                for node in found.nodes:
                    print(f"--- {node.name} ---\n{machine.console(name, node.name, 40)}")
        case "link":
            lifecycle.link(name, options.node, options.nic, options.state == "up")
        case command:
            getattr(lifecycle, command)(name, options.node)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"lab: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
