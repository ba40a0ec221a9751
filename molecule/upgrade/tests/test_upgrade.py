"""Three nodes are upgraded one after the other, their instances running all the while."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lab import ansible

NODES = ("node1", "node2", "node3")


def play(lab: Any, *options: str) -> str:
    """What the playbook prints, and its exit code in the last line."""
    done = ansible.play(lab.name, "upgrade", "-e", "target=lab", *options)
    return f"{done.stdout}{done.stderr}\nexit={done.returncode}"


def recap(text: str, node: str) -> dict[str, int]:
    """The numbers of a node's last line."""
    line = next(line for line in text.splitlines() if re.match(rf"{node} +: ok=", line))
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


def version(lab: Any, node: str, package: str = "pce-common") -> str:
    """The installed version of a package."""
    return str(lab.host(node).check_output(f"dpkg-query -W -f '${{Version}}' {package}"))


def processes(lab: Any) -> dict[str, str]:
    """The process of each node's instance; it is the same for as long as the guest runs."""
    return {
        node: lab.host(node).check_output(
            "cat /run/libvirt/qemu/guest.pid && echo && virsh -q domstate guest"
        )
        for node in NODES
    }


@pytest.fixture(scope="module")
def before(lab: Any) -> dict[str, str]:
    """The instances as they run before anything is upgraded; node2 will fail."""
    for node in NODES:
        lab.host(node).check_output("ln -sfn /srv/repository/new /srv/repository/current")
    lab.host("node2").check_output("touch /etc/pce-web-is-broken")
    found = processes(lab)
    assert all("running" in text for text in found.values())
    return found


def test_check_mode_lists_what_would_change_and_changes_nothing(
    lab: Any, before: dict[str, str]
) -> None:
    said = play(lab, "--check")
    assert said.endswith("exit=0")
    assert len(re.findall(r"pce-common +1\.0 -> 1\.1", said)) == len(NODES)
    assert re.search(r"libvirt-daemon-system +(\S+) -> \1\+pce1", said)
    assert {version(lab, node) for node in NODES} == {"1.0"}
    assert processes(lab) == before


def test_a_failure_stops_before_the_next_node(lab: Any, before: dict[str, str]) -> None:
    said = play(lab)
    assert not said.endswith("exit=0")
    assert version(lab, "node1") == "1.1"
    assert version(lab, "node3") == "1.0"
    assert re.search(r"node1 +\d+ +.*pce-daemon\.service.* +no +healthy, 1 instances run", said)
    assert re.search(r"node2 .* failed", said)
    assert re.search(r"node3 +not begun", said)
    assert "node3" not in said.partition("PLAY [Upgrade one node")[2].partition("node ")[0]
    assert processes(lab) == before


def test_what_runs_replaced_code_is_restarted_and_the_instance_is_not(
    lab: Any, before: dict[str, str]
) -> None:
    host = lab.host("node1")
    daemon = host.check_output("systemctl show -P MainPID pce-daemon.service").strip()
    assert host.check_output(f"readlink /proc/{daemon}/exe") == "/usr/lib/pce-daemon/pce-daemon"
    for unit in ("libvirtd", "virtlogd"):
        process = host.check_output(f"systemctl show -P MainPID {unit}.service").strip()
        if process != "0":  # libvirtd ends by itself when nobody asks, and is started again
            assert "deleted" not in host.check_output(f"grep -s libvirt /proc/{process}/maps")
    assert "+pce1" in host.check_output("dpkg-query -W -f '${Version}' libvirt-daemon-system")
    assert "(deleted)" in host.check_output(f"readlink /proc/{before['node1'].split()[0]}/exe")
    assert processes(lab)["node1"] == before["node1"]


def test_when_it_is_mended_the_next_run_finishes(lab: Any, before: dict[str, str]) -> None:
    lab.host("node2").check_output("rm /etc/pce-web-is-broken")
    lab.host("node3").check_output("touch /run/reboot-required")
    said = play(lab)
    assert said.endswith("exit=0")
    assert recap(said, "node1")["changed"] == 0, "what was done is done again"
    assert {version(lab, node) for node in NODES} == {"1.1"}
    for node in NODES:
        assert re.search(rf"{node} +\d+ .* healthy, 1 instances run", said)
    assert "these run the former QEMU until they are started anew: guest" in said
    assert "a reboot is needed: a package has asked for it" in said
    assert processes(lab) == before


def test_a_node_reboots_only_if_that_is_allowed(lab: Any, before: dict[str, str]) -> None:
    host = lab.host("node3")
    boot = host.check_output("cat /proc/sys/kernel/random/boot_id")
    lab.hang_up()
    said = play(lab, "--limit", "node3", "-e", "upgrade_reboot_allowed=true")
    assert said.endswith("exit=0")
    assert re.search(r"node3 .* yes +healthy, 1 instances run", said)
    assert host.check_output("cat /proc/sys/kernel/random/boot_id") != boot
    assert "running" in processes(lab)["node3"]
