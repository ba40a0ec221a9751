"""The installation on the screen, and its two ends."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Label, ProgressBar, Static

from pextra_installer.execute.progress import STEPS, Progress
from pextra_installer.outcome import DONE
from pextra_installer.plan import Plan, WhenDone

if TYPE_CHECKING:
    from pextra_installer.wizard.app import Wizard


class EndScreen(Screen[None]):
    """What these screens have in common."""

    @property
    def wizard(self) -> Wizard:
        """The application."""
        return cast("Wizard", self.app)


class ProgressScreen(EndScreen):
    """The current step and the time left."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress()
        self._told = time.monotonic()
        self._shown: tuple[str, int, str] | None = None

    def compose(self) -> ComposeResult:
        """All steps, a bar, the time left."""
        yield Label("Installing", id="title")
        with Vertical(id="body"):
            yield Static("", id="steps", markup=False)
            yield ProgressBar(total=100, show_eta=False, id="bar")
            yield Static("", id="left", markup=False)

    def on_mount(self) -> None:
        """Count on between two steps."""
        self._show(self._progress)
        self.set_interval(1, self._tick)

    def show_progress(self, progress: Progress) -> None:
        """Take a new step."""
        self._progress, self._told = progress, time.monotonic()
        self._show(progress)

    def _tick(self) -> None:
        more = time.monotonic() - self._told
        now = self._progress
        self._show(replace(now, elapsed=now.elapsed + more, in_step=now.in_step + more))

    def _show(self, now: Progress) -> None:
        marks = ["done" if place < now.place else "...." for place in range(len(STEPS))]
        marks[now.place] = " >> "
        steps = "\n".join(f"{mark}  {step[1]}" for mark, step in zip(marks, STEPS, strict=True))
        shown = (steps, int(now.fraction * 100), now.left)
        if (
            shown == self._shown
        ):  # drawing costs a slow machine, and a serial line, more than a look
            return
        self._shown = shown
        self.query_one("#steps", Static).update(steps)
        self.query_one("#bar", ProgressBar).update(progress=shown[1])
        self.query_one("#left", Static).update(now.left)


class FailedScreen(EndScreen):
    """What failed, and what can be done."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    def compose(self) -> ComposeResult:
        """The reason and four ways on."""
        yield Label("The installation did not finish", id="title")
        with VerticalScroll(id="body"):
            yield Static(self._reason, id="reason", markup=False)
            yield Static("", id="note", markup=False)
        with Vertical(id="foot"), Horizontal(id="buttons"):
            yield Button("Retry", id="retry", compact=True, variant="primary")
            yield Button("Edit", id="edit", compact=True)
            yield Button("Shell", id="shell", compact=True)
            yield Button("Support archive", id="support", compact=True)
            yield Button("Quit", id="quit", compact=True)
            yield Label("Tab moves, Enter chooses", id="keys")

    def on_mount(self) -> None:
        """Retrying is what most want."""
        self.query_one("#retry").focus()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Do what was chosen."""
        chosen = event.button.id
        if chosen == "retry":
            self.wizard.retry()
        elif chosen == "edit":
            self.wizard.pop_screen()
        elif chosen == "shell":
            self.wizard.shell()
        elif chosen == "support":
            self.query_one("#note", Static).update(self.wizard.support_archive())
        else:
            self.wizard.exit(6)


class LeaveScreen(EndScreen):
    """Whether to leave without an installation."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stay", "Stay")]

    def compose(self) -> ComposeResult:
        """The question."""
        yield Label("Leave the wizard?", id="title")
        with Vertical(id="body"):
            yield Static(
                "The answers are kept until the machine restarts, all but the password:\n"
                "the wizard begins with them when it is started again.",
                markup=False,
            )
        with Vertical(id="foot"), Horizontal(id="buttons"):
            yield Button("Stay", id="stay", compact=True, variant="primary")
            yield Button("Leave", id="leave", compact=True)
            yield Label("Tab moves, Enter chooses, Esc stays", id="keys")

    def on_mount(self) -> None:
        """Enter alone leaves nothing."""
        self.query_one("#stay").focus()

    @on(Button.Pressed, "#stay")
    def action_stay(self) -> None:
        """Back to where it was."""
        self.wizard.pop_screen()

    @on(Button.Pressed, "#leave")
    def leave(self) -> None:
        """Leave; an installation that did not finish is no success."""
        self.wizard.exit(6)


class DoneScreen(EndScreen):
    """Where the node will be, and the way there."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan

    def compose(self) -> ComposeResult:
        """The address and the reminder."""
        yield Label(DONE, id="title")
        with Vertical(id="body"):
            yield Static(self.wizard.session.outcome(self._plan), id="done", markup=False)
        with Vertical(id="foot"), Horizontal(id="buttons"):
            yield Button("Reboot", id="reboot", compact=True, variant="primary")
            yield Button("Power off", id="power-off", compact=True)
            yield Button("Stay", id="stay", compact=True)
            yield Label("Tab moves, Enter chooses", id="keys")

    def on_mount(self) -> None:
        """Leave by itself where that was asked for."""
        self.query_one("#reboot").focus()
        if self._plan.when_done is not WhenDone.STAY:
            self.set_timer(15, lambda: self.wizard.finish(self._plan.when_done))

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Do what was chosen."""
        self.wizard.finish(WhenDone(str(event.button.id)))
