"""The wizard, driven by its keyboard at 80x24 as on a serial console."""

from __future__ import annotations

import asyncio
import dataclasses
import pathlib
import re
import stat
import threading
from collections.abc import Awaitable, Callable

import pytest
from rich.cells import cell_len
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Button, Input, Label, OptionList, Select, Static

from pextra.licensing.trust import TrustStore
from pextra_installer import strength
from pextra_installer.draft import Draft
from pextra_installer.execute.progress import NAMES, Progress
from pextra_installer.execute.variables import Image
from pextra_installer.hardware.model import Disk, Hardware, Interface, Requirement
from pextra_installer.licensing import NOBODY
from pextra_installer.pages import DISK, PAGES, Page
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError
from pextra_installer.session import Session
from pextra_installer.wizard.app import Install, Wizard
from pextra_installer.wizard.ending import DoneScreen, FailedScreen, LeaveScreen, ProgressScreen
from pextra_installer.wizard.page import PageScreen
from pextra_installer.wizard.summary import SummaryScreen

from .signers import signer
from .test_hardware import MACHINE

PASSWORD = "correct horse battery"
KEYBOARDS: list[str] = []
"""Layouts that the wizards of these tests took."""


def drive(
    tmp_path: pathlib.Path,
    steps: Callable[[Pilot[int], Wizard], Awaitable[None]],
    install: Install | None = None,
    machine: Hardware = MACHINE,
    trusted: TrustStore = NOBODY,
) -> Wizard:
    """Run the wizard headless while `steps` type."""
    session = Session(machine, Image(tmp_path / "image", "0" * 64), tmp_path / "state", trusted)
    wizard = Wizard(session, install, take_keyboard=KEYBOARDS.append)

    async def run() -> None:
        async with wizard.run_test(size=(80, 24)) as pilot:
            await steps(pilot, wizard)

    asyncio.run(run())
    return wizard


async def go(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def write(pilot: Pilot[int], text: str) -> None:
    await go(pilot, *("space" if char == " " else char for char in text))


def text_of(pilot: Pilot[int], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


async def to_disks(pilot: Pilot[int]) -> None:
    """Answer every page before the disk's, by keys alone."""
    await go(pilot, "enter", "down", "enter", "ctrl+n")
    await go(pilot, "ctrl+n")
    await go(pilot, "ctrl+n")
    await write(pilot, "node1")
    await go(pilot, "enter")
    await write(pilot, "Example")
    await go(pilot, "ctrl+n", "enter")
    await write_password(pilot)
    await go(pilot, "ctrl+n")


async def write_password(pilot: Pilot[int], password: str = PASSWORD, again: str = "") -> None:
    """Type a password, and once more, from the field for it on."""
    await write(pilot, password)
    await go(pilot, "enter")
    await write(pilot, again or password)


async def to_summary(pilot: Pilot[int]) -> None:
    await to_disks(pilot)
    await go(pilot, "enter", "down", "enter", "ctrl+n")


def test_the_keyboard_alone_leads_to_a_plan(tmp_path: pathlib.Path) -> None:
    begun: list[Plan] = []

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        assert isinstance(wizard.screen, SummaryScreen)
        shown = text_of(pilot, "#summary")
        assert "ERASED: /dev/nvme0n1" in shown
        assert PASSWORD not in shown
        await go(pilot, "tab", "enter")
        await wizard.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(wizard.screen, DoneScreen)
        assert "REMOVE THE INSTALLATION MEDIUM" in text_of(pilot, "#done")

    drive(tmp_path, steps, lambda plan, _tell: begun.append(plan))
    assert len(begun) == 1
    assert begun[0].hostname == "node1"
    assert begun[0].timezone == "Etc/UTC"
    assert begun[0].administrator.username == "pceadmin"
    assert begun[0].administrator.password == PASSWORD
    assert begun[0].network.interface == "enp1s0"
    assert begun[0].disk.match[0].by_id == "nvme-Example_NVMe_1TB_EX0001"


@pytest.mark.parametrize("key", ["enter", "tab"])
def test_what_is_typed_in_a_burst_lands_in_the_field_that_it_is_for(
    tmp_path: pathlib.Path, key: str
) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "enter", "down", "enter", "ctrl+n")
        await go(pilot, "ctrl+n")
        await go(pilot, "ctrl+n")
        # As from a serial line: all of it is there before the first is looked at.
        for name in (*"node1", key, *"Example"):
            wizard.post_message(Key(name, name if len(name) == 1 else None))
        await pilot.pause()
        host, organization = list(wizard.screen.query(Input))[:2]
        assert (host.value, organization.value) == ("node1", "Example")

    drive(tmp_path, steps)


def test_enter_alone_erases_nothing(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        await go(pilot, "enter")
        assert isinstance(wizard.screen, PageScreen)

    def install(_plan: Plan, _tell: object) -> None:
        pytest.fail("an installation began")

    drive(tmp_path, steps, install)


def test_no_page_is_passed_with_a_wrong_answer_and_the_reason_is_shown(
    tmp_path: pathlib.Path,
) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "ctrl+n")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.place == 0
        assert text_of(pilot, "#problems") == (
            "I accept the licence agreement: an answer is needed"
        )
        await go(pilot, "enter", "down", "enter", "ctrl+n", "ctrl+n")
        await write(pilot, "PCE1.nonsense")
        await go(pilot, "ctrl+n")
        assert wizard.screen.place == 2
        assert "Key: this is not a licence key" in text_of(pilot, "#problems")
        await go(pilot, "backspace")
        assert text_of(pilot, "#problems") == ""

    drive(tmp_path, steps)


def test_a_machine_with_too_little_says_so_and_takes_which_checks_to_ignore(
    tmp_path: pathlib.Path,
) -> None:
    small = dataclasses.replace(
        MACHINE,
        requirements=(
            Requirement(
                name="cores", requirement="4 (better 8)", found="2", level="fail", hint=None
            ),
        ),
    )

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "enter", "down", "enter", "ctrl+n", "ctrl+n", "ctrl+n")
        assert "cores: required 4 (better 8), found 2" in text_of(pilot, "#intro")
        await write(pilot, "node1")
        await go(pilot, "enter")
        await write(pilot, "Example")
        await go(pilot, "enter", "enter")
        await write(pilot, "core")
        await go(pilot, "ctrl+n")
        assert "Did you mean cores?" in text_of(pilot, "#problems")
        await write(pilot, "s")
        await go(pilot, "ctrl+n", "enter")
        await write_password(pilot)
        await go(pilot, "ctrl+n", "enter", "down", "enter", "ctrl+n")
        assert isinstance(wizard.screen, SummaryScreen)
        assert not wizard.screen.query_one("#install", Button).disabled

    drive(tmp_path, steps, machine=small)


def test_back_leads_to_the_first_page_and_keeps_the_answers(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        for place in reversed(range(len(PAGES))):
            await go(pilot, "escape")
            assert isinstance(wizard.screen, PageScreen)
            assert wizard.screen.place == place
        await go(pilot, *["ctrl+n"] * len(PAGES))
        assert isinstance(wizard.screen, SummaryScreen)
        assert wizard.draft.get(("organization",)) == "Example"
        assert wizard.draft.get(("administrator", "password")) == PASSWORD

    drive(tmp_path, steps)


def test_the_medium_is_not_offered_and_what_is_on_a_disk_is_shown(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_disks(pilot)
        select = wizard.screen.query_one("#q-disk-match", Select)
        offered = [value for _text, value in select._options if isinstance(value, Disk)]
        assert [disk.path for disk in offered] == [
            "/dev/nvme0n1", "/dev/sda", "/dev/sdb", "/dev/sdc",
        ]  # fmt: skip
        await go(pilot, "enter", "down", "down", "enter")
        note = text_of(pilot, "#note")
        assert "serial S62ANJ0R100001" in note
        assert '/dev/mapper/vg0-home lvm 400 GB xfs "home"' in note

    drive(tmp_path, steps)


def test_everything_of_every_page_fits_80_columns_and_24_lines(tmp_path: pathlib.Path) -> None:
    screenshots: list[str] = []

    async def look(pilot: Pilot[int], wizard: Wizard) -> None:
        buttons = wizard.screen.query_one("#buttons").region
        assert buttons.bottom <= 24
        for widget in wizard.screen.query(".answer, Button"):
            assert 0 < widget.region.right <= 80, f"{widget} is not on the screen"
            assert 0 < widget.region.bottom <= 24, f"{widget} is not on the screen"
        for widget in wizard.screen.query(".answer"):
            assert widget.region.bottom <= buttons.y, f"{widget} lies under the buttons"
        for label in wizard.screen.query(Label):
            assert cell_len(str(label.render())) <= label.region.width, f"{label} is cut off"
        screenshots.append(wizard.export_screenshot())

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        await look(pilot, wizard)
        for _page in PAGES:
            await go(pilot, "escape")
            await look(pilot, wizard)

    drive(tmp_path, steps)
    assert len(screenshots) == len(PAGES) + 1
    assert all(shot.startswith("<svg") for shot in screenshots)
    assert len(set(screenshots)) == len(screenshots)


def test_progress_shows_the_step_and_the_time_left(tmp_path: pathlib.Path) -> None:
    go_on = threading.Event()

    def install(_plan: Plan, tell: Callable[[Progress], None]) -> None:
        tell(Progress(NAMES.index("unpack"), 12.0, 0.0))
        go_on.wait(30)

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        await go(pilot, "tab", "enter")
        while " >>   Unpacking the system" not in text_of(pilot, "#steps"):
            await pilot.pause(0.02)
        assert "done  Partitioning the disk" in text_of(pilot, "#steps")
        assert "left" in text_of(pilot, "#left")
        go_on.set()
        await wizard.workers.wait_for_complete()

    drive(tmp_path, steps, install)


def test_after_a_failure_one_can_retry_edit_and_get_a_support_archive(
    tmp_path: pathlib.Path,
) -> None:
    tries: list[Plan] = []

    def install(plan: Plan, _tell: object) -> None:
        tries.append(plan)
        (tmp_path / "state").mkdir(exist_ok=True)
        if len(tries) < 3:
            raise InstallerError("the disk went away")

    async def failed(pilot: Pilot[int], wizard: Wizard) -> None:
        await wizard.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(wizard.screen, FailedScreen)
        assert "the disk went away" in text_of(pilot, "#reason")
        for button in wizard.screen.query(Button):
            assert button.region.right <= 80, f"{button} is not on the screen"

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        await go(pilot, "tab", "enter")
        await failed(pilot, wizard)
        wizard.screen.query_one("#support", Button).press()
        await pilot.pause()
        assert (tmp_path / "state/pextra-support.tar.gz").is_file()
        await go(pilot, "enter")
        await failed(pilot, wizard)
        wizard.screen.query_one("#edit", Button).press()
        await pilot.pause()
        assert isinstance(wizard.screen, SummaryScreen)
        await go(pilot, "tab", "enter")
        await wizard.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(wizard.screen, DoneScreen)

    drive(tmp_path, steps, install)
    assert len(tries) == 3


def test_leaving_without_an_installation_is_asked_about_and_no_success(
    tmp_path: pathlib.Path,
) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "ctrl+q")
        assert isinstance(wizard.screen, LeaveScreen)
        await go(pilot, "ctrl+q", "enter")
        assert isinstance(wizard.screen, PageScreen)
        await go(pilot, "ctrl+c", "escape", "ctrl+q", "tab", "enter")

    assert drive(tmp_path, steps).return_value == 6


def test_no_key_ends_it_while_a_disk_is_written(tmp_path: pathlib.Path) -> None:
    go_on = threading.Event()

    def install(_plan: Plan, tell: Callable[[Progress], None]) -> None:
        tell(Progress(NAMES.index("unpack"), 12.0, 0.0))
        go_on.wait(60)

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        await go(pilot, "tab", "enter")
        keys = [f"ctrl+{letter}" for letter in "acdhlnpqrstuwxz"]
        keys += ["escape", "enter", "tab", "q", "f1", "f10", "ctrl+backslash", "delete"]
        await go(pilot, *keys)
        assert isinstance(wizard.screen, ProgressScreen)
        assert wizard.is_running
        go_on.set()
        await wizard.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(wizard.screen, DoneScreen)

    drive(tmp_path, steps, install)


def test_the_next_wizard_begins_with_the_answers_of_the_one_before_and_no_password(
    tmp_path: pathlib.Path,
) -> None:
    async def crash(pilot: Pilot[int], _wizard: Wizard) -> None:
        await to_summary(pilot)

    async def again(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, *["ctrl+n"] * 5)
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Administrator"
        assert text_of(pilot, "#problems") == "Password: an answer is needed"
        await go(pilot, "enter")
        await write_password(pilot)
        await go(pilot, "ctrl+n", "ctrl+n", "tab", "enter")
        await wizard.workers.wait_for_complete()

    begun: list[Plan] = []
    drive(tmp_path, crash)
    kept = tmp_path / "state/draft.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert PASSWORD not in kept.read_text()
    drive(tmp_path, again, lambda plan, _tell: begun.append(plan))
    (plan,) = begun
    assert (plan.hostname, plan.organization) == ("node1", "Example")
    assert plan.disk.match[0].by_id == "nvme-Example_NVMe_1TB_EX0001"


def test_answers_that_are_missing_or_wrong_are_listed_with_a_way_to_each_page(
    tmp_path: pathlib.Path,
) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        # As after a restart: the answers are there, and what is wrong with them is not shown yet.
        wizard.draft.set(("hostname",), "node 1")
        wizard.draft.set(("administrator", "password"), None)
        wizard.after_page(len(PAGES) - 1)
        await pilot.pause()
        listed = wizard.screen.query_one(OptionList)
        lines = [str(listed.get_option_at_index(n).prompt) for n in range(listed.option_count)]
        assert lines == [
            "4  Node and organization\n     Host name: 'node 1' is not a host name."
            " Write node1 or node1.example.com",
            "5  Administrator\n     Password: an answer is needed",
        ]
        await go(pilot, "down", "enter")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Administrator"

    drive(tmp_path, steps)


def test_what_the_machine_lacks_leads_to_the_page_where_it_is_answered(
    tmp_path: pathlib.Path,
) -> None:
    small = dataclasses.replace(
        MACHINE,
        requirements=(
            Requirement(name="cores", requirement="4", found="2", level="fail", hint=None),
        ),
    )

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_summary(pilot)
        assert "does not meet the requirements" in text_of(pilot, "#summary")
        assert "cores: required 4, found 2" in text_of(pilot, "#summary")
        await go(pilot, "enter")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Node and organization"

    drive(tmp_path, steps, machine=small)


def test_a_password_that_is_not_typed_the_same_twice_is_not_taken(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_administrator(pilot)
        await write_password(pilot, again="correct horse batterz")
        await go(pilot, "ctrl+n")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Administrator"
        said = "Password, once more: it is not the same password. Type it twice"
        assert text_of(pilot, "#problems") == said
        await go(pilot, "backspace")
        assert text_of(pilot, "#problems") == ""
        await write(pilot, "y")
        await go(pilot, "ctrl+n")
        assert wizard.screen.page.title == "Boot disk"

    drive(tmp_path, steps)


def test_a_weak_password_is_asked_about_and_taken_when_it_is_meant(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await to_administrator(pilot)
        await write_password(pilot, "password")
        await go(pilot, "ctrl+n")
        assert "is very weak: it would soon be guessed" in text_of(pilot, "#problems")
        # Another one is asked about anew.
        await write(pilot, "1")
        await go(pilot, "shift+tab")
        await write_password(pilot, "password1")
        await go(pilot, "ctrl+n")
        assert "very weak" in text_of(pilot, "#problems")
        await go(pilot, "ctrl+n")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Boot disk"

    drive(tmp_path, steps)


async def to_administrator(pilot: Pilot[int]) -> None:
    await go(pilot, "enter", "down", "enter", "ctrl+n", "ctrl+n", "ctrl+n")
    await write(pilot, "node1")
    await go(pilot, "enter")
    await write(pilot, "Example")
    await go(pilot, "ctrl+n", "enter")


def test_a_keyboard_is_taken_at_once_and_kept_for_the_node(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "enter", "down", "enter", "tab", "enter", *"german")
        await go(pilot, "enter")
        assert KEYBOARDS[-1] == wizard.draft.get(("keyboard",)) == "de"

    KEYBOARDS.clear()
    drive(tmp_path, steps)
    assert KEYBOARDS == ["us", "de"]


def test_a_time_zone_is_found_by_a_part_of_its_name(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "enter", "down", "enter", "ctrl+n", "ctrl+n", "ctrl+n", "tab", "tab")
        await go(pilot, "ctrl+u")
        await write(pilot, "ber")
        assert "Europe/Berlin" in text_of(pilot, "#note")
        await go(pilot, "enter")
        zone = wizard.screen.query_one("#q-timezone", Input)
        assert (wizard.focused, zone.value) == (zone, "ber")
        await write(pilot, "lin")
        assert text_of(pilot, "#note") == "Time zone: Europe/Berlin. Enter takes it."
        await go(pilot, "enter")
        assert zone.value == "Europe/Berlin"
        assert wizard.focused is not zone
        await go(pilot, "shift+tab", "ctrl+u")
        await write(pilot, "nowhere")
        assert text_of(pilot, "#note") == "No time zone has this in its name."

    drive(tmp_path, steps)


def nics(*linked: bool) -> Hardware:
    """A machine with so many interfaces."""
    links = [
        Interface(
            name=f"eno{number}", mac=f"52:54:00:00:00:{number:02x}", link=link,
            addresses=(f"192.0.2.{number}/24", "2001:db8::7/64") if link else (),
            gateways=("192.0.2.254", "fe80::1") if link else (),
            name_servers=("192.0.2.53", "2001:db8::53") if link else (),
        )
        for number, link in enumerate(linked, 1)
    ]  # fmt: skip
    return dataclasses.replace(MACHINE, interfaces=tuple(links))


def test_interfaces_with_a_link_are_shown_first_and_all_are_in_the_list(
    tmp_path: pathlib.Path,
) -> None:
    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "enter", "down", "enter", "ctrl+n")
        lines = text_of(pilot, "#intro").splitlines()
        assert [line.split()[0] for line in lines] == ["eno6", "eno8", "eno1", "eno2", "and"]
        assert lines[-1] == "and 4 more, none of them with a link: all are in the list"
        select = wizard.screen.query_one("#q-network-interface", Select)
        shown = [str(text) for text, _value in select._options]
        assert shown[1:4] == [
            "eno6  link  192.0.2.6/24", "eno8  link  192.0.2.8/24", "eno1  NO LINK",
        ]  # fmt: skip
        assert len(shown) == 9
        for widget in wizard.screen.query(".answer, Button"):
            assert 0 < widget.region.bottom <= 24, f"{widget} is not on the screen"

    machine = nics(False, False, False, False, False, True, False, True)
    drive(tmp_path, steps, machine=machine)


def test_static_addresses_begin_with_what_dhcp_gave_and_keep_what_was_typed(
    tmp_path: pathlib.Path,
) -> None:
    async def to_static(pilot: Pilot[int], wizard: Wizard) -> dict[str, str]:
        await go(pilot, "enter", "down", "enter", "ctrl+n")
        wizard.screen.query_one("#q-network-ipv4-method", Select).focus()
        await go(pilot, "enter", "down", "enter")
        return {
            name: wizard.screen.query_one(f"#q-network-{name}", Input).value
            for name in ("ipv4-address", "ipv4-gateway", "ipv6-address", "dns-servers")
        }

    async def empty(pilot: Pilot[int], wizard: Wizard) -> None:
        assert await to_static(pilot, wizard) == {
            "ipv4-address": "192.0.2.1/24", "ipv4-gateway": "192.0.2.254",
            "ipv6-address": "", "dns-servers": "192.0.2.53",
        }  # fmt: skip
        # Another thought, and back again: nothing has to be emptied by hand.
        await go(pilot, "enter", "up", "enter")
        names = ("ipv4-address", "ipv4-gateway", "dns-servers")
        fields = [wizard.screen.query_one(f"#q-network-{name}", Input) for name in names]
        assert [field.value for field in fields] == ["", "", ""]
        await go(pilot, "enter", "down", "enter")
        assert fields[0].value == "192.0.2.1/24"
        wizard.screen.query_one("#q-network-ipv6-method", Select).focus()
        await go(pilot, "enter", "down", "enter")
        screen = wizard.screen
        assert screen.query_one("#q-network-ipv6-address", Input).value == "2001:db8::7/64"
        assert screen.query_one("#q-network-ipv6-gateway", Input).value == "fe80::1"
        await go(pilot, "ctrl+n")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Licence key"

    async def typed(pilot: Pilot[int], wizard: Wizard) -> None:
        wizard.draft.set(("network", "ipv4", "address"), "198.51.100.7/24")
        found = await to_static(pilot, wizard)
        assert found["ipv4-address"] == "198.51.100.7/24"
        assert found["ipv4-gateway"] == ""

    drive(tmp_path / "1", empty, machine=nics(True))
    drive(tmp_path / "2", typed, machine=nics(True))


def test_a_licence_key_is_checked_by_the_medium_s_signers_and_says_what_it_grants(
    tmp_path: pathlib.Path,
) -> None:
    seller, other = signer(), signer("other")

    async def steps(pilot: Pilot[int], wizard: Wizard) -> None:
        await go(pilot, "enter", "down", "enter", "ctrl+n", "ctrl+n")
        assert "Signers that the medium brings: seller" in text_of(pilot, "#intro")
        key = wizard.screen.query_one("#q-license-key", Input)
        for text, said in (
            (other.sign(), "which this node would not trust"),
            (seller.sign(-900, -800), "the licence expired at"),
        ):
            key.value = text
            await go(pilot, "ctrl+n")
            assert said in text_of(pilot, "#problems")
        key.value = seller.sign()
        await pilot.pause()
        assert "This key: standard, for Example, until" in text_of(pilot, "#note")
        key.value = other.sign()
        wizard.screen.query_one("#q-trusted-license-keys", Input).value = other.line
        await go(pilot, "ctrl+n")
        assert isinstance(wizard.screen, PageScreen)
        assert wizard.screen.page.title == "Node and organization"

    drive(tmp_path, steps, trusted=seller.store)


def test_the_first_page_carries_the_product_s_name(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], _wizard: Wizard) -> None:
        assert "Pextra CloudEnvironment" in text_of(pilot, "#intro")

    drive(tmp_path, steps)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_no_page_speaks_of_the_keys_of_a_file(page: Page) -> None:
    """Whatever is wrong, from nothing at all to nonsense everywhere."""
    for value in (None, "?"):
        draft = Draft(MACHINE)
        draft.data = {"version": 1, "disk": {}, "administrator": {}}
        for question in page.questions:
            if value is not None and question is not DISK:
                question.take(draft, value)
        told = "\n".join(page.told(problem, draft) for problem in page.problems(draft))
        keys = [str(part) for question in page.questions for part in question.path]
        assert not [key for key in keys if "_" in key and key in told]
        assert not re.search(r"\w\.(method|address|gateway|interfaces|servers|match)|Add \w", told)
        assert all(line.partition(":")[0][0].isupper() for line in told.splitlines())


def test_a_better_password_is_called_stronger() -> None:
    assert strength.shown("") == ""
    assert strength.shown("password").startswith("very weak")
    assert strength.shown("quite-Unlikely 73 giraffe").startswith("strong")
