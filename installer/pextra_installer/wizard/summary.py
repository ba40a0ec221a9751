"""The summary before anything is erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Label, OptionList, Static
from textual.widgets.option_list import Option

from pextra_installer import preview
from pextra_installer.pages import PAGES, page_of
from pextra_installer.plan import Plan
from pextra_installer.problems import AnswersError, InstallerError

if TYPE_CHECKING:
    from pextra_installer.wizard.app import Wizard


class SummaryScreen(Screen[None]):
    """Everything that will be, and everything that will be erased."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None
        self._first = "#back"
        """What has the focus: Back, or what is wrong."""

    @property
    def wizard(self) -> Wizard:
        """The application."""
        return cast("Wizard", self.app)

    def compose(self) -> ComposeResult:
        """The summary, or why there can be none, with a way to each page that is to blame."""
        wrong: list[tuple[str, int]] = []
        try:
            self._plan = self.wizard.draft.plan()
            target = preview.target_of(self._plan, self.wizard.session.hardware)
            lines = preview.lines(self._plan, target)
            # The first line and what is on the disk.
            end = 1 + len(preview.erased(target.disk))
            erased, rest = "\n".join(lines[:end]), "\n".join(lines[end:])
            text = Content.assemble((erased, "bold $error"), "\n\n", rest)
        except AnswersError as error:
            self._plan, text = (
                None,
                Content("Some answers are missing or wrong. Enter leads there:"),
            )
            wrong, self._first = self._wrong(error), "#wrong"
        except InstallerError as error:
            self._plan, text = None, Content(str(error))
            number = page_of(error.place)
            wrong = [(f"{number + 1}  {PAGES[number].title}", number)] if error.place else []
            self._first = "#wrong" if wrong else self._first
        yield Label("Summary", id="title")
        with VerticalScroll(id="body", can_focus=not wrong):
            yield Static(text, id="summary")
            if wrong:
                options = [Option(line, id=f"{place}-{n}") for n, (line, place) in enumerate(wrong)]
                yield OptionList(*options, id="wrong", markup=False)
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

    def _wrong(self, error: AnswersError) -> list[tuple[str, int]]:
        """What is wrong, page by page, in the pages' words, each with the place of its page."""
        draft = self.wizard.draft
        found = sorted(
            ((page_of(one.path), one) for one in error.problems), key=lambda pair: pair[0]
        )
        return [
            (f"{place + 1}  {PAGES[place].title}\n     {PAGES[place].told(one, draft)}", place)
            for place, one in found
        ]

    @on(OptionList.OptionSelected)
    def go(self, event: OptionList.OptionSelected) -> None:
        """Go to the page of what is wrong."""
        self.wizard.go_to(int(str(event.option.id).partition("-")[0]))

    def on_screen_resume(self) -> None:
        """Enter alone erases nothing, also when one comes back to this screen."""
        self.query(self._first).first().focus()

    @on(Button.Pressed, "#install")
    def install(self) -> None:
        """Begin."""
        if self._plan is not None:
            self.wizard.begin(self._plan)

    @on(Button.Pressed, "#back")
    def action_back(self) -> None:
        """Back to the pages."""
        self.wizard.pop_screen()
