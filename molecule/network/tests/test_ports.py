"""Port groups: what passes the ports of running instances, seen from both ends of the cable."""

from __future__ import annotations

import json
import re
import time
from typing import Any

FAR = "10.98.0.2"

FORGED = "02:00:00:00:0f:0e"


def test_devices_have_the_address_of_their_definition_whatever_udev_does(
    lab: Any, ends: Any
) -> None:
    host = lab.host("node1")
    for name, end in ends.items():
        assert end.mac in host.check_output(f"virsh -c lxc:///system domiflist {name}")
    for tap in re.findall(r"vnet\d+", host.check_output("ls /sys/class/net")):
        rule = host.check_output(f"udevadm test-builtin net_setup_link /sys/class/net/{tap}")
        assert "ID_NET_LINK_FILE=/etc/systemd/network/00-pextra-ports.link" in rule


def test_vlan_of_a_port_group_is_the_tag_on_the_cable(
    lab: Any, task: Any, ends: Any, capture: Any
) -> None:
    end, far = ends["c1"], lab.host("node2")
    mac, process = end.mac, end.process
    task("port_group", name="one", vlan_id=10)
    assert (end.mac, end.run("true").rc) == (mac, 0), "the instance was disturbed"
    assert process == ends["c1"].process
    assert end.is_cut_off(FAR)
    end.address("10.98.10.11/24")
    with capture(far, "vec1", "icmp or vlan") as frames:
        assert end.reaches("10.98.10.2")
    assert re.search(rf"{mac} > .*vlan 10", frames.text), frames.text
    end.address("10.98.20.11/24")
    assert end.is_cut_off("10.98.20.2")
    task("port_group", name="one", vlan_id=20)
    assert end.reaches("10.98.20.2")
    assert not task("instance", name="c1")["changed"]


def test_trunk_passes_its_vlans_with_tags_and_nothing_else(task: Any, ends: Any) -> None:
    end = ends["c1"]
    task("port_group", name="one", trunk=["10", "15-18"])
    assert end.is_cut_off(FAR), "frames without a tag pass"
    for id, passes in ((10, True), (20, False)):
        end.run(f"ip link add link eth0 name eth0.{id} type vlan id {id}")
        end.run(f"ip address add 10.98.{id}.11/24 dev eth0.{id}")
        end.run(f"ip link set eth0.{id} up")
        far = f"10.98.{id}.2"
        assert end.reaches(far) if passes else end.is_cut_off(far)
    for id in (10, 20):
        end.run(f"ip link del eth0.{id}")


def test_isolated_ports_reach_the_world_but_not_each_other(task: Any, ends: Any) -> None:
    assert ends["c1"].reaches("10.98.0.12")
    for name in ("one", "two"):
        task("port_group", name=name, isolated=True)
    assert ends["c1"].is_cut_off("10.98.0.12")
    assert ends["c1"].reaches("10.98.0.13")
    assert ends["c1"].reaches(FAR)


def change_mac(end: Any, mac: str) -> None:
    """Have the guest use another MAC address."""
    for command in ("down", f"address {mac}", "up"):
        assert end.run(f"ip link set eth0 {command}").rc == 0
    end.run("ip neighbour flush all")


def test_frames_with_a_forged_address_are_dropped(
    lab: Any, task: Any, ends: Any, capture: Any
) -> None:
    end, far = ends["c2"], lab.host("node2")
    mac = end.mac
    task("port_group", name="two", forged_transmits=False)
    assert end.reaches(FAR)
    change_mac(end, FORGED)
    try:
        with capture(far, "vec1", f"ether src {FORGED}") as frames:
            assert end.is_cut_off(FAR)
        assert FORGED not in frames.text
        task("port_group", name="two", forged_transmits=True)
        with capture(far, "vec1", f"ether src {FORGED}") as frames:
            assert end.reaches(FAR)
        assert FORGED in frames.text
    finally:
        change_mac(end, mac)


def test_others_with_its_address_do_not_cut_a_closed_port_off(
    lab: Any, task: Any, ends: Any, capture: Any
) -> None:
    end, far = ends["c2"], lab.host("node2")
    task("port_group", name="two", forged_transmits=False)
    assert end.reaches(FAR)
    far.check_output(f"ip link add link vec1 name thief address {end.mac} type macvlan")
    try:
        far.check_output("ip link set thief up")
        with capture(end.host, "svbond1", f"ether src {end.mac} and inbound") as frames:
            far.run("arping -D -c 3 -I thief 10.98.0.77")
    finally:
        far.check_output("ip link del thief")
    assert end.mac in frames.text
    assert end.reaches(FAR)


def test_frames_for_an_address_that_the_device_does_not_have_stay_away(
    lab: Any, task: Any, ends: Any, capture: Any
) -> None:
    end, far = ends["c2"], lab.host("node2")
    prefix = f"nsenter --net --target {end.process}"
    far.run(f"ip neighbour replace 10.98.0.99 lladdr {FORGED} dev vec1")
    for allowed in (True, False):
        task("port_group", name="two", mac_changes=allowed)
        with capture(end.host, "eth0", f"ether dst {FORGED}", prefix) as frames:
            far.run("ping -n -c 3 -i 0.3 -W 1 10.98.0.99")
        assert (FORGED in frames.text) is allowed


def test_promiscuous_port_sees_what_is_for_others_of_its_vlan(
    lab: Any, task: Any, ends: Any, capture: Any
) -> None:
    watcher = ends["c3"]
    prefix = f"nsenter --net --target {watcher.process}"

    def sees() -> int:
        assert ends["c1"].reaches(FAR)
        with capture(watcher.host, "eth0", f"icmp and host {FAR}", prefix) as frames:
            assert ends["c1"].reaches(FAR)
        return len(re.findall("ICMP echo", frames.text))

    assert sees() == 0
    task("port_group", name="three", promiscuous=True)
    assert sees() >= 6
    assert not task("instance", name="c3")["changed"]
    task("port_group", name="three", promiscuous=True, vlan_id=10)
    assert sees() == 0, "it sees another VLAN's frames"


def throughput(sender: Any, receiver: Any, receiver_host: Any, address: str) -> float:
    """Bytes per second of what comes through in two seconds."""
    sink = (
        "import socket,time; s=socket.create_server(('',5001)); open('/run/listens','w').close();"
        " c,_=s.accept(); n=0; t=time.monotonic();\nwhile d:=c.recv(65536): n+=len(d)"
        "\nprint(n/(time.monotonic()-t))"
    )
    source = (
        "import socket,time,sys; s=socket.create_connection((sys.argv[1],5001)); t=time.monotonic()"
        "\nwhile time.monotonic()-t<2: s.sendall(bytes(16384))"
    )
    receiver_host.run("rm -f /run/rate /run/listens")
    receiver_host.run(f"cat > /run/sink.py <<'EOF'\n{sink}\nEOF")
    receiver("sh -c 'setsid python3 /run/sink.py > /run/rate 2>&1 < /dev/null &'")
    receiver_host.run(
        "sh -c 'for i in $(seq 300); do [ -e /run/listens ] && break; sleep 0.2; done'"
    )
    sender(f"python3 -c \"$(cat <<'EOF'\n{source}\nEOF\n)\" {address}")
    receiver_host.run("sh -c 'for i in $(seq 300); do [ -s /run/rate ] && break; sleep 0.2; done'")
    return float(receiver_host.check_output("cat /run/rate"))


def port_of(end: Any) -> str:
    """The bridge port that a container is connected to."""
    (card,) = json.loads(end.run("ip -json link show dev eth0").stdout)
    links = end.host.check_output("ip -oneline link show master svswitch1")
    (port,) = re.findall(rf"^{card['link_index']}: ([^@:]+)", links, re.MULTILINE)
    return str(port)


def held_back(end: Any) -> int:
    """How many frames at a container's port the kernel found to be over a limit."""
    port = port_of(end)
    text = end.host.check_output(
        f"tc -s qdisc show dev {port}; tc -s filter show dev {port} ingress"
    )
    return sum(int(number) for number in re.findall(r"overlimits (\d+)", text))


def test_rate_limits_hold_in_both_directions(lab: Any, task: Any, ends: Any) -> None:
    end, far = ends["c1"], lab.host("node2")
    throughput(end.run, far.run, far, FAR)
    assert held_back(end) == 0
    task("port_group", name="one", rate_limit={"outbound": "8Mbit"})
    rate = throughput(end.run, far.run, far, FAR)
    assert 1e4 < rate < 1.5e6, f"{rate} bytes per second came through"
    assert held_back(end) > 0
    task("port_group", name="one", rate_limit={"outbound": None, "inbound": "8Mbit"})
    assert held_back(end) == 0
    rate = throughput(far.run, end.run, end.host, "10.98.0.11")
    assert 1e4 < rate < 1.5e6, f"{rate} bytes per second came through"
    assert held_back(end) > 0


def test_port_that_somebody_changed_is_repaired_by_the_next_run(task: Any, ends: Any) -> None:
    end = ends["c1"]
    task("port_group", name="one", vlan_id=10)
    end.address("10.98.10.11/24")
    assert end.reaches("10.98.10.2")
    assert end.host.run(f"bridge vlan del dev {port_of(end)} vid 10").rc == 0
    assert end.is_cut_off("10.98.10.2")
    assert [step["action"] for step in task("instance", name="c1")["plan"]] == ["set-port"]
    assert end.reaches("10.98.10.2")


def end_by_hand(host: Any, name: str) -> None:
    """Have libvirt end a container: it may stumble over a control group that goes meanwhile."""
    virsh = "virsh --quiet --connect lxc:///system"
    deadline = time.monotonic() + 30
    while name in host.check_output(f"{virsh} list --name").split():
        assert time.monotonic() < deadline, "it does not end"
        host.run(f"{virsh} destroy {name}")


def test_hook_closes_the_ports_of_what_others_start(lab: Any, task: Any, ends: Any) -> None:
    host = lab.host("node1")
    task("port_group", name="one", vlan_id=10, forged_transmits=False)
    end_by_hand(host, "c1")
    started = host.run("virsh -c lxc:///system start c1")
    assert started.rc == 0, started.stderr
    done = task("instance", name="c1", state="started")
    assert not done["changed"], done["plan"]
    shown = host.check_output("bridge -d link show")
    assert "locked on" in shown
    # Where the hook cannot do it, the instance does not run.
    end_by_hand(host, "c1")
    host.run("ip link set svswitch1 type bridge vlan_filtering 0")
    refused = host.run("virsh -c lxc:///system start c1")
    assert refused.rc != 0
    assert "c1" not in host.check_output("virsh -c lxc:///system list --name").split()
    task("vswitch", name="svswitch1")
    task("instance", name="c1", state="started")
