"""What is on the disk in the end: the system of the image, made this node's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from install.tests.machine import DISK, HOSTNAME, IMAGE, PASSWORD, STATE, TIMEZONE, Machine

ROOT = "/mnt"
ESP, SYSTEM, BIOS_BOOT = "EF00", "8300", "EF02"
EXCLUSIVE = f"""import os
for name in ("", 1, 2, 3):
    os.close(os.open(f"{DISK}{{name}}", os.O_RDONLY | os.O_EXCL))
"""
"""Fails where anything uses the disk or a partition, in whatever mount namespace."""


@pytest.fixture(scope="module", autouse=True)
def _mounted(machine: Machine) -> Iterator[None]:
    """The disk is as the last of the installations left it; nothing is to be using it."""
    machine.ask(f"python3 -c '{EXCLUSIVE}'")
    machine.ask(f"fsck.vfat -n {DISK}1 && e2fsck -fn {DISK}2")
    machine.ask(f"mount -o ro {DISK}2 {ROOT} && mount -o ro {DISK}1 {ROOT}/boot/efi")
    yield
    machine.ask(f"umount --recursive {ROOT}")


def read(machine: Machine, path: str) -> str:
    """A file of the new system."""
    return machine.ask(f"cat {ROOT}/{path}")


def test_the_disk_has_the_partitions_of_a_bios(machine: Machine) -> None:
    table = machine.ask(f"sgdisk -p {DISK}")
    rows = re.findall(r"^ +(\d) +\d+ +\d+ +([\d.]+ \w+) +(\w{4}) ", table, re.MULTILINE)
    assert rows == [
        ("1", "1024.0 MiB", ESP), ("2", "15.0 GiB", SYSTEM), ("3", "1024.0 KiB", BIOS_BOOT),
    ]  # fmt: skip
    assert "No problems found" in machine.ask(f"sgdisk -v {DISK}")


def test_file_systems_are_mounted_by_their_uuids(machine: Machine) -> None:
    uuids = [machine.ask(f"blkid --probe -o value -s UUID {DISK}{number}") for number in (2, 1)]
    rows = [line.split() for line in read(machine, "etc/fstab").splitlines()[1:]]
    assert [row[:3] for row in rows] == [
        [f"UUID={uuids[0]}", "/", "ext4"], [f"UUID={uuids[1]}", "/boot/efi", "vfat"],
    ]  # fmt: skip


def test_the_system_is_the_whole_one_of_the_image(machine: Machine) -> None:
    machine.ask(f"mkdir -p /run/image && mount -o loop {IMAGE} /run/image")
    different = machine.run(f"diff -rq --no-dereference /run/image/usr {ROOT}/usr")
    machine.ask("umount /run/image")
    assert (different.rc, different.stdout) == (0, "")


def test_name_time_zone_and_network_are_those_of_the_answers(machine: Machine) -> None:
    assert read(machine, "etc/hostname") == "node1"
    assert f"127.0.1.1 {HOSTNAME} node1\n" in read(machine, "etc/hosts")
    assert machine.ask(f"readlink {ROOT}/etc/localtime") == f"/usr/share/zoneinfo/{TIMEZONE}"
    assert read(machine, "etc/timezone") == TIMEZONE
    units = read(machine, "etc/systemd/network/10-management*.network")
    mac = machine.ask("cat /sys/class/net/vec0/address")
    assert mac in units or "vec0" in units
    assert "DHCP=" in units
    assert machine.run(f"test -L {ROOT}/etc/systemd/system/multi-user.target.wants/"
                       "systemd-networkd.service").rc == 0  # fmt: skip


def test_the_node_has_an_identity_and_a_password_of_its_own(machine: Machine) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", read(machine, "etc/machine-id"))
    assert read(machine, "etc/machine-id") != machine.ask("cat /etc/machine-id")
    machine.ask(f"ssh-keygen -lf {ROOT}/etc/ssh/ssh_host_ed25519_key.pub")
    hashed = machine.ask(f"sed -n 's/^root:\\([^:]*\\):.*/\\1/p' {ROOT}/etc/shadow")
    made = machine.ask(f"perl -e 'print crypt($ARGV[0], $ARGV[1])' '{PASSWORD}' '{hashed}'")
    assert made == hashed


def test_the_first_boot_has_what_it_needs_and_is_started(machine: Machine) -> None:
    wants = f"{ROOT}/etc/systemd/system/multi-user.target.wants/pextra-first-boot.service"
    assert machine.ask(f"readlink {wants}") == "/etc/systemd/system/pextra-first-boot.service"
    assert machine.ask(f"stat --format=%a {ROOT}/etc/pextra-ce/first-boot.json") == "600"
    told = json.loads(read(machine, "etc/pextra-ce/first-boot.json"))
    assert told["site_admin_password_hash"].startswith("$argon2id$")
    assert (told["site_organization"], told["site_node"]) == ("Example", "node1")


def test_its_console_knows_the_keyboard_and_apt_where_packages_would_come_from(
    machine: Machine,
) -> None:
    assert 'XKBLAYOUT="us"' in read(machine, "etc/default/keyboard")
    assert "Enabled: no" in read(machine, "etc/apt/sources.list.d/pextra-ce.sources")


def test_the_answers_are_kept_for_root_alone_and_can_be_used_again(machine: Machine) -> None:
    kept = f"{ROOT}/var/lib/pextra-installer/answers.yaml"
    assert machine.ask(f"stat --format=%a {kept}") == "600"
    machine.ask(f"pextra-installer validate {kept}")
    assert f"hostname: {HOSTNAME}\n" in machine.ask(f"cat {kept}")


def test_the_bootloader_finds_the_system_by_its_uuid(machine: Machine) -> None:
    assert machine.ask(f"dd if={DISK} bs=512 count=1 status=none | grep -ac GRUB") == "1"
    assert machine.ask(f"head -c 512 {DISK}3 | tr -d '\\0' | wc -c") != "0"
    uuid = machine.ask(f"blkid --probe -o value -s UUID {DISK}2")
    menu = read(machine, "boot/grub/grub.cfg")
    assert f"search --no-floppy --fs-uuid --set=root {uuid}" in menu
    assert f"/boot/vmlinuz-6.1.0-0-amd64 root=UUID={uuid} ro" in menu


def test_logs_are_kept_for_root_alone_and_no_secret_with_them(machine: Machine) -> None:
    folder = f"{ROOT}/var/log/pextra-installer"
    assert machine.ask(f"stat --format='%n %a' {folder} {folder}/*").split() == [
        folder, "700", f"{folder}/install.log", "600", f"{folder}/journal.json", "600",
    ]  # fmt: skip
    assert "Install GRUB for a BIOS" in machine.ask(f"cat {folder}/install.log")
    assert machine.ask(f"stat --format=%a {STATE}/install.log") == "600"
    shown = f"grep -rlF '{PASSWORD}' {ROOT}/etc {ROOT}/var {ROOT}/root {STATE}"
    assert machine.run(shown).rc == 1
    hashes = f"grep -rlE '[$](argon2id|6|y)[$]' {ROOT}/var/log {STATE}/install.log"
    assert machine.run(hashes).rc == 1
