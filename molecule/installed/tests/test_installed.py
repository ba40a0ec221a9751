"""The tarball makes three nodes one cloud, under each Ansible, from outside the checkout."""

from __future__ import annotations

import json

from installed.tests.conftest import Controller

from lab.fixtures import Lab

NODES = ("node1", "node2", "node3")
PACKAGE = "dpkg-query -W -f '${db:Status-Status} ${Version}' python3-pextra"
NOTHING = dict.fromkeys(NODES, 0)
UNIT = "pextra-ce-storage-pools"


def test_oldest_ansible_makes_three_bare_nodes_one_cloud(lab: Lab, lowest: Controller) -> None:
    assert str(lowest.home) in lowest.run("ansible-galaxy", "collection", "list", "pextra.ce")
    assert lab.host("node2").run(PACKAGE).rc != 0, "the node is not bare"
    changed = lowest.play("site")
    assert set(changed) == set(NODES)
    assert all(changed.values()), changed
    assert len({lab.host(node).check_output(PACKAGE) for node in NODES}) == 1


def test_newest_ansible_sees_the_same_and_changes_nothing(lab: Lab, newest: Controller) -> None:
    # Which Python runs modules is found out: no setting names it.
    found = ("--extra-vars", "ansible_python_interpreter=auto")
    assert newest.play("site", *found) == NOTHING
    said = newest.run("ansible", "node3", "--inventory", "inventory", *found,
                      "--module-name", "pextra.ce.node_info")  # fmt: skip
    nodes = json.loads(said.partition(" => ")[2])["nodes"]
    assert [node["name"] for node in nodes] == list(NODES)


def test_nodes_reconcile_at_intervals_with_nothing_but_the_engine(lab: Lab) -> None:
    for node in NODES:
        host = lab.host(node)
        assert host.check_output(f"systemctl is-active {UNIT}.timer") == "active"
        host.check_output(f"systemctl start {UNIT}.service")
        assert host.run("test -e /usr/bin/ansible-playbook").rc != 0


def test_an_ordinary_user_who_becomes_root_by_su_changes_nothing_and_installs_the_engine(
    lab: Lab, newest: Controller
) -> None:
    newest.become_by_su()
    path = newest.run("ansible", "node1", "--inventory", "inventory", "--module-name",
                      "ansible.builtin.command", "--args", "printenv PATH USER")  # fmt: skip
    assert "sbin" not in path
    assert newest.play("site", "--limit", "node1") == {"node1": 0}
    before = lab.host("node1").check_output(PACKAGE)
    lab.host("node1").check_output("dpkg --remove --force-depends python3-pextra")
    assert newest.play("platform", "--limit", "node1")["node1"] > 0
    assert lab.host("node1").check_output(PACKAGE) == before
