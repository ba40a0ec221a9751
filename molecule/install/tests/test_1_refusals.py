"""What the installer refuses, and that it does so before the disk is touched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from install.tests.machine import DISK, IMAGE, OTHER, PASSWORD, SMALL, VOLUME, Machine
from pextra.licensing import keys, token

ANSWERS_CODE, DISK_CODE, MACHINE_CODE, UNFINISHED = 3, 4, 5, 6
BAD = f"""\
version: 1
agreement: accepted
hostname: node_1
administrator:
  password: {PASSWORD}
timezone: Europe/Berlinn
disks:
  match: []
network:
  ipv4: {{method: static, address: 10.0.0.300/24}}
"""
COPY = "/srv/damaged.squashfs"
FLIP = f"""file = open("{COPY}", "r+b")
file.seek(30_000_000)
(byte,) = file.read(1)
file.seek(30_000_000)
file.write(bytes([byte ^ 1]))"""
DAMAGES = {
    "one bit": f"python3 -c '{FLIP}'",
    "the end is missing": f"truncate --size -4096 {COPY}",
}


@pytest.fixture(autouse=True)
def _untouched(machine: Machine, before: dict[str, str]) -> Iterator[None]:
    """Whatever is refused, all disks keep every byte."""
    yield
    assert {disk: machine.digest(disk) for disk in before} == before


def lines(text: str) -> list[str]:
    """The reasons of an error, without what they suggest."""
    return [line.strip() for line in text.splitlines()[1:]]


def test_every_error_of_an_answer_file_is_told_with_its_line(machine: Machine) -> None:
    machine.answer(BAD)
    done = machine.install()
    assert done.rc == ANSWERS_CODE
    assert done.stderr.startswith("pextra-installer: /run/answers.yaml: 6 errors\n")
    said = lines(done.stderr)
    for number, (line, what) in enumerate((
        (1, "disk: it is missing"),
        (1, "organization: it is missing"),
        (3, "hostname: 'node_1' is not a host name"),
        (6, "timezone: 'Europe/Berlinn' is not a time zone. Did you mean Europe/Berlin?"),
        (7, "disks: this key is not known. Did you mean disk?"),
        (10, "network.ipv4.address: '10.0.0.300/24' is not an IPv4 address"),
    )):  # fmt: skip
        assert said[number].startswith(f"line {line}: {what}")
    assert PASSWORD not in done.stdout + done.stderr


def test_an_answer_file_that_is_no_yaml_or_is_not_there_is_refused(machine: Machine) -> None:
    machine.answer("version: 1\nhostname: [a\n")
    done = machine.install()
    assert (done.rc, "line 3: this is not YAML" in done.stderr) == (ANSWERS_CODE, True)
    machine.ask("rm /run/answers.yaml")
    done = machine.install()
    assert (done.rc, "No such file" in done.stderr) == (ANSWERS_CODE, True)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("1234-5678", "it does not begin with PCE1"),
        ("PCE1.e30", "this is not a licence key"),
        ("PCE1.!!!.AAAA", "this is not a licence key"),
    ],
)
def test_a_licence_key_of_another_form_is_refused(machine: Machine, key: str, reason: str) -> None:
    machine.answer(license_key=key)
    done = machine.install()
    assert done.rc == ANSWERS_CODE
    (said,) = lines(done.stderr)
    assert said.startswith("line ")
    assert "license_key: " in said
    assert reason in said
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("trusted", "days", "reason"),
    [(False, 9, "which this node would not trust"), (True, -9, "the licence expired at")],
)
def test_a_licence_key_that_the_node_would_refuse_is_refused(
    machine: Machine, trusted: bool, days: int, reason: str
) -> None:
    private, public = keys.generate_pair()
    now = dt.datetime.now(dt.UTC)
    begin, end = now - dt.timedelta(days=99), now + dt.timedelta(days=days)
    key = token.issue(private, "Example", "standard", begin, end)
    signers = [keys.public_pem(public).decode()] if trusted else []
    machine.answer(license_key=key, trusted_license_keys=signers)
    done = machine.install()
    assert done.rc == ANSWERS_CODE
    (said,) = lines(done.stderr)
    assert reason in said
    assert key not in done.stdout + done.stderr


def test_a_disk_that_is_too_small_is_refused(machine: Machine) -> None:
    machine.answer(disk={"match": [{"path": SMALL}]})
    done = machine.install()
    assert done.rc == DISK_CODE
    assert f"the disk {SMALL} is too small: it has 8.59 GB, at least 16 GB" in done.stderr


@pytest.mark.parametrize("match", [{"serial": "none"}, {"path": "/dev/ubda"}])
def test_where_no_disk_fits_all_are_shown_and_why_some_never_do(
    machine: Machine, match: dict[str, str]
) -> None:
    machine.answer(disk={"match": [match]})
    done = machine.install()
    assert done.rc == DISK_CODE
    said = lines(done.stderr)
    disks = ["/dev/ubda", DISK, OTHER, SMALL, "/dev/ubde", VOLUME]
    assert [line.split()[0] for line in said] == disks
    assert said[0].endswith("(never: the running system is on it)")
    assert said[4].endswith("(never: it is the installation medium)")
    assert said[5].endswith("(never: it holds an answer file)")


def test_a_filter_that_fits_several_disks_is_refused_with_their_names(machine: Machine) -> None:
    machine.answer(disk={"match": [{"size": {"min": "16GB"}}]})
    done = machine.install()
    assert done.rc == DISK_CODE
    assert "disk.match[0] fits 2 disks" in done.stderr
    assert [line.split()[0] for line in lines(done.stderr)[:2]] == [DISK, OTHER]


def test_every_console_tells_why_an_automated_installation_does_not_begin(machine: Machine) -> None:
    machine.answer(disk={"match": [{"path": VOLUME}]})
    machine.ask(f"mount {VOLUME} /mnt && cp /run/answers.yaml /mnt && umount /mnt")
    done = machine.run("pextra-installer auto --consoles")
    assert done.rc == DISK_CODE
    shown = machine.console()
    assert f"answers: volume PEXTRA-ANSWERS at {VOLUME}" in done.stdout
    assert f"answers: volume PEXTRA-ANSWERS at {VOLUME}" in shown
    assert lines(done.stderr)[5].endswith("(never: it holds an answer file)")
    assert lines(done.stderr)[5] in lines(shown)


def test_a_machine_without_a_disk_is_told_so(machine: Machine) -> None:
    machine.answer()
    machine.ask("printf '#!/bin/sh\\nmount -t tmpfs none /sys/block && exec \"$@\"\\n' > /run/hide")
    done = machine.install(within="unshare --mount sh /run/hide")
    assert (done.rc, "this machine shows no disk" in done.stderr) == (DISK_CODE, True)


def test_a_machine_without_a_network_interface_is_told_so(machine: Machine) -> None:
    machine.answer()
    machine.ask("ip netns add empty")
    done = machine.install(within="ip netns exec empty")
    machine.ask("ip netns delete empty")
    assert done.rc == MACHINE_CODE
    assert "this machine shows no network interface" in done.stderr


def test_an_interface_that_is_not_there_is_told_with_those_that_are(machine: Machine) -> None:
    machine.answer(network={"interface": "enp1s0"})
    done = machine.install()
    assert done.rc == MACHINE_CODE
    assert "there is no network interface enp1s0. This machine has: vec0 (02:" in done.stderr


def test_a_machine_that_is_too_weak_is_told_what_it_lacks(machine: Machine) -> None:
    machine.answer(ignore_checks=[])
    done = machine.install()
    assert done.rc == MACHINE_CODE
    assert [line.split(":")[0] for line in lines(done.stderr)[:2]] == ["cores", "memory"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_image_is_noticed_before_the_disk_is_touched(
    machine: Machine, damage: str
) -> None:
    machine.answer()
    machine.ask(f"cp {IMAGE} {COPY} && cp {IMAGE}.sha256 {COPY}.sha256")
    machine.ask(DAMAGES[damage])
    done = machine.install(image=COPY)
    assert done.rc == UNFINISHED
    assert f"The image {COPY} is damaged: its SHA-256 is" in done.stderr
    assert "Nothing was written to the disk" in done.stderr
    steps = machine.journal()["tries"][-1]["steps"]
    assert list(steps) == ["check"]
    machine.ask(f"rm {COPY}*")
