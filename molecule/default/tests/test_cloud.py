"""The node is a cloud: its resources exist on the host, and are there after a reboot."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

BOOT_SECONDS = 300
READY = "pextra-demo: ready"


@pytest.fixture(scope="module")
def host(node: Callable[[str], Any]) -> Any:
    return node("node1")


def bridge(host: Any) -> dict[str, str]:
    """What identifies the vSwitch's bridge."""
    shown = host.check_output("ip -d -o link show svswitch1")
    mac = re.search(r"link/ether (\S+)", shown)
    mtu = re.search(r"mtu (\d+)", shown)
    state = "UP" if re.search(r"<[^>]*\bUP\b", shown) else "DOWN"
    assert mac, shown
    assert mtu, shown
    no_ipv6 = host.check_output("cat /proc/sys/net/ipv6/conf/svswitch1/disable_ipv6")
    return {"mac": mac[1], "mtu": mtu[1], "state": state, "without IPv6": no_ipv6.strip()}


def times_booted(host: Any) -> int:
    """How often the instance's guest has said that it is ready."""
    return int(host.check_output(f"cat /var/log/pextra-ce/console/*.log | grep -c '^{READY}'"))


def await_boot(host: Any, times: int) -> None:
    """Wait until the guest has booted that often."""
    deadline = time.monotonic() + BOOT_SECONDS
    while times_booted(host) < times:
        assert time.monotonic() < deadline, host.check_output(
            "tail -n 30 /var/log/pextra-ce/console/*.log"
        )
        time.sleep(1)


def there(host: Any) -> dict[str, Any]:
    """What a user would look at."""
    return {
        "bridge": bridge(host),
        "instance": host.check_output("virsh --quiet domstate demo").strip(),
        "pools": host.check_output("virsh --quiet pool-list --name").split(),
        "ports": len(host.check_output("ip -o link show master svswitch1").splitlines()),
        "database": host.check_output(
            "runuser -u postgres -- psql -p 5499 -Atc 'SELECT name FROM instances' pextra_ce"
        ),
        "failed units": host.check_output("systemctl --failed --no-legend"),
    }


WANTED = {
    "instance": "running", "pools": ["local"], "ports": 1, "database": "demo", "failed units": "",
}  # fmt: skip


def test_resources_are_on_the_host(host: Any) -> None:
    found = there(host)
    shown = found.pop("bridge")
    assert (shown["state"], shown["without IPv6"]) == ("UP", "1")
    assert found == WANTED
    assert times_booted(host) >= 1


def test_everything_comes_back_after_a_reboot(lab: Any, task: Any, host: Any) -> None:
    before, booted = there(host), times_booted(host)
    lab.reboot("node1")
    await_boot(host, booted + 1)
    assert there(host) == before
    wanted = [("vswitch", "svswitch1", "present"), ("instance", "demo", "started")]
    resources = [{"kind": kind, "name": name, "state": state} for kind, name, state in wanted]
    done = task("apply", resources=resources)
    assert not done["changed"], done["plan"]
    # systemd started what answered, and it ends without a trace on what runs.
    assert host.check_output("systemctl is-active pextra-worker.service") == "active"
    host.check_output("systemctl stop pextra-worker.service")
    assert not task("apply", resources=resources)["changed"]
    assert host.check_output("systemctl is-active pextra-worker.service") == "active"
