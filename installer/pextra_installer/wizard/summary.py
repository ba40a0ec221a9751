"""The summary before anything is erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Label, Static

from pextra_installer import preview
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError

if TYPE_CHECKING:
    from pextra_installer.wizard.app import Wizard


class SummaryScreen(Screen[None]):
    """Everything that will be, and everything that will be erased."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None

    @property
    def wizard(self) -> Wizard:
        """The application."""
        return cast("Wizard", self.app)

    def compose(self) -> ComposeResult:
        """The summary, or why there can be no installation."""
        try:
            self._plan = self.wizard.draft.plan()
            target = preview.target_of(self._plan, self.wizard.session.hardware)
            lines = preview.lines(self._plan, target)
            # The first line and what is on the disk.
            end = 1 + len(preview.erased(target.disk))
            erased, rest = "\n".join(lines[:end]), "\n".join(lines[end:])
            text = Content.assemble((erased, "bold $error"), "\n\n", rest)
        except InstallerError as error:
            self._plan, text = None, Content(str(error))
        yield Label("Summary", id="title")
        with VerticalScroll(id="body"):
            yield Static(text, id="summary")
        with Vertical(id="foot"), Horizontal(id="buttons"):
            yield Button("Back", id="back", compact=True)
            yield Button(
                "Erase the disk and install",
                id="install",
                compact=True,
                variant="error",
                disabled=self._plan is None,
            )
            yield Label("Tab moves, Enter chooses, Esc back", id="keys")

    def on_screen_resume(self) -> None:
        """Enter alone erases nothing, also when one comes back to this screen."""
        self.query_one("#back").focus()

    @on(Button.Pressed, "#install")
    def install(self) -> None:
        """Begin."""
        if self._plan is not None:
            self.wizard.begin(self._plan)

    @on(Button.Pressed, "#back")
    def action_back(self) -> None:
        """Back to the pages."""
        self.wizard.pop_screen()
