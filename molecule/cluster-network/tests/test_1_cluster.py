"""Three nodes share one store, which nobody else reaches."""

from __future__ import annotations

import threading
from typing import Any

from storage.tests.machine import Machine, Result

NODES = ["node1", "node2", "node3"]
PSQL = ("psql", "--no-psqlrc", "-Atc", "SELECT 1")


def test_each_node_sees_all_three_without_being_told_of_a_database(
    machines: dict[str, Machine],
) -> None:
    seen = []
    for machine in machines.values():
        (cluster,) = machine.ok("cluster_info")["clusters"]
        nodes = machine.ok("node_info")["nodes"]
        seen.append((cluster["id"], sorted((node["name"], node["id"]) for node in nodes)))
    assert [name for name, _ in seen[0][1]] == NODES
    assert seen[0] == seen[1] == seen[2]


def test_store_is_reached_at_one_address_by_certificate_alone(
    machines: dict[str, Machine],
) -> None:
    first, other = machines["node1"], machines["node2"]
    listening = first.run("ss", "-Hltn", "sport = :5499").split()
    assert [word for word in listening if word.endswith(":5499")] == [f"{first.address}:5499"]
    kept = other.run("cat", "/etc/pextra-ce/database.conninfo").strip()
    assert f"host={first.address} " in kept
    assert "sslmode=verify-full" in kept
    assert other.run(*PSQL, f"--dbname={kept}") == "1\n"
    bare = f"host={first.address} port=5499 dbname=pextra_ce user=pextra_ce"
    for more in ("sslmode=disable", "sslmode=require sslcert=/none sslkey=/none"):
        said = other.run(*PSQL, f"--dbname={bare} {more}", check=False)
        assert "FATAL" in said, said
    modes = other.run("stat", "-c", "%a %U", "/etc/pextra-ce/database/client.key")
    assert modes == "600 root\n"
    assert "ca.key" not in other.run(
        "find", "/etc/pextra-ce", "/var/lib/pextra-ce", "-name", "*.key"
    )


def test_name_of_a_vswitch_goes_to_one_of_two_nodes_that_make_it_at_once(
    machines: dict[str, Machine],
) -> None:
    two = [machines["node2"], machines["node3"]]
    for number in range(20, 23):
        name, results = f"svswitch{number}", dict[str, Result]()

        def make(machine: Machine, name: str = name, results: Any = results) -> None:
            results[machine.name] = machine.task("vswitch", {"name": name})

        threads = [threading.Thread(target=make, args=(machine,)) for machine in two]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        failed = [found for found in results.values() if found.failed]
        assert len(failed) == 1, results
        # Which of them depends on whether the loser had read what the winner wrote.
        assert failed[0]["code"] in {"conflict", "plan"}, failed[0].message
        assert "vswitch" in failed[0].message
        there = [machine for machine in two if name in machine.run("ls", "/sys/class/net")]
        assert [machine.name for machine in there] == [
            node for node, found in results.items() if not found.failed
        ]
        there[0].ok("vswitch", name=name, state="absent")
