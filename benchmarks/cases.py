# SPDX-License-Identifier: Apache-2.0
"""What is measured, and what it may take at most."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.ground import NODE_PYTHON, POOL, PREFIX, Ground
from benchmarks.timing import Figure, Sample, side_by_side
from benchmarks.timing import measure as run_measured

ROOT = Path(__file__).parents[1]
_BARE_DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='{arch}' machine='{machine}'>hvm</type></os>
</domain>
"""
_NOTHING: Mapping[str, str] = {}
_MACHINES = {"x86_64": "q35", "aarch64": "virt"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        repeats: Runs of each side.
        few: Instances where the other side takes a loop.
        many: Instances where it is about scale.
        steps: Instances at which growth is looked at.
        pools: Storage pools at which propagation is looked at.
        others: Other nodes of a large store, and instances of each.
    """

    repeats: int
    few: int
    many: int
    steps: tuple[int, ...]
    pools: tuple[int, ...]
    others: tuple[int, int]


FULL = Size(3, 100, 1000, (10, 100, 1000), (1, 10, 100), (1000, 100))
QUICK = Size(1, 10, 50, (10, 50), (1, 5), (50, 10))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the results: what ran, medians, and whether it is as fast as it must be."""

    what: str
    figure: Figure
    verdict: str = ""
    passed: bool | None = None


class Bench:
    """The cases, on one ground.

    Args:
        ground: Where.
        controller: The virtual environment that `make up` uses.
        baseline: The virtual environment that has community.libvirt. Playbooks of both sides are
            run from it, so that only the module differs.
        size: How much.
        say: Called with a line of progress.
    """

    def __init__(
        self, ground: Ground, controller: Path, baseline: Path, size: Size,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.ground, self.size, self.say = ground, size, say
        self._controller, self._baseline = controller, baseline
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(ground.directory),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_CONFIG": str(ground.directory / "ansible.cfg"),
            "ANSIBLE_HOME": str(ground.directory / "ansible"),
            "ANSIBLE_REMOTE_TEMP": str(ground.directory / "ansible" / "tmp"),
            "ANSIBLE_PYTHON_INTERPRETER": NODE_PYTHON,
            "PEXTRA_CE_DATABASE": ground.database,
            "PEXTRA_CE_WORKER": str(ground.worker),
            "PYTHONPATH": str(ground.engine),
        }

    def prepare(self) -> None:
        """Make a cloud of one node with a storage pool, and warm up both sides."""
        (self.ground.directory / "ansible.cfg").write_text("")
        pool = {"path": str(self.ground.pool)}
        resources = [
            {"kind": "organization", "name": "bench"},
            {"kind": "datacenter", "name": "bench"},
            {"kind": "cluster", "name": "bench"},
            {"kind": "node", "name": "bench"},
            {"kind": "storage_pool", "name": POOL, "options": pool, "nodes": ["bench"]},
        ]
        self.play({"pextra.ce.database": {"state": "migrated"}})
        self.play({"pextra.ce.apply": {"resources": resources}})
        self.ground.keep()
        self.play({"community.libvirt.virt": {"command": "list_vms"}})

    # The cases

    def define(self) -> Iterator[Line]:
        """Define instances with a volume each, against a loop over bare domains."""
        count = self.size.few
        names = [f"{PREFIX}bare{number:04}" for number in range(count)]
        loop = {
            "community.libvirt.virt": {"command": "define", "xml": "{{ item }}"},
            "loop": [_domain(name) for name in names],
            "loop_control": {"label": ""},
        }
        definitions = self._definitions(names)

        def ours() -> Sample:
            self.ground.renew()
            return self.play(apply(count))

        def theirs() -> Sample:
            self.ground.forget("bare")
            return self.play(loop)

        def bare() -> Sample:
            self.ground.forget("bare")
            return self._bare("define", definitions)

        found = self.together({"pextra.ce.apply": ours, "community.libvirt.virt": theirs,
                                "libvirt API": bare})  # fmt: skip
        self.ground.forget("bare")
        self.ground.renew()
        one, other = found["pextra.ce.apply"], found["community.libvirt.virt"]
        ratio = other.wall / one.wall
        yield Line(
            f"one `pextra.ce.apply` defines {count} instances with a volume each", one,
            f"{ratio:.1f} times as fast as the loop; at least 35", ratio >= 35,
        )  # fmt: skip
        yield Line(f"a loop of `community.libvirt.virt` defines {count} bare domains", other)
        yield Line(f"the libvirt API defines {count} bare domains", found["libvirt API"])
        yield from self._define_many()

    def _define_many(self) -> Iterator[Line]:
        """As many as a node has, against the libvirt API alone."""
        count = self.size.many
        definitions = self._definitions([f"{PREFIX}bare{number:04}" for number in range(count)])

        def ours() -> Sample:
            self.ground.renew()
            return self.play(apply(count))

        def bare() -> Sample:
            self.ground.forget("bare")
            return self._bare("define", definitions)

        found = self.together({"pextra.ce.apply": ours, "libvirt API": bare})
        self.ground.forget("bare")
        self.ground.renew()
        one, other = found["pextra.ce.apply"], found["libvirt API"]
        ratio = one.wall / other.wall
        yield Line(
            f"one `pextra.ce.apply` defines {count} instances with a volume each", one,
            f"{ratio:.2f} times the libvirt API's time; at most 3", ratio <= 3,
        )  # fmt: skip
        yield Line(f"the libvirt API defines {count} bare domains", other)

    def again(self) -> Iterator[Line]:
        """Apply what is there already."""
        count = self.size.many
        self.fill(count)
        definitions = self._definitions([_name(number) for number in range(count)])
        found = self.together(
            {
                "pextra.ce.apply": lambda: self.play(apply(count)),
                "trivial": lambda: self.play(_TRIVIAL),
                "options alone": lambda: self.play(
                    {
                        "ansible.builtin.set_fact": {
                            "resources": apply(count)["pextra.ce.apply"]["resources"]
                        }
                    }
                ),
                "libvirt API": lambda: self._bare("again", definitions),
            }
        )
        one, other = found["pextra.ce.apply"], found["trivial"]
        more = one.wall - other.wall
        yield Line(
            f"the same `pextra.ce.apply` again, nothing to do, {count} instances", one,
            f"{more:.2f} s above the trivial task; at most 1", more <= 1,
        )  # fmt: skip
        yield Line("a playbook with one trivial task", other)
        yield Line("`ansible.builtin.set_fact` with the same options", found["options alone"])
        yield Line(f"the libvirt API reads {count} domains back", found["libvirt API"])

    def one(self) -> Iterator[Line]:
        """One task with nothing to do, at a few instances and at many."""
        for count in (self.size.few, self.size.many):
            self.fill(count)
            name = f"{PREFIX}bare0000"
            theirs = {"community.libvirt.virt": {"command": "define", "xml": _domain(name)}}
            self.play(theirs)
            entry = {key: value for key, value in instance(0).items() if key != "kind"}
            ours = {"pextra.ce.instance": entry}
            found = self.together(
                {
                    "pextra.ce.instance": functools.partial(self.play, ours),
                    "without its worker": functools.partial(
                        self.play, ours, more={"PEXTRA_CE_WORKER": os.devnull}
                    ),
                    "community.libvirt.virt": functools.partial(self.play, theirs),
                    "no task": functools.partial(self.play, _NO_TASK),
                },
                self.size.repeats * 5,
            )
            self.ground.forget("bare")
            yield from self._one(count, found, ours)

    def _one(self, count: int, found: dict[str, Figure], task: dict[str, Any]) -> Iterator[Line]:
        one, other = found["pextra.ce.instance"], found["community.libvirt.virt"]
        nothing, ratio = found["no task"], one.wall / other.wall
        alone = (one.wall - nothing.wall) / (other.wall - nothing.wall)
        judged = count == self.size.few
        yield Line(
            f"one `pextra.ce.instance`, nothing to do, {count} instances", one,
            f"{ratio:.2f} of the other's time, the task alone {alone:.2f}"
            + ("; at most 0.7" if judged else ""),
            ratio <= 0.7 if judged else None,
        )  # fmt: skip
        yield Line("the same without the engine's worker", found["without its worker"])
        yield Line(f"one `community.libvirt.virt`, nothing to do, {count} domains", other)
        yield Line("a playbook without a task", nothing)
        if judged:
            yield Line("one `pextra.ce.instance`, the first of this controller", self._first(task))

    def _first(self, task: dict[str, Any]) -> Figure:
        """The runs of a task on a controller that has never run one."""
        samples = []
        for _ in range(self.size.repeats):
            shutil.rmtree(self.ground.directory / "ansible")
            samples.append(self.play(task))
        return Figure(tuple(samples))

    def inventory(self) -> Iterator[Line]:
        """List all instances."""
        count = self.size.many
        self.fill(count)
        sources = {"pextra": "plugin: pextra.ce.pextra\n", "empty": "all: {}\n"}
        for name, text in sources.items():
            (self.ground.directory / f"{name}.pextra.yml").write_text(text)
        found = self.together(
            {name: functools.partial(self.inventory_of, name) for name in sources},
            self.size.repeats * 5,
        )
        more = found["pextra"].wall - found["empty"].wall
        yield Line(
            f"`ansible-inventory --list` with {count} instances", found["pextra"],
            f"{more:.2f} s above the empty file; at most 1", more <= 1,
        )  # fmt: skip
        yield Line("`ansible-inventory --list` of an empty static file", found["empty"])

    def growth(self) -> Iterator[Line]:
        """Time and memory of the module's process as there are more instances."""
        for count in self.size.steps:
            self.ground.renew()
            yield self._grown(count, "defines")
            yield self._grown(count, "finds nothing to do for")

    def _grown(self, count: int, what: str) -> Line:
        runs = [self.process(apply(count)) for _ in range(1 if what == "defines" else 3)]
        figure = Figure(tuple(runs))
        memory = max(sample.memory for sample in runs)
        self.say(f"growth, {count} instances, {what}: {figure.wall:.2f} s, {memory:.0f} MiB")
        return Line(
            f"process of `pextra.ce.apply`, {what} {count} instances", figure,
            f"{figure.cpu / count * 1000:.1f} ms of processor an instance; {memory:.0f} MiB",
        )  # fmt: skip

    # Running

    def together(
        self, runs: dict[str, Callable[[], Sample]], repeats: int | None = None
    ) -> dict[str, Figure]:
        """The figures of runs that take turns."""
        return side_by_side(repeats or self.size.repeats, runs, self.say)

    def fill(self, count: int) -> None:
        """Have exactly so many instances; those that are there stay."""
        if self.ground.filled != count:
            self.say(f"making {count} instances")
            self.ground.renew()
            self.play(apply(count))
            self.ground.filled = count

    def play(self, task: dict[str, Any], more: Mapping[str, str] = _NOTHING) -> Sample:
        """Run a playbook of one task, with more variables of the environment."""
        return self.play_all([task], more)

    def play_all(
        self, tasks: Sequence[dict[str, Any]], more: Mapping[str, str] = _NOTHING
    ) -> Sample:
        """Run a playbook."""
        path = self.ground.directory / "play.json"
        play = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}
        path.write_text(json.dumps([play]))
        program = str(self._baseline / "bin" / "ansible-playbook")
        argv = [program, "-i", "localhost,", "-c", "local", str(path)]
        return self.measure(argv, more)

    def process(self, task: dict[str, Any]) -> Sample:
        """What a task takes in a process of its own, without the worker and without Ansible."""
        ((name, options),) = task.items()
        asked = {"name": name.rpartition(".")[2], "options": options, "check": False}
        given = self.ground.directory / "asked.json"
        given.write_text(json.dumps({**asked, "diff": False, "confirms": True, "log": False}))
        environment = self._environment | {"PEXTRA_CE_WORKER": os.devnull}
        argv = [NODE_PYTHON, "-P", "-m", "pextra.cli.task"]
        return run_measured(argv, environment, self.ground.directory / "output", given)

    def inventory_of(self, name: str) -> Sample:
        program = str(self._controller / "bin" / "ansible-inventory")
        source = str(self.ground.directory / f"{name}.pextra.yml")
        return self.measure([program, "-i", source, "--list"], {})

    def _bare(self, action: str, definitions: Path) -> Sample:
        script = str(Path(__file__).with_name("bare_libvirt.py"))
        return self.measure([NODE_PYTHON, script, action, str(definitions)], {})

    def measure(self, argv: Sequence[str], more: Mapping[str, str]) -> Sample:
        return run_measured(argv, {**self._environment, **more}, self.ground.directory / "output")

    def _definitions(self, names: Sequence[str]) -> Path:
        directory = self.ground.directory / "definitions"
        directory.mkdir(exist_ok=True)
        for path in directory.iterdir():
            path.unlink()
        for name in names:
            (directory / f"{name}.xml").write_text(_domain(name))
        return directory


CASES: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "define": Bench.define,
    "again": Bench.again,
    "one": Bench.one,
    "inventory": Bench.inventory,
    "growth": Bench.growth,
}
_NO_TASK = {"ansible.builtin.meta": "noop"}
_TRIVIAL = {"ansible.builtin.command": {"argv": ["/bin/true"]}, "changed_when": False}


def _name(number: int) -> str:
    return f"{PREFIX}vm{number:04}"


def instance(number: int) -> dict[str, Any]:
    """An instance with a volume, as a manifest has it."""
    name = _name(number)
    volume = {"name": name, "storage_pool": POOL, "size": "1GiB"}
    return {"kind": "instance", "name": name, "memory": "64MiB", "volumes": [volume]}


def apply(count: int) -> dict[str, Any]:
    """The task that makes so many instances."""
    return {"pextra.ce.apply": {"resources": [instance(number) for number in range(count)]}}


def _domain(name: str) -> str:
    arch = os.uname().machine
    return _BARE_DOMAIN.format(name=name, arch=arch, machine=_MACHINES[arch])
