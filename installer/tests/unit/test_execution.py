"""What the executor is told and notes down, and what an installation is taken to last."""

from __future__ import annotations

import configparser
import dataclasses
import json
import pathlib
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pextra_installer import consoles, first_boot, networkd, preview, secrets
from pextra_installer.answers import files
from pextra_installer.execute import progress, run, variables
from pextra_installer.execute.journal import Journal
from pextra_installer.hardware.choice import ChosenLinks
from pextra_installer.hardware.model import Disk, Firmware, Interface
from pextra_installer.image import find_image
from pextra_installer.network import Bond, BondMode, IPv4, IPv6, Method4, Method6, Network
from pextra_installer.problems import InstallerError

from . import strategies

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
ROOT = pathlib.Path(__file__).parents[3]
ROLE = ROOT / "ansible_collections/pextra/ce/roles/install"
LINKS = (
    Interface(name="enp1s0", mac="52:54:00:00:00:01", link=True),
    Interface(name="enp2s0", mac="52:54:00:00:00:02", link=True),
)
TARGET = preview.Target(
    Disk(path="/dev/sda", size=500 * 10**9, serial="S1"),
    ChosenLinks(LINKS[:1], ()),
    Firmware.UEFI,
    "x86_64",
)
STATIC = IPv4(method=Method4.STATIC, address="192.0.2.10/24", gateway="192.0.2.1")


def section(text: str, name: str) -> dict[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return dict(parser[name]) if name in parser else {}


def test_one_interface_has_the_addresses_itself() -> None:
    made = networkd.units(Network(ipv4=STATIC, mtu=9000), LINKS[:1])
    assert list(made) == ["10-management-enp1s0.network"]
    text = made["10-management-enp1s0.network"]
    assert section(text, "Match")["PermanentMACAddress"] == "52:54:00:00:00:01"
    assert section(text, "Link") == {"MTUBytes": "9000"}
    found = section(text, "Network")
    assert found["Address"] == "192.0.2.10/24"
    assert found["Gateway"] == "192.0.2.1"
    assert found["DHCP"] == "no"
    assert found["IPv6AcceptRA"] == "yes"


def test_a_vlan_on_a_bond_has_the_addresses_and_nothing_below_it() -> None:
    bond = Bond(interfaces=("enp1s0", "enp2s0"), mode=BondMode.LACP)
    network = Network(bond=bond, vlan=42, mtu=9000, ipv6=IPv6(method=Method6.NONE))
    made = networkd.units(network, LINKS)
    for name in ("enp1s0", "enp2s0"):
        assert section(made[f"10-management-{name}.network"], "Network") == {"Bond": "bond0"}
    assert section(made["10-management-bond.netdev"], "Bond")["Mode"] == "802.3ad"
    below = section(made["10-management-bond.network"], "Network")
    assert below == {"VLAN": "management", "LinkLocalAddressing": "no", "IPv6AcceptRA": "no"}
    assert section(made["10-management-vlan.netdev"], "VLAN") == {"Id": "42"}
    above = section(made["10-management-vlan.network"], "Network")
    assert (above["DHCP"], above["IPv6AcceptRA"]) == ("ipv4", "no")
    mtus = [section(text, "NetDev").get("MTUBytes") for name, text in made.items()]
    assert mtus.count("9000") == 2


@settings(max_examples=30, deadline=None)
@given(network=strategies.networks())
def test_exactly_one_unit_has_the_addresses(network: Network) -> None:
    links = LINKS if network.bond else LINKS[:1]
    made = networkd.units(network, links)
    assert len([text for text in made.values() if "\nDHCP=" in text]) == 1
    assert all(name.startswith("10-management") for name in made)


def test_the_first_boot_gets_hashes_and_never_the_password() -> None:
    made = files.read(FIXTURES / "accepted/minimal.yaml")
    password = made.administrator.password
    assert password is not None
    told = variables.variables(
        secrets.hashed(made), TARGET, variables.Image(pathlib.Path("/i"), "0" * 64), "t"
    )
    assert password not in json.dumps(told)
    assert str(told["install_root_password_hash"]).startswith("$6$")
    assert told["install_first_boot"]["site_admin_password_hash"].startswith("$argon2id$")


def test_the_nodes_inventory_is_what_the_first_boot_is_told_without_secrets() -> None:
    made = secrets.hashed(files.read(FIXTURES / "accepted/static.yaml"))
    inventory, told = variables.node(made), variables.first_boot(made)
    assert {name for name in told if name not in inventory} == set(first_boot.SECRETS)
    assert all(told[name] == value for name, value in inventory.items())
    assert inventory["site_organization"] == "Example Ltd"
    assert not set(secrets.secrets_of(made)) & {str(value) for value in inventory.values()}


@pytest.mark.parametrize(
    ("routes", "addresses", "shown"),
    [
        ({"-4": "192.0.2.7", "-6": "2001:db8::7"}, {}, "192.0.2.7"),
        ({"-6": "2001:db8::7"}, {"-4": "10.0.2.15"}, "10.0.2.15"),
        ({"-6": "2001:db8::7"}, {"-6": "2001:db8::8"}, "2001:db8::7"),
        ({}, {}, None),
    ],
)
def test_the_banner_has_the_address_that_the_node_is_reached_at(
    routes: dict[str, str], addresses: dict[str, str], shown: str | None
) -> None:
    def ip(family: str, kind: str, *_words: str) -> list[dict[str, Any]]:
        if kind == "route":
            return [{"prefsrc": routes[family]}] if family in routes else []
        found = [{"local": addresses[family]}] if family in addresses else []
        return [{}, {"ifname": "enp1s0", "addr_info": found}]

    assert first_boot.address(ip) == shown


def test_the_playbook_is_told_only_what_it_knows() -> None:
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())
    known = specs["argument_specs"]["main"]["options"]
    made = secrets.hashed(files.read(FIXTURES / "accepted/minimal.yaml"))
    told = variables.variables(made, TARGET, variables.Image(pathlib.Path("/i"), "0" * 64), "t")
    assert set(told) <= set(known)
    assert {name for name, one in known.items() if one.get("required")} <= set(told)


def test_the_steps_are_the_files_of_the_role_in_its_order() -> None:
    tasks = yaml.safe_load((ROLE / "tasks/main.yml").read_text())
    listed = [task["ansible.builtin.include_tasks"].removesuffix(".yml") for task in tasks]
    assert tuple(listed) == progress.NAMES
    assert all((ROLE / f"tasks/{name}.yml").is_file() for name in listed)


def test_a_retry_keeps_the_token_and_another_disk_gets_a_new_one(tmp_path: pathlib.Path) -> None:
    first = Journal.load(tmp_path).begin({"path": "/dev/sda"})
    journal = Journal.load(tmp_path)
    journal.begin({"path": "/dev/sda"})
    journal.step("check")
    journal.end("failed")
    again = Journal.load(tmp_path)
    assert again.token == first
    assert [one["outcome"] for one in again.tries] == ["running", "failed"]
    assert again.begin({"path": "/dev/sdb"}) != first


@pytest.mark.parametrize("text", ["", "{", "[]", '{"token": 1}'])
def test_a_damaged_journal_begins_anew(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "journal.json").write_text(text)
    assert Journal.load(tmp_path).begin({"path": "/dev/sda"})


@given(
    place=st.integers(0, len(progress.STEPS) - 1),
    before=st.floats(0, 5000),
    within=st.floats(0, 5000),
)
def test_progress_grows_and_never_promises_the_impossible(
    place: int, before: float, within: float
) -> None:
    before = before if place else 0.0
    now = progress.Progress(place, before + within, within)
    later = progress.Progress(place, before + within + 10, within + 10)
    assert 0 <= now.fraction <= later.fraction <= 1
    assert now.seconds_left >= later.seconds_left >= 0


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "about 10 s left"),
        (41, "about 50 s left"),
        (90, "about 90 s left"),
        (91, "about 2 min left"),
        (3000, "about 50 min left"),
    ],
)
def test_the_time_left_is_told_no_finer_than_it_is_known(seconds: int, told: str) -> None:
    assert progress.for_people(seconds) == told


def test_an_image_needs_its_checksum_beside_it(tmp_path: pathlib.Path) -> None:
    image = tmp_path / "system.squashfs"
    with pytest.raises(InstallerError, match="there is no image"):
        find_image(image)
    image.write_bytes(b"x")
    with pytest.raises(InstallerError, match="cannot be read"):
        find_image(image)
    (tmp_path / "system.squashfs.sha256").write_text("no checksum\n")
    with pytest.raises(InstallerError, match="holds no SHA-256"):
        find_image(image)
    (tmp_path / "system.squashfs.sha256").write_text(f"{'a' * 64}  system.squashfs\n")
    assert find_image(image).sha256 == "a" * 64


def test_a_failed_run_ends_with_an_error_a_log_and_no_secret(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The playbook really runs; it stops at the image, before anything is touched."""
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(ROOT))
    plan = files.read(FIXTURES / "accepted/minimal.yaml")
    image = tmp_path / "system.squashfs"
    image.write_bytes(b"not what the checksum is of")
    disk = dataclasses.replace(TARGET.disk, path=str(tmp_path / "no-disk"))
    steps: list[str] = []
    with pytest.raises(run.UnfinishedError, match=r"damaged.*Nothing was written to the disk"):
        run.install(
            plan,
            dataclasses.replace(TARGET, disk=disk, firmware=Firmware.UEFI),
            variables.Image(image, "0" * 64),
            lambda now: steps.append(progress.NAMES[now.place]),
            tmp_path / "state",
        )
    assert steps == ["check"]
    log = (tmp_path / "state/install.log").read_text()
    assert "damaged" in log
    assert not [secret for secret in secrets.secrets_of(plan) if secret in log]
    journal = json.loads((tmp_path / "state/journal.json").read_text())
    assert journal["tries"][0]["outcome"] == "failed"
    assert list(journal["tries"][0]["steps"]) == ["check"]


def test_where_no_task_failed_the_error_says_what_ansible_said_last(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(_playbook: str, _variables: Any, event: Any) -> str:
        event({"event": "error", "stdout": "one\nansible-playbook was not found.\n"})
        event({"event": "verbose", "stdout": ""})
        return "failed"

    monkeypatch.setattr(run, "play", play)
    plan = files.read(FIXTURES / "accepted/minimal.yaml")
    image = variables.Image(tmp_path / "system.squashfs", "0" * 64)
    with pytest.raises(run.UnfinishedError, match=r"failed: ansible-playbook was not found\. See"):
        run.install(plan, TARGET, image, lambda _now: None, tmp_path / "state")


def test_the_node_keeps_the_consoles_that_it_was_installed_on() -> None:
    assert consoles.named("quiet console=tty0 root=x console=ttyS0,115200n8") == [
        "tty0",
        "ttyS0,115200n8",
    ]
    assert consoles.named("quiet") == []
