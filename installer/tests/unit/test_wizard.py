"""The wizard, driven by its keyboard at 80x24 as on a serial console."""

from __future__ import annotations

import asyncio
import dataclasses
import pathlib
import threading
from collections.abc import Awaitable, Callable

import pytest
from rich.cells import cell_len
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Button, Input, Label, Select, Static

from pextra_installer.execute.progress import NAMES, Progress
from pextra_installer.execute.variables import Image
from pextra_installer.hardware.model import Disk, Hardware, Requirement
from pextra_installer.pages import PAGES, strength
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError
from pextra_installer.session import Session
from pextra_installer.wizard.app import Install, Wizard
from pextra_installer.wizard.ending import DoneScreen, FailedScreen
from pextra_installer.wizard.page import PageScreen
from pextra_installer.wizard.summary import SummaryScreen

from .test_hardware import MACHINE

PASSWORD = "correct horse battery"


def drive(
    tmp_path: pathlib.Path,
    steps: Callable[[Pilot[int], Wizard], Awaitable[None]],
    install: Install | None = None,
    machine: Hardware = MACHINE,
) -> Wizard:
    """Run the wizard headless while `steps` type."""
    session = Session(machine, Image(tmp_path / "image", "0" * 64), tmp_path / "state")
    wizard = Wizard(session, install)

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
    await write(pilot, PASSWORD)
    await go(pilot, "ctrl+n")


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
        assert "agreement: it is missing" in text_of(pilot, "#problems")
        await go(pilot, "enter", "down", "enter", "ctrl+n", "ctrl+n")
        await write(pilot, "PCE1.nonsense")
        await go(pilot, "ctrl+n")
        assert wizard.screen.place == 2
        assert "this is not a licence key" in text_of(pilot, "#problems")

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
        await write(pilot, PASSWORD)
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


def test_leaving_without_an_installation_is_no_success(tmp_path: pathlib.Path) -> None:
    async def steps(pilot: Pilot[int], _wizard: Wizard) -> None:
        await go(pilot, "ctrl+q")

    assert drive(tmp_path, steps).return_value == 6


def test_a_better_password_is_called_stronger() -> None:
    assert strength("") == ""
    assert strength("password").startswith("very weak")
    assert strength("quite-Unlikely 73 giraffe").startswith("strong")
