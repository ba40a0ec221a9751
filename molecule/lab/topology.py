"""What a lab consists of: nodes, their memory, disks and NICs, as lab.yml says it.

The format is described in molecule/README.md.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError

MANAGEMENT = "management"
"""The segment that the first NIC of each node, vec0, is on."""
NETWORK = ipaddress.ip_network("10.97.0.0/24")
"""Addresses of the management segment; they exist in the lab's network namespace only."""
CONTROLLER = f"{NETWORK[1]}/{NETWORK.prefixlen}"
"""Where the lab's own machine is on the management segment."""
BASES = ("node", "storage")
KERNELS = ("user-mode", "machine")
"""What nodes run on: a kernel of their own, or the machine's, which is far quicker."""
MAXIMUM_NODES = 16
MAXIMUM_DISKS = 7  # ubdb … ubdh
MAXIMUM_NICS = 8

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_SIZE = re.compile(r"([1-9][0-9]*) ?([MG])(iB)?")
_UNITS = {"M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Nic:
    """A network card; `tap` is its end in the lab's network namespace."""

    name: str
    tap: str
    mac: str
    segment: str


@dataclass(frozen=True, slots=True)
class Node:
    """A machine; sizes are in bytes, disks appear as /dev/ubdb, /dev/ubdc and so on."""

    name: str
    index: int
    memory: int
    disks: tuple[int, ...]
    nics: tuple[Nic, ...]

    @property
    def address(self) -> str:
        """Its address on the management segment."""
        return str(NETWORK[10 + self.index])


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that a lab has."""

    base: str
    kernel: str
    nodes: tuple[Node, ...]

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments, the management segment first."""
        found = {nic.segment: None for node in self.nodes for nic in node.nics}
        return (MANAGEMENT, *(name for name in found if name != MANAGEMENT))

    def node(self, name: str) -> Node:
        """The node of that name."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise LabError(f"there is no node {name!r}", f"This lab has {names}.")


def size(value: Any) -> int:
    """Bytes of a size such as 512MiB, 2GiB or 2G."""
    found = _SIZE.fullmatch(str(value))
    if not found:
        raise LabError(f"{value!r} is no size", "Write it like 512MiB or 2GiB.")
    return int(found[1]) * _UNITS[found[2]]


def disk_sizes(value: str) -> list[str]:
    """Sizes of disks from a command line: 2x4G,1G is 4G, 4G and 1G."""
    sizes: list[str] = []
    for part in filter(None, value.split(",")):
        count, times, each = part.rpartition("x")
        if times and not count.isdecimal():
            raise LabError(f"{part!r} is no number of disks and size", "Write it like 2x4GiB.")
        sizes += [each] * (int(count) if times else 1)
    return sizes


def _mac(lab: str, node: str, nic: int) -> str:
    """An address that is locally administered and always the same for the same card."""
    digest = hashlib.sha256(f"{lab}/{node}/{nic}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def _options(value: Any, where: str, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LabError(f"{where} is {value!r}, not a mapping", "See molecule/README.md.")
    unknown = [str(key) for key in value if key not in allowed]
    if unknown:
        raise LabError(
            f"{where} has unknown keys: {', '.join(unknown)}", f"Known are {', '.join(allowed)}."
        )
    return value


def _list(options: Mapping[str, Any], key: str, where: str, maximum: int) -> list[Any]:
    value = options.get(key) or []
    if not isinstance(value, list):
        raise LabError(f"{key} of {where} is {value!r}, not a list", "See molecule/README.md.")
    if len(value) > maximum:
        raise LabError(f"{where} has {len(value)} {key}", f"There can be {maximum}.")
    return value


def checked_name(value: Any, what: str) -> str:
    """The name, which is one that interfaces, files and hosts can have."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise LabError(
            f"{value!r} is no name of a {what}", "Use up to 31 lower-case letters, digits and -."
        )
    return value


_PER_NODE = ("memory", "disks", "nics")


def parse(lab: str, document: Any) -> Topology:
    """Read a topology; `lab` is the lab's name.

    Raises:
        LabError: Something in it is unknown, of the wrong type or too much.
    """
    checked_name(lab, "lab")
    top = _options(document, "the topology", ("base", "kernel", "nodes", *_PER_NODE))
    base = top.get("base", "node")
    if base not in BASES:
        raise LabError(f"base is {base!r}", f"It can be {' or '.join(BASES)}.")
    kernel = top.get("kernel", "user-mode")
    if kernel not in KERNELS:
        raise LabError(f"kernel is {kernel!r}", f"It can be {' or '.join(KERNELS)}.")
    named = top.get("nodes")
    if not isinstance(named, dict) or not named:
        raise LabError("the topology names no nodes", "See molecule/README.md.")
    if len(named) > MAXIMUM_NODES:
        raise LabError(f"there are {len(named)} nodes", f"There can be {MAXIMUM_NODES}.")
    defaults = {key: top[key] for key in _PER_NODE if key in top}
    nodes = []
    for index, (name, value) in enumerate(named.items(), 1):
        where = f"node {checked_name(name, 'node')}"
        options = {**defaults, **_options(value, where, _PER_NODE)}
        segments = [MANAGEMENT, *_list(options, "nics", where, MAXIMUM_NICS)]
        nics = tuple(
            Nic(f"vec{number}", f"n{index}vec{number}", _mac(lab, name, number),
                checked_name(segment, "segment"))
            for number, segment in enumerate(segments)
        )  # fmt: skip
        disks = tuple(size(disk) for disk in _list(options, "disks", where, MAXIMUM_DISKS))
        if disks and kernel == "machine":
            raise LabError(
                f"{where} has disks", "Nodes on the machine's kernel have none: leave kernel out."
            )
        nodes.append(Node(name, index, size(options.get("memory", "1GiB")), disks, nics))
    return Topology(base, kernel, tuple(nodes))


def document(path: Path) -> Any:
    """What a lab.yml has in it."""
    try:
        return yaml.safe_load(path.read_text())
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}", "Name a lab.yml with --topology.") from error
    except yaml.YAMLError as error:
        raise LabError(f"{path} is no YAML: {error}") from error
