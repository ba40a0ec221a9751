"""What is read of a machine, which parts of it answers mean, and what would be erased."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from pextra_installer import cli, preview
from pextra_installer.answers import files
from pextra_installer.hardware import block, choice, model
from pextra_installer.hardware.probe import probe, servers_of
from pextra_installer.network import Bond, Network
from pextra_installer.plan import DiskChoice, DiskFilter, SizeRange
from pextra_installer.problems import DiskChoiceError, HardwareError

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
TREE: dict[str, Any] = json.loads((FIXTURES / "machines/lsblk.json").read_text())
DISKS = block.disks_of(
    TREE,
    {
        "/dev/sda": ["ata-Samsung_SSD_870_EVO_500GB_S62ANJ0R100001", "wwn-0x5002538f00000001"],
        "/dev/sdb": ["ata-Samsung_SSD_870_EVO_500GB_S62ANJ0R100002"],
        "/dev/nvme0n1": ["nvme-Example_NVMe_1TB_EX0001"],
    },
)
ENP1 = model.Interface(name="enp1s0", mac="52:54:00:00:00:01", link=True)
ENP2 = model.Interface(name="enp2s0", mac="52:54:00:00:00:02", link=False)
MACHINE = model.Hardware(
    architecture="x86_64",
    firmware=model.Firmware.UEFI,
    cores=8,
    memory=32 * 10**9,
    disks=DISKS,
    interfaces=(ENP1, ENP2),
)
MINIMAL = files.read(FIXTURES / "accepted/minimal.yaml")


def pick(*filters: DiskFilter) -> str:
    return choice.choose_disk(DISKS, DiskChoice(match=filters)).path


def test_only_whole_disks_with_a_size_are_disks() -> None:
    assert [disk.path for disk in DISKS] == [
        "/dev/nvme0n1", "/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd",
    ]  # fmt: skip


def test_a_disk_shows_its_model_serial_medium_and_everything_on_it() -> None:
    sda = DISKS[1]
    assert str(sda) == "/dev/sda  500 GB SSD  Samsung SSD 870 EVO 500GB  serial S62ANJ0R100001"
    assert preview.erased(sda) == [
        '  /dev/sda1 part 1.07 GB vfat "EFI system partition"',
        "  /dev/sda2 part 499 GB LVM2_member",
        '    /dev/mapper/vg0-root lvm 50 GB ext4 "root"',
        '    /dev/mapper/vg0-home lvm 400 GB xfs "home"',
    ]
    assert preview.erased(DISKS[2])[-1] == '  /dev/md0 raid1 500 GB ext4 "data"'
    assert preview.erased(DISKS[0]) == ["  (nothing is recognised on it)"]


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        (DiskFilter(by_id="/dev/disk/by-id/ata-*100002"), "/dev/sdb"),
        (DiskFilter(by_id="nvme-Example_NVMe_1TB_EX0001"), "/dev/nvme0n1"),
        (DiskFilter(path="/dev/sdc"), "/dev/sdc"),
        (DiskFilter(serial="s62anj0r10000[1]"), "/dev/sda"),
        (DiskFilter(model="WDC*"), "/dev/sdc"),
        (DiskFilter(ssd=False), "/dev/sdc"),
        (DiskFilter(size=SizeRange(min="900GB", max="2TB")), "/dev/nvme0n1"),
        (DiskFilter(size=SizeRange(min=500107862017, max=1000204886016)), "/dev/nvme0n1"),
        (DiskFilter(ssd=True, model="*NVMe*"), "/dev/nvme0n1"),
    ],
)
def test_a_filter_finds_the_one_disk_that_has_all_it_asks_for(
    wanted: DiskFilter, path: str
) -> None:
    assert pick(wanted) == path


def test_a_filter_that_fits_nothing_gives_way_to_the_next() -> None:
    assert pick(DiskFilter(serial="NONE"), DiskFilter(model="WDC*")) == "/dev/sdc"


def test_several_fitting_disks_are_an_error_that_names_them() -> None:
    with pytest.raises(DiskChoiceError) as caught:
        pick(DiskFilter(serial="NONE"), DiskFilter(model="Samsung*"), DiskFilter(model="WDC*"))
    text = str(caught.value)
    assert "disk.match[1] fits 2 disks" in text
    assert "S62ANJ0R100001" in text
    assert "S62ANJ0R100002" in text


@pytest.mark.parametrize("wanted", [DiskFilter(path="/dev/sdd"), DiskFilter(model="Ultra*")])
def test_the_medium_is_never_the_target_even_if_it_is_named(wanted: DiskFilter) -> None:
    with pytest.raises(DiskChoiceError, match=r"never: it is the installation medium"):
        pick(wanted)


def test_the_only_writable_disk_is_the_one_even_beside_the_medium() -> None:
    disks = [DISKS[0], DISKS[4]]
    assert choice.choose_disk(disks, DiskChoice(match=(DiskFilter(),))) is DISKS[0]


def test_the_disk_of_the_running_system_is_protected() -> None:
    tree = json.loads(json.dumps(TREE))
    tree["blockdevices"][1]["children"][1]["children"][0]["mountpoints"] = ["/"]
    found = next(disk for disk in block.disks_of(tree, {}) if disk.path == "/dev/sda")
    assert found.protected == "the running system is on it"


def test_a_machine_without_disks_is_told_so() -> None:
    with pytest.raises(DiskChoiceError, match="shows no disk"):
        choice.choose_disk([], DiskChoice(match=(DiskFilter(),)))


def test_a_disk_that_is_too_small_is_refused_unless_the_check_is_ignored() -> None:
    small = dataclasses.replace(DISKS[0], size=8 * 10**9)
    wanted = DiskChoice(match=(DiskFilter(),))
    with pytest.raises(DiskChoiceError, match=r"too small: it has 8 GB, at least 16 GB"):
        choice.choose_disk([small], wanted)
    assert choice.choose_disk([small], wanted, ["storage"]) is small
    tiny = dataclasses.replace(small, size=10**9)
    with pytest.raises(DiskChoiceError, match="too small"):
        choice.choose_disk([tiny], wanted, ["storage"])


def test_the_only_interface_with_a_link_is_taken() -> None:
    assert choice.choose_links([ENP1, ENP2], Network()).interfaces == (ENP1,)


def test_an_interface_without_link_warns_and_is_taken() -> None:
    found = choice.choose_links([ENP1, ENP2], Network(interface="52:54:00:00:00:02"))
    assert found.interfaces == (ENP2,)
    assert found.warnings == ("enp2s0 has no link: look at its cable and switch port",)


def test_it_is_an_error_when_it_is_unclear_which_interface_is_meant() -> None:
    linked = dataclasses.replace(ENP2, link=True)
    with pytest.raises(HardwareError, match=r"2 have a link.*enp1s0 .*enp2s0"):
        choice.choose_links([ENP1, linked], Network())


def test_a_machine_without_interfaces_and_a_missing_one_are_errors() -> None:
    with pytest.raises(HardwareError, match="no network interface"):
        choice.choose_links([], Network())
    with pytest.raises(HardwareError, match=r"there is no network interface eth9.*enp1s0"):
        choice.choose_links([ENP1], Network(interface="eth9"))
    twice = Network(bond=Bond(interfaces=("enp1s0", "52:54:00:00:00:01")))
    with pytest.raises(HardwareError, match="twice"):
        choice.choose_links([ENP1, ENP2], twice)


def test_a_hardware_file_reads_back_as_it_was(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "probe.json"
    path.write_text(model.to_json(MACHINE))
    assert model.read(path) == MACHINE


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', "[1]", '{"disks": [{}]}'])
def test_what_is_no_hardware_file_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    path = tmp_path / "probe.json"
    path.write_text(text)
    with pytest.raises(HardwareError, match="is no hardware file"):
        model.read(path)


def test_this_machine_can_be_read_and_its_own_disk_is_protected() -> None:
    found = probe()
    assert found.cores >= 1
    assert found.memory > 10**8
    assert {one.name for one in found.requirements} >= {"cores", "memory", "avx2"}
    mounted = [disk for disk in found.disks if any("/" in one.mounted for one in disk.contents)]
    assert all(disk.protected for disk in mounted)


def _validate(tmp_path: pathlib.Path, answers: str, machine: model.Hardware) -> int:
    recorded = tmp_path / "probe.json"
    recorded.write_text(model.to_json(machine))
    file = tmp_path / "answers.yaml"
    file.write_text(answers)
    return cli.main(["validate", str(file), "--hardware", str(recorded)])


ANSWERS = (FIXTURES / "accepted/minimal.yaml").read_text()


def test_validate_says_what_would_be_erased(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ANSWERS.replace("- {}", "- serial: S62ANJ0R100001")
    assert _validate(tmp_path, answers, MACHINE) == 0
    shown = capsys.readouterr().out
    assert "ERASED: /dev/sda  500 GB SSD" in shown
    assert '/dev/mapper/vg0-home lvm 400 GB xfs "home"' in shown
    assert "Network:        enp1s0" in shown
    assert "correct horse" not in shown


@pytest.mark.parametrize(
    ("answers", "machine", "code"),
    [
        (ANSWERS.replace("organization", "organisation"), MACHINE, 3),
        (ANSWERS, MACHINE, 4),
        (ANSWERS, dataclasses.replace(MACHINE, disks=()), 4),
        (ANSWERS, dataclasses.replace(MACHINE, disks=DISKS[:1], interfaces=()), 5),
    ],
)
def test_validate_ends_with_the_documented_code(
    tmp_path: pathlib.Path, answers: str, machine: model.Hardware, code: int
) -> None:
    assert _validate(tmp_path, answers, machine) == code


def test_a_requirement_that_is_not_met_stops_unless_it_is_ignored() -> None:
    check = model.Requirement(name="avx2", requirement="AVX2", found="no AVX2", level="fail")
    machine = dataclasses.replace(MACHINE, disks=DISKS[:1], requirements=(check,))
    with pytest.raises(HardwareError, match="avx2: required AVX2, found no AVX2"):
        preview.target_of(MINIMAL, machine)
    ignoring = dataclasses.replace(MINIMAL, ignore_checks=("avx2",))
    assert preview.target_of(ignoring, machine).disk is DISKS[0]


INSIDE = """
ip link add eno1 type veth peer name eno2 && ip link set eno1 up && ip link set eno2 up
ip address add 192.0.2.7/24 dev eno1 && ip address add 2001:db8::7/64 dev eno1 nodad
ip route add default via 192.0.2.1 && ip -6 route add default via fe80::1 dev eno1
exec "$@"
"""


def test_routers_are_read_by_their_interface() -> None:
    """In a network of its own, which is gone with its processes."""
    code = "from pextra_installer.hardware import probe; print(probe._gateways())"
    argv = ["unshare", "--net", "bash", "-ec", INSIDE, "bash", sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.strip() == "{'eno1': ('192.0.2.1', 'fe80::1')}", done.stderr


def test_name_servers_are_read_as_resolved_tells_them() -> None:
    told = "Global:\nLink 2 (eno1): 192.0.2.53 2001:db8::53\nLink 3 (eno2):\nLink 4 (br-a.1): ::1\n"
    assert servers_of(told) == {"eno1": ("192.0.2.53", "2001:db8::53"), "br-a.1": ("::1",)}
