"""The power goes at several steps; each time the installation begins anew, and it finishes."""

from __future__ import annotations

import re

from install.tests.machine import DISK, OTHER, SMALL, STATE, TARGET, Machine

MARKER = "/var/lib/pextra-installer/image.sha256"
"""What the installer leaves where the whole system is unpacked."""
FAULT = "/usr/local/sbin/ssh-keygen"
"""Found before the program of that name."""


def test_the_power_goes_while_the_disk_is_partitioned(machine: Machine) -> None:
    machine.answer()
    machine.begin()
    machine.until(f"test -b {DISK}2")
    machine.cut_the_power()
    assert not machine.has_file(MARKER)


def test_the_power_goes_while_the_system_is_unpacked(machine: Machine) -> None:
    machine.answer()
    machine.begin()
    machine.until(f"test -e {TARGET}/usr/lib/systemd")
    machine.cut_the_power()
    assert not machine.has_file(MARKER)


def test_a_retry_goes_on_where_a_failed_try_stopped_until_the_power_goes(machine: Machine) -> None:
    machine.answer()
    machine.ask(f"ln -s /bin/false {FAULT}")
    done = machine.install()
    assert done.rc == 6
    assert "the installation did not finish: Make SSH host keys: " in done.stderr
    assert f"See {STATE}/install.log" in done.stderr
    first = machine.journal()
    machine.ask(f"rm {FAULT}")

    machine.begin()
    machine.until(f"test -e {TARGET}/boot/grub/i386-pc")
    log = machine.ask(f"cat {STATE}/install.log")
    outcomes = re.findall(r"TASK \[[^]]*: Unpack the image\] \*+\n(\w+):", log)
    assert outcomes == ["changed", "skipping"]
    partitioned = re.findall(r": Partition the disk and make file systems\] \*+\n(\w+):", log)
    assert partitioned == ["changed", "ok"]
    again = machine.journal()
    assert again["token"] == first["token"]
    assert [each["outcome"] for each in again["tries"]] == ["failed", "running"]

    machine.cut_the_power()
    assert machine.has_file(MARKER)
    assert not machine.has_file("/boot/grub/grub.cfg")


def test_an_installation_from_the_start_finishes_after_all_that(machine: Machine) -> None:
    machine.answer()
    interrupted = machine.ask(f"blkid --probe -o value -s UUID {DISK}2")
    done = machine.install()
    assert done.rc == 0
    assert "[9/9] Finishing" in done.stdout
    assert done.stdout.endswith("REMOVE THE INSTALLATION MEDIUM before the machine starts again.\n")
    assert machine.ask(f"blkid --probe -o value -s UUID {DISK}2") != interrupted


def test_the_other_disks_have_every_byte_that_they_had(
    machine: Machine, before: dict[str, str]
) -> None:
    assert machine.digest(DISK) != before[DISK]
    assert [machine.digest(disk) for disk in (OTHER, SMALL)] == [before[OTHER], before[SMALL]]
