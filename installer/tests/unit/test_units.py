"""The units that start the installer on the medium."""

from __future__ import annotations

import pathlib

import pytest

UNITS = pathlib.Path(__file__).parents[3] / "debian/installer-units"


def unit(name: str) -> dict[str, list[str]]:
    """The options of all sections of a unit; each may be given several times."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        option, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(option, []).append(value)
    return found


def test_the_wizard_has_the_terminal_in_all_three_streams() -> None:
    wizard = unit("pextra-installer@.service")
    assert wizard["StandardInput"] == ["tty-fail"]
    # Textual draws on standard error.
    assert wizard["StandardOutput"] == wizard["StandardError"] == ["tty"]


@pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.name)
def test_no_service_of_the_installer_starts_on_an_installed_node(path: pathlib.Path) -> None:
    made = unit(path.name)
    assert "boot=live" in made["ConditionKernelCommandLine"]
    assert "WantedBy" not in made


def test_the_network_of_the_installer_is_in_memory_and_there_before_networkd() -> None:
    network = unit("pextra-installer-network.service")
    assert network["ExecStart"][0].endswith(" /run/systemd/network/80-pextra-installer.network")
    assert network["Before"] == ["systemd-networkd.service"]
    wanted = " ".join(unit("pextra-installer.target")["Wants"]).split()
    assert {"pextra-installer-network.service", "systemd-networkd.service"} <= set(wanted)
