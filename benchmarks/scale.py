# SPDX-License-Identifier: Apache-2.0
"""What other nodes cost: their rows in the store, and their work at the same time."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cases import Bench, Line, apply, instance
from benchmarks.ground import DIRECTORY, NODE_PYTHON
from benchmarks.timing import Figure, Sample

_FILLER = Path(__file__).with_name("large_store.sql")
_SLOWER, _MORE = 1.2, 10.0
"""How much slower a run may be in a large store, and how many MiB of memory it may need more."""
_PROCESSES, _TURNS = 16, 10
_ROLLED_BACK, _THROUGHPUT = 0.05, 0.8


def scale(bench: Bench) -> Iterator[Line]:
    """Tasks with nothing to do, and the inventory of a node, in a small and in a large store."""
    nodes, each = bench.size.others
    few = bench.size.few
    bench.fill(few)
    tasks: dict[str, dict[str, Any]] = {
        "pextra.ce.instance": {key: item for key, item in instance(0).items() if key != "kind"},
        "pextra.ce.user": {"username": "bench", "organization": "bench"},
        "pextra.ce.organization": {"name": "bench"},
        "pextra.ce.port_group": {"name": "bench"},
        "pextra.ce.apply": apply(few)["pextra.ce.apply"],
    }
    bench.play({"pextra.ce.apply": {"resources": [
        {"kind": "user", **tasks["pextra.ce.user"]},
        {"kind": "vswitch", "name": bench.ground.vswitch},
        {"kind": "port_group", "name": "bench", "vswitch": bench.ground.vswitch},
    ]}})  # fmt: skip
    bench.say(f"filling the store with {nodes} nodes of {each} instances")
    bench.ground.sql("CREATE DATABASE large TEMPLATE cloud")
    bench.ground.script(
        _FILLER, "large", cluster="bench", organizations=50, nodes=nodes, instances=each
    )
    large = bench.ground.database.replace("dbname=cloud", "dbname=large")
    what = f"in a store with {nodes * each} instances of {nodes} other nodes"
    for module, options in tasks.items():
        small_task, large_task = {module: options}, {module: {**options, "database": large}}
        found = bench.together(
            {
                "small": functools.partial(bench.play, small_task),
                "large": functools.partial(bench.play, large_task),
            },
            bench.size.repeats * 5,
        )
        memory = [
            max(bench.process(task).memory for _ in range(3)) for task in (small_task, large_task)
        ]
        more = memory[1] - memory[0]
        yield Line(f"one `{module}`, nothing to do, in a store of this node alone",
                   found["small"], f"{memory[0]:.0f} MiB")  # fmt: skip
        yield _compared(f"the same {what}", found["small"], found["large"], more)
    yield from _inventories(bench, large, what)
    bench.ground.sql("DROP DATABASE large")
    bench.ground.unbridge()
    bench.ground.renew()


def _compared(what: str, small: Figure, large: Figure, more: float) -> Line:
    ratio = large.wall / small.wall
    passed = ratio <= _SLOWER and more <= _MORE
    text = f"{ratio:.2f} times the time and {more:.1f} MiB more; at most {_SLOWER} and {_MORE:.0f}"
    return Line(what, large, text, passed)


def _inventories(bench: Bench, large: str, what: str) -> Iterator[Line]:
    sources = {"small": bench.ground.database, "large": large}
    for name, database in sources.items():
        text = {"plugin": "pextra.ce.pextra", "database": database, "nodes": ["bench"]}
        (bench.ground.directory / f"{name}.pextra.yml").write_text(json.dumps(text))
    found = bench.together(
        {name: functools.partial(bench.inventory_of, name) for name in sources},
        bench.size.repeats * 5,
    )
    ratio = found["large"].wall / found["small"].wall
    yield Line("`ansible-inventory --list` of this node", found["small"])
    yield Line(f"the same {what}", found["large"], f"{ratio:.2f} times the time; at most"
               f" {_SLOWER}", ratio <= _SLOWER)  # fmt: skip


def contention(bench: Bench) -> Iterator[Line]:
    """Processes that each work as another node: in one database, and each in one of its own."""
    names = ["shared", *(f"apart{number}" for number in range(_PROCESSES))]
    where = {name: f"host={DIRECTORY} port=5432 dbname={name} user=postgres" for name in names}
    sides = {
        "shared": [where["shared"]] * _PROCESSES,
        "apart": [where[name] for name in names[1:]],
    }
    for name in names:
        bench.ground.sql(f"CREATE DATABASE {name}")
        _work(bench, "migrate", 1, "apart", [where[name]])
    for side, databases in sides.items():
        _work(bench, "prepare", 1, side, databases)
    for work in ("organizations", "users", "volumes"):
        before = _transactions(bench)
        found = bench.together({
            side: functools.partial(_work, bench, work, _TURNS, side, databases)
            for side, databases in sides.items()
        })  # fmt: skip
        committed, undone = (now - then for now, then in zip(_transactions(bench), before,
                                                             strict=True))  # fmt: skip
        ratio = found["apart"].wall / found["shared"].wall
        share = undone / committed
        yield Line(
            f"{_PROCESSES} nodes that each change {work} of their own {_TURNS} times",
            found["shared"],
            f"{100 * share:.1f} % rolled back, {ratio:.2f} of the throughput below; at most"
            f" {100 * _ROLLED_BACK:.0f} % and at least {_THROUGHPUT}",
            share <= _ROLLED_BACK and ratio >= _THROUGHPUT,
        )
        yield Line(f"the same in {_PROCESSES} databases", found["apart"])
    for name in names:
        bench.ground.sql(f"DROP DATABASE {name} WITH (FORCE)")
    for side in sides:
        bench.ground.forget(side)


def _work(bench: Bench, work: str, turns: int, side: str, databases: list[str]) -> Sample:
    """Let nodes work; the sample has the time of their work alone."""
    script = str(Path(__file__).with_name("node_work.py"))
    argv = [NODE_PYTHON, script, work, str(turns), str(DIRECTORY / side), *databases]
    sample = bench.measure(argv, {})
    seconds = json.loads((bench.ground.directory / "output").read_text())["seconds"]
    return Sample(seconds, sample.cpu)


def _transactions(bench: Bench) -> tuple[int, int]:
    """How many transactions of the shared database were committed, and rolled back."""
    text = bench.ground.ask(
        "SELECT xact_commit || ' ' || xact_rollback FROM pg_stat_database WHERE datname = 'shared'"
    )
    committed, undone = map(int, text.split())
    return committed, undone
