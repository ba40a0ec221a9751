"""Nodes of the lab as the tests use them: commands over ssh, and the collection's modules.

Modules run on the node, on its own Python, in one process that stays: what a new Ansible task
pays for connecting and importing is so paid once. ``engine_driver.py`` of the collection's tests
is that process.
"""

from __future__ import annotations

import io
import json
import os
import select
import shlex
import subprocess
import sysconfig
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from lab import paths

ROOT = Path(__file__).parents[3]
THERE = "/opt/pextra-ce-tests"
DIRECTORIES = ("/var/lib/pextra-ce", "/etc/pextra-ce", "/var/log/pextra-ce")
PATIENCE = 300
"""Seconds until a task counts as hanging, for slow machines."""
_NEIGHBOUR = ("ip", "neighbour")
_FOR_EVER = ("dev", "vec0", "nud", "permanent")
_PLUGINS = "ansible_collections/pextra/ce/plugins"
_DRIVER = "ansible_collections/pextra/ce/tests/integration/engine_driver.py"
_PROGRAM = (f"{THERE}/engine_driver.py", THERE, f"{THERE}/library")


def inventory() -> dict[str, Any]:
    """The lab's inventory: molecule's, or that of the lab which LAB_INVENTORY names."""
    given = os.environ.get("LAB_INVENTORY")
    path = Path(given) if given else paths.lab("molecule-storage") / "inventory.yml"
    read: dict[str, Any] = yaml.safe_load(path.read_text())
    return read


class Result(dict[str, Any]):
    """What a task returned."""

    @property
    def failed(self) -> bool:
        """The task failed."""
        return bool(self.get("failed"))

    @property
    def message(self) -> str:
        """The error's message."""
        return str(self.get("msg"))

    @property
    def actions(self) -> list[str]:
        """Kind and action of each step, such as ``volume grow``."""
        return [f"{step['kind']} {step['action']}" for step in self["plan"]]


class Machine:
    """One node of the lab."""

    def __init__(self, name: str, ssh_config: Path, address: str) -> None:
        self.name = name
        self.address = address
        self.database = ""
        control = ssh_config.parent / f"tests-{name}"  # one connection for all: nodes are slow
        self._ssh = [
            "ssh", "-F", str(ssh_config), "-o", "ControlMaster=auto", "-o",
            f"ControlPath={control}", "-o", "ControlPersist=60", name,
        ]  # fmt: skip
        self._driver: subprocess.Popen[str] | None = None

    def run(self, *argv: str, check: bool = True, given: bytes | None = None) -> str:
        """The output of a program on the node, which succeeds unless ``check`` is off."""
        done = subprocess.run(
            [*self._ssh, shlex.join(argv)], input=given, capture_output=True, check=False,
            timeout=600,
        )  # fmt: skip
        output = done.stdout.decode(errors="replace")
        errors = done.stderr.decode(errors="replace")
        assert not check or done.returncode == 0, f"{self.name}: {argv}: {errors}{output}"
        return output + ("" if check else errors)

    def script(self, text: str, *, check: bool = True) -> str:
        """The output of a shell script on the node."""
        return self.run("sh", "-euc", text, check=check)

    def put(self, path: str, text: str, mode: str = "0644") -> None:
        """Write a file."""
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, given=text.encode())

    def image(self, path: str, text: str, mebibytes: int, *, full: bool = False) -> None:
        """Make a raw disk image that begins with a text; the rest is a hole, or random if full."""
        rest = f"head -c {mebibytes}M /dev/urandom >>" if full else f"truncate -s {mebibytes}M"
        self.script(
            f"rm -f {path} && printf %s '{text}' > {path} && {rest} {path}"
            f" && printf '\\125\\252' | dd of={path} seek=510 bs=1 conv=notrunc status=none"
            f" && truncate -s {mebibytes}M {path}"
        )

    def install(self) -> None:
        """Put what a task brings on the node: modules and ansible-core's side of them.

        They call the engine that is installed there.
        """
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as file:
            for name in ("modules", "module_utils"):
                file.add(paths.COLLECTIONS / _PLUGINS / name, f"{_PLUGINS}/{name}")
            file.add(ROOT / _DRIVER, Path(_DRIVER).name)
            library = Path(sysconfig.get_path("purelib"), "ansible")
            for part in ("__init__.py", "release.py", "module_utils", "_internal", "_vendor"):
                if (library / part).exists():
                    file.add(library / part, f"library/ansible/{part}")
        self.run("rm", "-rf", THERE)
        self.run("mkdir", "-p", THERE)
        self.run("tar", "-C", THERE, "-xf", "-", given=archive.getvalue())

    def task(self, module: str, args: Mapping[str, Any] | None = None, **more: Any) -> Result:
        """Run one task, whatever comes of it; ``more`` is what the driver knows besides."""
        raw = self.raw(module, args, **more)
        assert raw["output"] is not None or raw["signal"], f"no result: {raw['error']}"
        return Result(raw["output"] or {})

    def raw(
        self, module: str, args: Mapping[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """What the driver says of one task."""
        job = {
            "op": "module", "name": module, "args": {"database": self.database, **(args or {})},
            "directories": DIRECTORIES, **more,
        }  # fmt: skip
        return self._job(job)

    def ok(self, module: str, **args: Any) -> Result:
        """Run one task that succeeds."""
        result = self.task(module, args)
        assert not result.failed, f"{self.name}: {module}: {result.message}"
        return result

    def refused(self, module: str, **args: Any) -> Result:
        """Run one task that fails."""
        result = self.task(module, args)
        assert result.failed, f"{self.name}: {module} was not refused: {result}"
        return result

    def lose(self, other: Machine) -> None:
        """Have whatever this machine sends to another one vanish, as if its power were gone."""
        self.run(*_NEIGHBOUR, "replace", other.address, "lladdr", "02:00:00:00:00:99", *_FOR_EVER)

    def find(self, other: Machine) -> None:
        """Undo `lose`."""
        self.run(*_NEIGHBOUR, "del", other.address, "dev", "vec0")

    def until(self, true: Callable[[], bool], patience: float = 180) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + patience
        while not true():
            assert time.monotonic() < deadline, f"{self.name}: not within {patience} seconds"
            time.sleep(0.5)

    def sql(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """The rows of a statement."""
        job = {
            "op": "sql", "database": self.database, "statement": statement,
            "parameters": parameters,
        }  # fmt: skip
        raw = self._job(job)
        assert isinstance(raw["output"], list), raw["error"]
        return raw["output"]

    def _job(self, job: Mapping[str, Any]) -> dict[str, Any]:
        if self._driver is None or self._driver.poll() is not None:
            command = shlex.join(["/usr/bin/python3", "-I", *_PROGRAM])
            self._driver = subprocess.Popen(
                [*self._ssh, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        pipe, answers = self._driver.stdin, self._driver.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(json.dumps([job]) + "\n")
        pipe.flush()
        if not select.select([answers], [], [], PATIENCE)[0]:
            # Its late answer must not be taken for that to the next job.
            waits = self._waits()
            self.stop()
            raise AssertionError(f"{self.name}: no answer within {PATIENCE} s to {job}; {waits}")
        line = answers.readline()
        assert line, f"{self.name}: the driver has ended; see standard error"
        found: dict[str, Any] = json.loads(line)[0]
        return found

    def _waits(self) -> str:
        """What waits on the node, over a connection of its own; for a person to read."""
        script = (
            "ps -eo pid,ppid,stat,wchan:32,etimes,args | grep -vF ' ['; dmesg | tail -20;"
            " for process in $(pgrep -f engine_driver); do"
            " echo $process; cat /proc/$process/stack; done"
        )
        try:
            done = subprocess.run(
                [*self._ssh[:-1], "-o", "ControlPath=none", self.name, script],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "and the node does not answer"
        return f"what runs there:\n{done.stdout}{done.stderr}"

    def stop(self) -> None:
        """End the process that runs modules."""
        if self._driver is not None:
            self._driver.kill()
            self._driver.wait(30)
            self._driver = None

    def disconnect(self) -> None:
        """End the connection, also where the node does not answer; the next use makes another."""
        self.stop()
        subprocess.run([*self._ssh, "-O", "exit"], capture_output=True, check=False)


def status(node: Machine, name: str) -> tuple[str, str | None]:
    """What storage_pool_info says of a pool."""
    (found,) = node.ok("storage_pool_info", name=name)["storage_pools"]
    return found["status"], found["status_reason"]
