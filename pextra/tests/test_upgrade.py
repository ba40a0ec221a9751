# SPDX-License-Identifier: Apache-2.0
"""What apt, dpkg and needrestart print, and what an upgrade makes of it."""

from __future__ import annotations

import pytest

from pextra.host.upgrade.packages import Change, parse_simulation, parse_unfinished
from pextra.host.upgrade.restarts import parse, reboot_reasons
from pextra.model.errors import HostError

SIMULATED = """\
Reading package lists...
Building dependency tree...
Calculating upgrade...
The following packages have been kept back:
  linux-image-amd64 pce-old
  pce-older
The following NEW packages will be installed:
  pce-new
The following packages will be upgraded:
  libc6 libc6:i386 pce-common
3 upgraded, 1 newly installed, 0 to remove and 3 not upgraded.
Inst libc6:i386 [2.36-9+deb12u9] (2.36-9+deb12u13 Debian:12.12/oldstable [i386]) []
Inst libc6 [2.36-9+deb12u9] (2.36-9+deb12u13 Debian:12.12/oldstable [amd64])
Inst pce-new (1.1 Test:bookworm [all])
Inst pce-common [1:1.0~rc1] (1:1.1 Test:bookworm [amd64])
Conf libc6 (2.36-9+deb12u13 Debian:12.12/oldstable [amd64])
"""

OUTDATED = """\
NEEDRESTART-VER: 3.6
NEEDRESTART-KCUR: 6.1.0-40-amd64
NEEDRESTART-KEXP: 6.1.0-42-amd64
NEEDRESTART-KSTA: 3
NEEDRESTART-SVC: cron.service
NEEDRESTART-SVC: dbus.service
NEEDRESTART-SVC: getty@tty1.service
NEEDRESTART-SVC: libvirtd.service
NEEDRESTART-SVC: postgresql@15-pextra.service
NEEDRESTART-SVC: systemd-journald.service
NEEDRESTART-SVC: systemd-logind.service
NEEDRESTART-SVC: systemd-manager
NEEDRESTART-SVC: user@0.service
NEEDRESTART-SVC: virtlogd.service
NEEDRESTART-SESS: root @ session #28
"""


def test_upgrades_new_packages_and_kept_ones_are_told_apart() -> None:
    found = parse_simulation(SIMULATED)
    assert found.changes == (
        Change("libc6", "2.36-9+deb12u9", "2.36-9+deb12u13"),
        Change("libc6:i386", "2.36-9+deb12u9", "2.36-9+deb12u13"),
        Change("pce-common", "1:1.0~rc1", "1:1.1"),
        Change("pce-new", None, "1.1"),
    )
    assert found.kept_back == ("linux-image-amd64", "pce-old", "pce-older")


def test_nothing_to_do_is_nothing() -> None:
    found = parse_simulation("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
    assert (found.changes, found.kept_back) == ((), ())


def test_a_removal_is_refused() -> None:
    with pytest.raises(HostError, match="remove qemu-system-x86"):
        parse_simulation("Remv qemu-system-x86 [1:7.2]\n")


@pytest.mark.parametrize(
    ("status", "journal", "unfinished"),
    [
        ("a install ok installed\nb deinstall ok config-files\n", [], []),
        ("a install ok unpacked\nb:i386 install ok half-configured\n", [], ["a", "b:i386"]),
        ("a install reinstreq half-installed\n", [], ["a"]),
        ("a install ok triggers-pending\nb install ok installed\n", ["0000"], ["a"]),
        ("a install ok installed\n", ["0001", "tmp.i"], ["dpkg's journal"]),
        ("a install ok installed\n", ["tmp.i"], []),
    ],
)
def test_what_dpkg_left_undone_is_found(
    status: str, journal: list[str], unfinished: list[str]
) -> None:
    assert parse_unfinished(status, journal) == unfinished


def test_units_are_restarted_reloaded_or_left() -> None:
    found = parse(OUTDATED)
    assert found.services == (
        "cron.service", "libvirtd.service", "postgresql@15-pextra.service",
        "systemd-journald.service",
    )  # fmt: skip
    assert found.reloads == ("virtlogd.service",)
    assert found.manager
    assert found.left == (
        "dbus.service", "getty@tty1.service", "systemd-logind.service", "user@0.service",
    )  # fmt: skip
    assert found.kernel == "6.1.0-42-amd64"


def test_a_reboot_is_for_kernels_and_what_cannot_be_restarted() -> None:
    reasons = " ".join(reboot_reasons(parse(OUTDATED)))
    assert "kernel 6.1.0-42-amd64 is installed" in reasons
    assert "dbus.service" in reasons
    assert "getty" not in reasons


@pytest.mark.parametrize("state", ["0", "1"])
def test_a_kernel_that_runs_or_is_not_known_needs_no_reboot(state: str) -> None:
    assert parse(f"NEEDRESTART-KEXP: 6.1.0-42-amd64\nNEEDRESTART-KSTA: {state}\n").kernel is None
