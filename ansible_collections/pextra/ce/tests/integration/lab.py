# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A one-node cloud of a test's own: a database, directories, and names that nothing else has.

Everything that a test makes has a name that begins with the lab's, so that it can be found and
removed whatever happened; what has another name is never touched.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.pextra.ce.tests.integration.guest import boot_disk

ROOT = Path(__file__).parents[5]
QEMU = "qemu:///system"
BASE: tuple[dict[str, Any], ...] = (
    {"kind": "organization", "name": "org"},
    {"kind": "datacenter", "name": "dc"},
    {"kind": "cluster", "name": "cluster"},
    {"kind": "node", "name": "node1"},
)
"""What every lab begins with."""

FULL = os.environ.get("FULL") == "1"
"""Go through all of what takes long, not through a part of it."""

Args = dict[str, Any]
_used_bridges = set[str]()


def kill_points(first: int = 1) -> Iterator[int]:
    """Where a run is killed, in one try after the other: at each seventh point; at each if FULL.

    Whoever goes through them stops when a run has come to its end before it was killed.
    """
    yield from range(first, 1000, 1 if FULL else 7)
    raise AssertionError("it never came to its end")


class Driver:
    """The process that runs modules on a node's Python; see ``engine_driver.py``."""

    def __init__(self, controller: str) -> None:
        script = str(Path(__file__).with_name("engine_driver.py"))
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-I", script, str(ROOT), controller],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The results of jobs that run at the same time."""
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(json.dumps(jobs) + "\n")
        pipe.flush()
        line = answers.readline()
        assert line, "the driver has ended; see standard error"
        found: list[dict[str, Any]] = json.loads(line)
        return found

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@dataclasses.dataclass(frozen=True)
class Result:
    """What a task returned."""

    values: Mapping[str, Any]
    raw: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def failed(self) -> bool:
        """The task failed."""
        return bool(self.values.get("failed"))

    @property
    def changed(self) -> bool:
        """The task says that it changed something."""
        return bool(self.values["changed"])

    @property
    def actions(self) -> list[str]:
        """Kind and action of each step, such as ``instance define``."""
        return [f"{step['kind']} {step['action']}" for step in self.values["plan"]]

    @property
    def code(self) -> str:
        """The kind of error, the only one's in a failed plan of one."""
        errors = self.values["errors"]
        return str(errors[0]["code"] if len(errors) == 1 else self.values["code"])

    @property
    def message(self) -> str:
        """The error's message."""
        return str(self.values["msg"])

    @property
    def text(self) -> str:
        """Everything that the task printed."""
        return json.dumps(self.values) + str(self.raw["error"])


class Lab:
    """A cloud of a test's own.

    Attributes:
        prefix: What the names of everything on the host begin with.
        directory: Where files are; QEMU may pass through it.
        database: The connection string.
    """

    def __init__(self, driver: Driver, database: str) -> None:
        self.prefix = f"t{secrets.token_hex(3)}"
        self.directory = Path(tempfile.mkdtemp(prefix=f"pextra-ce-{self.prefix}-", dir="/var/tmp"))
        self.directory.chmod(0o711)
        self.database = database
        self._driver = driver
        self._bridges: list[str] = []
        self._nics: list[str] = []
        self._mounts: list[Path] = []
        self._count = itertools.count(1)

    # Names and files

    def name(self, stem: str = "") -> str:
        """A name of this lab; without a stem, another one each time."""
        return f"{self.prefix}-{stem or next(self._count)}"

    def vswitch_name(self) -> str:
        """The name of a vSwitch that nobody has."""
        while True:
            name = f"svswitch{4_000_000 + secrets.randbelow(100_000)}"
            if name not in _used_bridges and not Path("/sys/class/net", name).exists():
                _used_bridges.add(name)
                self._bridges.append(name)
                return name

    def nic(self) -> str:
        """The name of a new network interface that can be an uplink; its cable leads nowhere."""
        name = f"{self.prefix}n{next(self._count)}"
        run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p")
        run("ip", "link", "set", f"{name}p", "up")
        self._nics.append(name)
        return name

    @property
    def directories(self) -> tuple[str, str, str]:
        """State, configuration and log directory."""
        return f"{self.directory}/lib", f"{self.directory}/etc", f"{self.directory}/log"

    def file(self, name: str, content: bytes = b"") -> Path:
        """A file with a content."""
        path = self.directory / name
        path.write_bytes(content)
        return path

    def image(self, name: str, format: str = "qcow2", size: str = "4M", *more: str) -> Path:
        """An image file made with qemu-img; raw ones carry a boot record's mark."""
        path = self.directory / name
        run("qemu-img", "create", "-q", "-f", format, *more, str(path), *([size] if size else []))
        if format == "raw":
            with path.open("r+b") as file:
                file.seek(510)
                file.write(b"\x55\xaa")
        return path

    def mount(self, name: str, mebibytes: int) -> Path:
        """A small ext4 file system of its own."""
        image, where = self.directory / f"{name}.ext4", self.directory / name
        run("truncate", "-s", f"{mebibytes}M", str(image))
        run("mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", str(image))
        where.mkdir(exist_ok=True)
        run("mount", "-o", "loop", str(image), str(where))
        where.chmod(0o711)
        self._mounts.append(where)
        return where

    def bind(self, path: Path, where: Path) -> None:
        """Mount a directory a second time."""
        where.mkdir(exist_ok=True)
        run("mount", "--bind", str(path), str(where))
        self._mounts.append(where)

    # Tasks

    def job(self, module: str, args: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """The job of a task; ``more`` is what the driver knows besides."""
        return {
            "op": "module", "name": module, "args": {"database": self.database, **args},
            "directories": self.directories, **more,
        }  # fmt: skip

    def together(self, jobs: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Run jobs at the same time."""
        return [self._result(raw) for raw in self._driver.run(jobs)]

    def _result(self, raw: Mapping[str, Any]) -> Result:
        assert raw["output"] is not None or raw["signal"], f"no result: {raw['error']}"
        return Result(raw["output"] or {}, raw)

    def task(self, module: str, args: Mapping[str, Any], **more: Any) -> Result:
        """Run one task, whatever comes of it."""
        return self.together([self.job(module, args, **more)])[0]

    def run(self, module: str, *, check: bool = False, diff: bool = False, **args: Any) -> Result:
        """Run one task that succeeds."""
        return succeeded(self.task(module, args, check=check, diff=diff))

    def call(self, name: str, args: Mapping[str, Any], **more: Any) -> Result:
        """Call the engine without a module, whatever comes of it."""
        return self.together([{**self.job(name, args, **more), "op": "call"}])[0]

    def command(self, *arguments: str, **more: Any) -> tuple[int, str, str]:
        """Run the command pextra; its exit status, standard output and standard error."""
        job = {
            "op": "command", "arguments": arguments, "directories": self.directories,
            "environment": {"PEXTRA_CE_DATABASE": self.database}, **more,
        }  # fmt: skip
        (raw,) = self._driver.run([job])
        assert raw["output"] is not None or raw["signal"], f"no result: {raw['error']}"
        found = raw["output"] or {"status": -9, "out": "", "err": ""}
        return found["status"], found["out"], found["err"]

    def points(self, *arguments: str) -> list[str]:
        """The points that the command pextra passes; it is carried out."""
        job = {
            "op": "command", "arguments": arguments, "directories": self.directories,
            "environment": {"PEXTRA_CE_DATABASE": self.database}, "die_at": 0,
        }  # fmt: skip
        found: list[str] = self._driver.run([job])[0]["points"]
        return found

    def threads(self, *calls: Args) -> list[Args]:
        """What came of calls that one process carried out at the same time, as operations."""
        job = {
            "op": "threads", "calls": calls, "directories": self.directories,
            "database": self.database,
        }  # fmt: skip
        (raw,) = self._driver.run([job])
        assert isinstance(raw["output"], list), raw["error"]
        return raw["output"]

    def refused(self, module: str, *, check: bool = False, **args: Any) -> Result:
        """Run one task that fails, and changes no row; the audit log then has the attempt."""
        before, noted = self.rows_of_all(), self.failures()
        result = self.task(module, args, check=check)
        assert result.failed, f"it was not refused: {result.values}"
        assert self.rows_of_all() == before
        # What Ansible itself refuses does not get to the engine.
        unseen = check or module.endswith("_info") or result.values.get("code") in (None, "store")
        told = 0 if unseen else 1
        assert self.failures() == noted + told
        return result

    def failures(self) -> int:
        """How many rows of the audit log did not succeed."""
        found = self.sql("SELECT count(*) AS n FROM audit_log WHERE outcome <> 'succeeded'")
        return int(found[0]["n"])

    def apply(self, *resources: Args, check: bool = False, **args: Any) -> Result:
        """Apply a manifest."""
        return self.run("apply", check=check, resources=list(resources), **args)

    def apply_refused(self, *resources: Args, **args: Any) -> Result:
        """Apply a manifest that is refused."""
        return self.refused("apply", resources=list(resources), **args)

    # The store

    def sql(self, statement: str, *parameters: Any, database: str | None = None) -> list[Args]:
        """The rows of a statement."""
        job = {
            "op": "sql", "database": database or self.database, "statement": statement,
            "parameters": parameters,
        }  # fmt: skip
        raw = self._driver.run([job])[0]
        assert isinstance(raw["output"], list), raw["error"]
        return raw["output"]

    def row(self, table: str, name: str) -> Args:
        """The row of that name."""
        key = "username" if table == "users" else "name"
        (found,) = self.sql(f"SELECT * FROM {table} WHERE {key} = %s", name)
        return found

    def rows_of_all(self) -> str:
        """Everything in the store but moments, as one text to compare."""
        return json.dumps(self.sql(_EVERYTHING), sort_keys=True)

    # The host

    def virsh(self, *arguments: str, uri: str = QEMU) -> str:
        """The output of virsh."""
        return run("virsh", "--quiet", "--connect", uri, *arguments)

    def virsh_quietly(self, *arguments: str, uri: str = QEMU) -> str:
        """The output of virsh, which may fail."""
        return quietly("virsh", "--quiet", "--connect", uri, *arguments)

    def libvirt(self) -> dict[str, dict[str, Args]]:
        """This lab's domains and pools by name: definitions, active, autostart."""
        raw = self._driver.run([{"op": "libvirt", "prefix": self.prefix}])[0]
        assert raw["output"] is not None, raw["error"]
        found: dict[str, dict[str, Args]] = raw["output"]
        return found

    def domains(self) -> list[str]:
        """Names of this lab's domains."""
        return sorted(self.libvirt()["domains"])

    def running(self) -> list[str]:
        """Names of this lab's running domains."""
        return sorted(name for name, item in self.libvirt()["domains"].items() if item["live"])

    def pools(self) -> list[str]:
        """Names of this lab's pools in libvirt."""
        return sorted(self.libvirt()["pools"])

    def domain(self, name: str) -> ET.Element:
        """A domain's persistent definition."""
        return ET.fromstring(self.libvirt()["domains"][name]["xml"])  # noqa: S314

    def live(self, name: str) -> ET.Element:
        """A domain's definition as it runs."""
        return ET.fromstring(self.libvirt()["domains"][name]["live"])  # noqa: S314

    def bridges(self) -> dict[str, int]:
        """This lab's bridges that exist, and their MTU."""
        found = ((name, Path("/sys/class/net", name, "mtu")) for name in self._bridges)
        return {name: int(path.read_text()) for name, path in found if path.exists()}

    def host(self) -> Args:
        """What is on the host of what this lab made, but what stays: the audit log's, and keys."""
        staying = [Path(self.directories[0], name) for name in ("audit", "keys")]
        files = {
            str(path.relative_to(self.directory)): path.stat().st_mtime_ns
            for path in sorted(self.directory.rglob("*"))
            if path.is_file() and path.parent not in staying
        }
        return {**self.libvirt(), "bridges": self.bridges(), "files": files}

    def left(self) -> list[str]:
        """Names of what is on the host of what this lab's resources were."""
        there = self.libvirt()
        kept = ("lib/seeds/*", "log/console/*", "*/vol-*")
        files = [str(path) for pattern in kept for path in self.directory.glob(pattern)]
        return [*there["domains"], *there["pools"], *self.bridges(), *files]

    def remove(self) -> None:
        """Remove from the host whatever has this lab's name."""
        for name in self._ours(self.virsh_quietly("list", "--all", "--name")):
            self.virsh_quietly("destroy", name)
            kept = ("--nvram", "--managed-save", "--snapshots-metadata")
            self.virsh_quietly("undefine", name, *kept)
        for name in self._ours(self.virsh_quietly("pool-list", "--all", "--name")):
            self.virsh_quietly("pool-destroy", name)
            self.virsh_quietly("pool-undefine", name)
        for name in (*self._bridges, *self._nics):
            if Path("/sys/class/net", name).exists():
                quietly("ip", "link", "del", name)
        for path in self._mounts:
            quietly("umount", str(path))
        shutil.rmtree(self.directory, ignore_errors=True)

    def _ours(self, text: str) -> list[str]:
        return [name for name in text.split() if name.startswith(self.prefix)]


class Node(Lab):
    """A lab that has a storage pool, a vSwitch and a port group.

    Attributes:
        pool: The pool's name.
        vswitch: The vSwitch's name.
    """

    def __init__(self, driver: Driver, database: str) -> None:
        super().__init__(driver, database)
        self.pool = self.name("pool")
        self.vswitch = self.vswitch_name()

    def prepare(self) -> None:
        """Make pool, vSwitch and port group."""
        self.apply(self.pool_entry(), *self.network_entries())

    def pool_entry(self, **more: Any) -> Args:
        """The pool in a manifest."""
        path = {"path": str(self.directory / "pool")}
        return {
            "kind": "storage_pool", "name": self.pool, "options": path, "nodes": ["node1"], **more,
        }  # fmt: skip

    def network_entries(self) -> list[Args]:
        """The vSwitch and the port group in a manifest."""
        return [
            {"kind": "vswitch", "name": self.vswitch},
            {"kind": "port_group", "name": "lan", "vswitch": self.vswitch},
        ]

    def volume(self, name: str, size: str | None = "4MiB", **more: Any) -> Args:
        """Options of a volume in the lab's pool."""
        sized = {"size": size} if size else {}
        return {"name": name, "storage_pool": self.pool, **sized, **more}

    def instance(self, name: str, **more: Any) -> Args:
        """Options of a small instance with a root volume and a network device."""
        return {
            "name": name,
            "memory": "32MiB",
            "volumes": [self.volume(f"{name}-root")],
            "networks": [{"name": "net0", "port_group": "lan"}],
            **more,
        }

    def guest(self, name: str, **more: Any) -> Args:
        """Options of an instance whose guest says that it is ready, and powers off when asked."""
        path = self.directory / "guest.img"
        if not path.exists():
            path.write_bytes(boot_disk())
        root = self.volume(f"{name}-root", None, image=str(path), format="raw")
        return self.instance(name, **{"volumes": [root], **more})

    def image_of(self, name: str) -> Path:
        """Where a volume's data is."""
        row = self.row("volumes", name)
        return self.directory / "pool" / f"{row['id']}.{row['format']}"

    def size_of(self, name: str) -> int:
        """A volume's size as the file's header has it, in bytes."""
        text = run("qemu-img", "info", "-U", "--output=json", str(self.image_of(name)))
        return int(json.loads(text)["virtual-size"])


def run(*argv: str) -> str:
    """The output of a program that succeeds."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}{done.stdout}"
    return done.stdout


def quietly(*argv: str) -> str:
    """The output of a program that may fail."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def succeeded(result: Result) -> Result:
    """The result, which is no failure."""
    assert not result.failed, f"{result.values.get('msg')}\n{result.raw['error']}"
    return result


UNKNOWN = "(known after apply)"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def agrees(predicted: Any, happened: Any) -> bool:
    """Whether a prediction came true: unknown may be anything, a moment a few seconds later."""
    if isinstance(predicted, dict) and isinstance(happened, dict):
        return predicted.keys() == happened.keys() and all(
            agrees(predicted[key], happened[key]) for key in predicted
        )
    if isinstance(predicted, list) and isinstance(happened, list):
        return len(predicted) == len(happened) and all(
            agrees(one, two) for one, two in zip(predicted, happened, strict=True)
        )
    if isinstance(predicted, str) and UNKNOWN in predicted:
        return True
    if isinstance(predicted, str) and _MOMENT.fullmatch(predicted) and isinstance(happened, str):
        moments = [dt.datetime.fromisoformat(text) for text in (predicted, happened)]
        return abs(moments[0] - moments[1]) < dt.timedelta(minutes=1)
    return bool(predicted == happened)


def elements(root: ET.Element, path: str, **attributes: str) -> Iterable[ET.Element]:
    """Elements below a path that have these attributes."""
    for item in root.findall(path):
        if all(item.get(key) == value for key, value in attributes.items()):
            yield item


_TABLES = (
    "organizations", "datacenters", "clusters", "nodes", "node_licenses", "users", "policies",
    "policy_versions", "roles", "role_policies", "user_roles", "ai_providers",
    "storage_pools", "storage_pool_nodes", "vswitches", "port_groups", "instances",
    "network_devices", "instance_devices", "volumes", "volume_snapshots",
    "instance_snapshots",
)  # fmt: skip
_EVERYTHING = " UNION ALL ".join(
    f"SELECT '{table}' AS kind, to_jsonb(t) - 'time' - 'last_seen' - 'hardware' AS row"
    f" FROM {table} t"
    for table in _TABLES
) + " ORDER BY 1, 2"  # fmt: skip
