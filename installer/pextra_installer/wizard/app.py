"""The wizard's application: which screen comes next."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from pextra_installer import keyboard, support
from pextra_installer.execute.progress import Progress
from pextra_installer.pages import KEYBOARD, PAGES
from pextra_installer.plan import Plan, WhenDone
from pextra_installer.problems import InstallerError
from pextra_installer.session import Session, leave
from pextra_installer.wizard.ending import DoneScreen, FailedScreen, LeaveScreen, ProgressScreen
from pextra_installer.wizard.page import PageScreen
from pextra_installer.wizard.summary import SummaryScreen

Install = Callable[[Plan, Callable[[Progress], None]], None]


class Wizard(App[int]):
    """Pages, then the summary, then the installation; it ends with the command's exit code."""

    TITLE = "Pextra CloudEnvironment"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "wizard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True),
        Binding("ctrl+c", "leave", "Quit", show=False),
    ]

    def __init__(
        self,
        session: Session,
        install: Install | None = None,
        leave: Callable[[WhenDone], None] = leave,
        take_keyboard: Callable[[str], None] = keyboard.take,
    ) -> None:
        super().__init__()
        self.session = session
        self.draft = session.draft()
        self.plan: Plan | None = None
        self._install = install or session.install
        self._leave = leave
        self.take_keyboard = take_keyboard

    def on_mount(self) -> None:
        """Begin."""
        self.theme = "textual-ansi" if self.ansi_color else "textual-dark"
        self.push_screen(PageScreen(0))
        self.take_keyboard(str(self.draft.get(KEYBOARD.path)))

    def action_leave(self) -> None:
        """Ask whether to leave; nothing ends an installation that writes to a disk."""
        if not isinstance(self.screen, ProgressScreen | LeaveScreen):
            self.push_screen(LeaveScreen())

    def keep(self) -> None:
        """Keep the answers, for a wizard that is started after this one."""
        with contextlib.suppress(OSError):
            self.draft.save(self.session.state)

    def go_to(self, place: int) -> None:
        """Go back to a page."""
        while not (isinstance(self.screen, PageScreen) and self.screen.place == place):
            self.pop_screen()

    def after_page(self, place: int) -> None:
        """Show what follows a page."""
        last = place + 1 == len(PAGES)
        self.push_screen(SummaryScreen() if last else PageScreen(place + 1))

    def begin(self, plan: Plan) -> None:
        """Install, in a thread of its own: the screen goes on."""
        self.plan = plan
        screen = ProgressScreen()
        self.push_screen(screen)

        def tell(progress: Progress) -> None:
            self.call_from_thread(screen.show_progress, progress)

        def work() -> None:
            try:
                self._install(plan, tell)
            except InstallerError as error:
                self.call_from_thread(self.switch_screen, FailedScreen(str(error)))
            except Exception as error:  # the screen must show whatever it was
                text = f"{type(error).__name__}: {error}"
                self.call_from_thread(self.switch_screen, FailedScreen(text))
            else:
                self.call_from_thread(self.switch_screen, DoneScreen(plan))

        self.run_worker(work, thread=True, exclusive=True)

    def finish(self, when_done: WhenDone) -> None:
        """Leave the machine as was asked for, and the wizard with it."""
        self._leave(when_done)
        self.exit(0)

    def retry(self) -> None:
        """Go on where it stopped."""
        if self.plan is not None:
            self.pop_screen()
            self.begin(self.plan)

    def shell(self) -> None:
        """A shell; the wizard comes back when it ends."""
        with self.suspend():
            subprocess.run(["/bin/bash", "--login"], check=False)

    def support_archive(self) -> str:
        """Write the support archive and say where."""
        try:
            path = support.archive(self.session.state, self.session.hardware, self.plan)
        except OSError as error:
            return f"it could not be written: {error.strerror}"
        return f"written: {path}"
