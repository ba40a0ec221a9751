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


@pytest.mark.parametrize(
    ("line", "automated"),
    [
        ("boot=live", False),
        ("boot=live pextra.install=automated", True),
        ("boot=live pextra.answers=https://192.0.2.1/a.yaml", True),
    ],
)
def test_answers_at_an_address_are_followed_whatever_entry_was_chosen(
    line: str, automated: bool
) -> None:
    for name, starts in (
        ("pextra-installer-automated.service", automated),
        ("pextra-installer@.service", not automated),
    ):
        conditions = unit(name)["ConditionKernelCommandLine"]
        assert holds(conditions, line.split()) is starts, name


def holds(conditions: list[str], words: list[str]) -> bool:
    """Whether systemd starts a unit, by systemd.unit(5): one of those with | is enough."""

    def met(condition: str) -> bool:
        wanted = condition.removeprefix("!")
        names = words if "=" in wanted else [word.partition("=")[0] for word in words]
        return (wanted in names) != condition.startswith("!")

    triggers = [met(one.removeprefix("|")) for one in conditions if one.startswith("|")]
    return all(met(one) for one in conditions if not one.startswith("|")) and (
        not triggers or any(triggers)
    )


def test_the_network_of_the_installer_is_in_memory_and_there_before_networkd() -> None:
    network = unit("pextra-installer-network.service")
    assert network["ExecStart"][0].endswith(" /run/systemd/network/80-pextra-installer.network")
    assert network["Before"] == ["systemd-networkd.service"]
    wanted = " ".join(unit("pextra-installer.target")["Wants"]).split()
    assert {"pextra-installer-network.service", "systemd-networkd.service"} <= set(wanted)
