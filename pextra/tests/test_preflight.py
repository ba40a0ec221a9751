# SPDX-License-Identifier: Apache-2.0
"""The preflight checks over recorded machines (``machines/*.json``)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.pextra.ce.plugins.modules import preflight_info
from pextra.host.preflight import checks
from pextra.host.preflight.checks import Check, Level
from pextra.host.preflight.machine import Disk, Interface, Machine, Process, read_machine

MACHINES = Path(__file__).with_name("machines")
GIB = 1 << 30

Load = Callable[[str], Machine]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Unpacks a recorded machine and reads it."""

    def unpack(name: str) -> Machine:
        recording = json.loads((MACHINES / f"{name}.json").read_text())
        root = tmp_path / name
        for path, text in recording["files"].items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        for path, target in recording["links"].items():
            (root / path).symlink_to(target)
        process = recording["process"]
        return read_machine(root, Process(**{**process, "python": tuple(process["python"])}))

    return unpack


def run(machine: Machine, *ignore: str) -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in checks.run_checks(machine, ignore)}


def levels(machine: Machine, level: Level) -> set[str]:
    """The names of the checks that came out so."""
    return {check.name for check in checks.run_checks(machine) if check.level is level}


MACHINE = Machine(
    process=Process("x86_64", 64, (3, 11, 2), 0),
    os_id="debian",
    os_version="12",
    cpu_model="",
    cpu_flags=frozenset({"avx2", "vmx"}),
    cores=8,
    threads=16,
    memory=32 * GIB,
    disks=(Disk("nvme0n1", 500 * 10**9, False),),
    interfaces=(Interface("eno1", True, 1000),),
    raid=(),
    kvm_present=True,
    kvm_opens=True,
)


def test_a_machine_with_all_that_is_recommended_passes_every_check() -> None:
    assert {check.level for check in checks.run_checks(MACHINE)} == {Level.OK}


def test_the_small_virtual_machine_fails_only_for_its_cores(load: Load) -> None:
    machine = load("virtual-machine")
    found = run(machine)
    assert levels(machine, Level.FAIL) == {"cores"}
    assert found["storage"].found == "vda 274 GB"
    assert found["network"].found == "eth0 unknown"
    assert found["network"].level is Level.WARNING
    assert found["kvm"].level is found["virtualization"].level is Level.WARNING
    assert checks.accelerator(machine).name == "tcg"


def test_a_hardware_raid_controller_fails_and_the_hint_gives_the_workaround(load: Load) -> None:
    machine = load("rack-server")
    check = run(machine)["hardware_raid"]
    assert levels(machine, Level.FAIL) == {"hardware_raid"}
    assert "0000:18:00.0 1000:0016 (megaraid_sas)" in check.found
    assert check.hint is not None
    assert "RAID 0" in check.hint


def test_cores_are_counted_and_hyperthreads_only_told(load: Load) -> None:
    assert run(load("rack-server"))["cores"].found == "16 (32 threads)"


def test_removable_disks_and_bridges_are_not_the_machine_s_hardware(load: Load) -> None:
    machine = load("rack-server")
    assert [disk.name for disk in machine.disks] == ["sda"]
    assert run(machine)["network"].found == "eno1 25000 Mbit/s"


def test_firmware_raid_warns_since_its_disks_are_seen_directly(load: Load) -> None:
    machine = load("workstation")
    assert levels(machine, Level.FAIL) == set()
    assert levels(machine, Level.WARNING) == {"cores", "memory", "hardware_raid"}
    assert run(machine)["storage_medium"].found == "nvme0n1 500 GB SSD"
    assert [link.name for link in machine.interfaces] == ["enp2s0"]


def test_an_aarch64_server_needs_no_avx2_and_uses_kvm(load: Load) -> None:
    machine = load("arm-server")
    assert {check.level for check in checks.run_checks(machine)} == {Level.OK}
    assert checks.accelerator(machine) == ("kvm", "/dev/kvm opens")


def test_everything_wrong_is_named_at_once(load: Load) -> None:
    assert levels(load("old-desktop"), Level.FAIL) == {
        "root", "operating_system", "python", "architecture", "cores", "memory", "storage",
        "network",
    }  # fmt: skip


def test_a_container_is_warned_about_what_it_cannot_see(load: Load) -> None:
    machine = load("container")
    assert levels(machine, Level.FAIL) == set()
    assert levels(machine, Level.WARNING) == {"kvm", "memory", "storage", "storage_medium"}


def test_an_empty_root_is_read_without_an_error(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    assert (machine.cores, machine.memory, machine.disks, machine.raid) == (0, 0, (), ())
    assert len(checks.run_checks(machine)) == len(checks.NAMES)


def test_missing_avx2_fails_on_x86() -> None:
    machine = MACHINE._replace(cpu_flags=frozenset({"vmx", "avx"}))
    assert levels(machine, Level.FAIL) == {"avx2"}


def test_a_32_bit_system_on_a_64_bit_processor_fails() -> None:
    machine = MACHINE._replace(process=MACHINE.process._replace(bits=32))
    assert levels(machine, Level.FAIL) == {"architecture"}


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({}, "kvm", "vmx"),
        ({"kvm_present": False, "kvm_opens": False}, "tcg", "no /dev/kvm"),
        ({"kvm_opens": False}, "tcg", "cannot be opened"),
        ({"cpu_flags": frozenset({"avx2"})}, "tcg", "no VT-x or AMD-V"),
    ],
)
def test_kvm_counts_only_where_it_works(changes: dict[str, object], name: str, reason: str) -> None:
    found = checks.accelerator(MACHINE._replace(**changes))
    assert found.name == name
    assert reason in found.reason


@pytest.mark.parametrize(
    ("links", "level"),
    [
        ((), Level.FAIL),
        ((Interface("a", True, 100),), Level.FAIL),
        ((Interface("a", True, None),), Level.WARNING),
        ((Interface("a", True, 100), Interface("b", True, None)), Level.WARNING),
        ((Interface("a", True, 100), Interface("b", True, 10000)), Level.OK),
        ((Interface("a", True, 100), Interface("bridge", False, 10000)), Level.FAIL),
        ((Interface("veth", False, 10000),), Level.OK),
    ],
)
def test_an_unknown_link_speed_never_fails(links: tuple[Interface, ...], level: Level) -> None:
    assert run(MACHINE._replace(interfaces=links))["network"].level is level


@pytest.mark.parametrize(
    ("cores", "level"),
    [(1, Level.FAIL), (3, Level.FAIL), (4, Level.WARNING), (7, Level.WARNING), (8, Level.OK)],
)
def test_between_minimum_and_recommended_is_a_warning(cores: int, level: Level) -> None:
    assert run(MACHINE._replace(cores=cores))["cores"].level is level


def test_eight_gibibytes_fitted_are_enough_though_the_kernel_shows_less() -> None:
    assert run(MACHINE._replace(memory=int(7.7 * GIB)))["memory"].level is Level.WARNING
    assert run(MACHINE._replace(memory=int(31.2 * GIB)))["memory"].level is Level.OK


def test_ignoring_turns_only_the_named_failure_into_a_warning() -> None:
    machine = MACHINE._replace(cores=2, memory=GIB)
    found = run(machine, "cores", "storage")
    assert (found["cores"].level, found["cores"].ignored) == (Level.WARNING, True)
    assert (found["storage"].level, found["storage"].ignored) == (Level.OK, False)
    assert found["memory"].level is Level.FAIL


def test_every_check_that_does_not_pass_says_what_to_do(load: Load) -> None:
    for path in sorted(MACHINES.glob("*.json")):
        for check in checks.run_checks(load(path.stem)):
            assert (check.hint is None) == (check.level is Level.OK), (path.stem, check)


def test_the_table_is_aligned_and_needs_no_quotes(load: Load) -> None:
    for path in sorted(MACHINES.glob("*.json")):
        lines = checks.table(checks.run_checks(load(path.stem)))
        start = lines[0].index("required")
        rows = [line for line in lines if not line.startswith("hint")]
        assert len(rows) == len(checks.NAMES) + 1
        assert all(line[start - 1] == " " and line[start] != " " for line in rows)
        assert yaml.safe_load("\n".join(f"- {line}" for line in lines)) == lines


def test_a_failure_names_check_requirement_finding_and_remedy() -> None:
    text = checks.failure(run(MACHINE._replace(cores=2))["cores"])
    assert text.startswith("cores: required 4 (better 8), found 2 (16 threads). Use ")


def test_the_module_documents_exactly_the_checks_there_are() -> None:
    options = yaml.safe_load(preflight_info.DOCUMENTATION)["options"]
    assert options["ignore"]["choices"] == list(checks.NAMES)


@given(
    memory=st.integers(0, 1 << 45),
    cores=st.integers(0, 4096),
    size=st.integers(1, 1 << 60),
    rotational=st.sampled_from([None, True, False]),
)
def test_more_hardware_never_makes_a_level_worse(
    memory: int, cores: int, size: int, rotational: bool | None
) -> None:
    order = [Level.FAIL, Level.WARNING, Level.OK]
    small = MACHINE._replace(memory=memory, cores=cores, disks=(Disk("sda", size, rotational),))
    large = MACHINE._replace(
        memory=memory * 2, cores=cores + 1, disks=(Disk("sda", size * 2, rotational),)
    )
    for name in ("memory", "cores", "storage", "storage_medium"):
        assert order.index(run(small)[name].level) <= order.index(run(large)[name].level)
