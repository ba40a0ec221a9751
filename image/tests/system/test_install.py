# SPDX-License-Identifier: Apache-2.0
"""From the medium to a working node: installed in QEMU, restarted from its disk, asked over SSH."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from answers import Place, placed
from guest import ADDRESS, DHCP_ADDRESS, Guest
from pextra_image.boot import Attachment, Console, Firmware
from pextra_image.grub import INSTALL

PASSWORD = "correct horse battery staple"
ANSWERS = f"""\
version: 1
agreement: accepted
hostname: node1.example.com
organization: Example
timezone: Europe/Berlin
administrator:
  password: {PASSWORD}
network:
  ipv4:
    method: static
    address: {ADDRESS}/24
    gateway: 10.0.2.2
disk:
  match:
    - {{}}
when_done: power-off
ignore_checks: [cores, memory]
"""

ENTER, TAB, DOWN = "\r", "\t", "\x1b[B"
NEXT = "\x0e"
"""Ctrl+N, by which the wizard goes on to the next page."""

_SCREEN, SERIAL, AUTOMATED = INSTALL
ESP, ROOT, BIOS_BOOT = "EF00", "8300", "EF02"


@dataclass(frozen=True)
class Node:
    """An installed node that runs, and what was answered."""

    guest: Guest
    firmware: Firmware
    organization: str
    timezone: str

    def ask(self, line: str) -> str:
        """Run a line in root's shell."""
        return self.guest.ask(line)


@dataclass(frozen=True)
class Way:
    """A way to install: what the machine is like, and where the answers are, if not typed."""

    firmware: Firmware
    attachment: Attachment
    answers: Place | None = None

    @property
    def name(self) -> str:
        """For the names of tests."""
        door = "typed" if self.answers is None else "unattended"
        return f"{door}-{self.firmware}-{self.attachment}"


WAYS = [
    Way(Firmware.BIOS, Attachment.CD, Place.VOLUME),
    Way(Firmware.UEFI, Attachment.CD),
    Way(Firmware.UEFI, Attachment.USB, Place.MEDIUM),
    Way(Firmware.BIOS, Attachment.USB),
    Way(Firmware.SECURE_BOOT, Attachment.CD, Place.ADDRESS),
]


def quick(count: int, ways: list[Way]) -> list[pytest.ParameterSet]:
    """Ways, so many of them in every run; the others take long."""
    full = [pytest.param(way, marks=pytest.mark.full) for way in ways[count:]]
    return [pytest.param(way) for way in ways[:count]] + full


def unattended(way: Way, place: Place, iso: Path, folder: Path) -> Node:
    """Installed from answers in a place."""
    guest = Guest(folder, way.firmware, way.attachment, ADDRESS, PASSWORD)
    with (
        placed(place, ANSWERS, iso, folder) as source,
        guest.medium(source.iso, source.volume, source.port) as console,
    ):
        # Only an address has to be typed: the menu itself sees the others, and counts down.
        if source.words:
            console.choose(AUTOMATED.title, source.words)
        else:
            console.expect(r"automatically in \d+s", "the countdown")
        console.expect(f"answers: {re.escape(source.told)}", "the place of the answers")
        console.expect("The disk that is ERASED: /dev/vd", "the summary of what is erased")
        console.expect("The installation is done", "the end of the installation")
        console.wait_off("switching off")
    return Node(guest, way.firmware, "Example", "Europe/Berlin")


def typed(way: Way, iso: Path, folder: Path) -> Node:
    """Installed by typing into the wizard on the serial console."""
    guest = Guest(folder, way.firmware, way.attachment, DHCP_ADDRESS, PASSWORD)
    with guest.medium(iso) as console:
        console.choose(SERIAL.title)
        type_answers(console)
        console.expect("The installation is done", "the end of the installation")
        console.expect("Reboot", "the button to restart")
        console.send(ENTER)
        console.wait_off("restarting")
    return Node(guest, way.firmware, "Typed", "Etc/UTC")


def type_answers(console: Console) -> None:
    """Fill in every page of the wizard, and let it begin; each key waits for what the last did."""

    def press(keys: str, pattern: str) -> None:
        console.send(keys)
        console.expect(pattern, f"{pattern!r} after {keys!r}")

    console.expect("1/7  Licence agreement", "the wizard")
    press(ENTER, "accepted")
    press(DOWN, "accepted")
    press(ENTER, "accepted")
    console.quiet()  # the list is shown until its choice is taken
    press(NEXT, "2/7  Management network")
    console.expect(DHCP_ADDRESS, "the address by DHCP")
    press(NEXT, "3/7  Licence key")
    press(NEXT, "4/7  Node and organization")
    console.expect("memory: required", "what the machine lacks")
    press("node1.example.com", "node1.example.com")
    press(ENTER, cursor_at("Example"))
    press("Typed", "Typed")
    press(ENTER, "Etc/UTC")
    press(ENTER, cursor_at("none"))
    press("cores memory", "cores memory")
    press(NEXT, "5/7  Administrator")
    for label in ("Password", "Once more"):
        press(ENTER, empty_field(label))
        press(PASSWORD, "\u2022" * len(PASSWORD))
    press(NEXT, "6/7  Boot disk")
    press(ENTER, "/dev/vda")
    press(DOWN, "/dev/vda")
    press(ENTER, "nothing is recognised")
    press(NEXT, "The disk that is ERASED: /dev/vda")
    press(TAB, r"\x1b\[1;7;[0-9;]*m Erase the disk and install")
    press(ENTER, "Checking the image")


def cursor_at(placeholder: str) -> str:
    """What the terminal gets where the cursor is on an empty field: its first letter apart."""
    first, rest = placeholder[0], placeholder[1:]
    return rf"{first}\x1b[^{first}]{{1,20}}{rest}"


def empty_field(label: str) -> str:
    """What the terminal gets where the cursor is at the beginning of a field without placeholder.

    It is drawn alone, or with its line where the key was faster than the page.
    """
    line = rf"{label}\x1b\[0m\x1b\[[0-9;]*m {{{16 - len(label)}}}\x1b\[0m"
    return rf"(18H|{line})\x1b\[[0-9;]*m \x1b\[0m"


@pytest.fixture(scope="module", params=quick(2, WAYS), ids=lambda way: way.name)
def node(
    request: pytest.FixtureRequest, iso: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    """A node that was installed on an empty disk, and runs."""
    way: Way = request.param
    folder = tmp_path_factory.mktemp("machine")
    if way.answers is None:
        made = typed(way, iso, folder)
    else:
        made = unattended(way, way.answers, iso, folder)
    with made.guest.running():
        yield made


when_it_is_ready = pytest.mark.parametrize(
    "node",
    quick(1, [way for way in WAYS if way.attachment is Attachment.CD]),
    ids=lambda way: way.name,
    indirect=True,
    scope="module",
)
"""For what needs the first boot to be done, and the roles to look at all of it. What the medium was
attached as makes no difference any more; door and firmware do, with FULL=1."""


@when_it_is_ready
def test_systemd_is_up_and_no_unit_has_failed(node: Node) -> None:
    state = node.ask("systemctl is-system-running --wait || true")
    assert (state, node.ask("systemctl --failed --no-legend --plain")) == ("running", "")


def test_the_disk_has_the_partitions_of_the_firmware(node: Node) -> None:
    table = node.ask("sgdisk -p /dev/vda")
    rows = re.findall(r"^ +\d+ +\d+ +\d+ +([\d.]+ \w+) +(\w{4}) ", table, re.MULTILINE)
    kinds = [kind for _size, kind in rows]
    assert ("1024.0 MiB", ESP) in rows
    assert sorted(kinds) == sorted([ESP, ROOT, *([BIOS_BOOT] if node.firmware == "bios" else [])])
    root = next(size for size, kind in rows if kind == ROOT)
    assert float(root.removesuffix(" GiB")) > 14.9
    assert node.ask("sgdisk -v /dev/vda | grep -c 'No problems found'") == "1"


def test_file_systems_are_mounted_by_uuid(node: Node) -> None:
    lines = node.ask("grep -v '^#' /etc/fstab").splitlines()
    assert [line.split()[1] for line in lines] == ["/", "/boot/efi"]
    assert all(line.startswith("UUID=") for line in lines)
    assert node.ask("findmnt --verify | tail -n 1").startswith("Success")
    assert json.loads(node.ask("findmnt --json --output SOURCE /"))["filesystems"][0][
        "source"
    ].startswith("/dev/vda")


def test_host_name_time_zone_and_address_are_those_of_the_answers(node: Node) -> None:
    assert node.ask("hostname --fqdn") == "node1.example.com"
    assert node.ask("timedatectl show --property Timezone --value") == node.timezone
    addresses = json.loads(node.ask("ip -json -4 address show scope global"))
    found = [one["local"] for link in addresses for one in link["addr_info"]]
    assert node.guest.address in found


def test_the_node_has_an_identity_of_its_own(node: Node) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", node.ask("cat /etc/machine-id"))
    assert "ed25519" in node.ask("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").lower()


def test_the_node_takes_updates_from_debian_and_nowhere_else(node: Node) -> None:
    asked = re.findall(r"^'(\S+)/dists/", node.ask("apt-get --print-uris update"), re.MULTILINE)
    assert set(asked) == {
        "http://deb.debian.org/debian", "http://security.debian.org/debian-security"
    }  # fmt: skip


def test_the_node_s_inventory_is_what_was_answered(node: Node) -> None:
    found = json.loads(node.ask("ansible-inventory --host localhost"))
    assert found["site_organization"] == node.organization


@when_it_is_ready
def test_the_first_boot_made_the_cloud(node: Node) -> None:
    assert node.ask("systemctl is-active pextra-first-boot") == "active"
    assert node.ask("test -e /etc/pextra-ce/first-boot.json || echo gone") == "gone"
    kinds = ("organization", "user", "cluster", "node", "storage_pool", "node_license")
    store = {kind: node.guest.module(f"{kind}_info")[f"{kind}s"] for kind in kinds}
    names = {kind: [one.get("name") for one in found] for kind, found in store.items()}
    assert names["organization"] == [node.organization]
    assert [one["username"] for one in store["user"]] == ["pceadmin"]
    assert names["node"] == ["node1"]
    assert len(names["cluster"]) == 1
    assert names["storage_pool"] == ["local"]
    assert [one["edition"] for one in store["node_license"]] == ["evaluation"]


@when_it_is_ready
def test_the_console_shows_the_state_and_only_addresses_that_answer(node: Node) -> None:
    assert "node node1 is ready" in node.guest.shown
    assert f"SSH: ssh root@{node.guest.address}" in node.guest.shown
    serves = bool(node.ask("ss -Hltn 'sport = :5007'"))
    assert (f"https://{node.guest.address}:5007/" in node.guest.shown) is serves


@when_it_is_ready
def test_whoever_logs_in_is_told_the_next_steps(node: Node) -> None:
    told = node.ask("cat /etc/motd.d/pextra-ce")
    assert "node node1 is ready" in told
    assert "ansible-playbook pextra.ce.site" in told
    assert "PEXTRA-CE(7)" in node.ask("man pextra-ce | head -n 1").upper()
    assert "Enabled: no" in node.ask("cat /etc/apt/sources.list.d/pextra-ce.sources")


def test_logs_are_kept_and_no_secret_with_them(node: Node) -> None:
    folder = "/var/log/pextra-installer"
    assert set(node.ask(f"ls {folder}").split()) >= {"install.log", "journal.json"}
    assert node.ask(f"stat --format=%a {folder} {folder}/*").split() == ["700", "600", "600"]
    found = node.ask(f"grep -rlF '{PASSWORD}' /var/log /etc /var/lib/pextra-ce /run/log || true")
    assert found == ""
    assert node.ask(f"journalctl --no-pager | grep -cF '{PASSWORD}' || true") == "0"


@when_it_is_ready
def test_nothing_but_ssh_is_open_to_the_network(node: Node) -> None:
    local = [line.split()[3] for line in node.ask("ss -Hltn").splitlines()]
    outside = [address for address in local if not address.startswith(("127.", "[::1]"))]
    assert {address.rpartition(":")[2] for address in outside} == {"22"}


@when_it_is_ready
def test_the_site_playbook_changes_nothing_more(node: Node) -> None:
    end = node.guest.ansible("ansible-playbook", "pextra.ce.site")
    assert re.search(r"localhost\s+: ok=\d+\s+changed=0\s+unreachable=0\s+failed=0", end), end


@when_it_is_ready
def test_an_instance_starts(node: Node) -> None:
    assert node.guest.module("instance", name="trial", memory="64MiB", state="started")["changed"]
    assert "trial" in node.ask("virsh --connect qemu:///system list --name")
