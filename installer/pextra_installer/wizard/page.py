"""One page of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input, Label, Select, Static

from pextra_installer import preview
from pextra_installer.hardware.model import Disk
from pextra_installer.pages import DISK, PAGES, PASSWORD, Kind, Question, drop_unused, strength
from pextra_installer.problems import path_text

if TYPE_CHECKING:
    from pextra_installer.wizard.app import Wizard


LABEL = 15
"""Letters of a label that fit its column."""
CHOICE = 60
"""Letters of a choice that fit one line of the list."""


def _broken(text: str) -> str:
    """A choice in two lines if it is too long for one: the serial number is never torn off."""
    head, mark, serial = text.rpartition("  serial ")
    return f"{head}\n{mark}{serial}" if mark and len(text) > CHOICE else text


class PageScreen(Screen[None]):
    """The questions of one page, one line each, so that the longest fits 80x24."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("ctrl+n", "next", "Next"),
        # At once: keys that follow in a burst are already for the other question.
        Binding("enter", "answered", "Next question", priority=True),
        Binding("tab", "app.focus_next", "Next question", priority=True),
        Binding("shift+tab", "app.focus_previous", "Question before", priority=True),
    ]

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place
        self.page = PAGES[place]

    @property
    def wizard(self) -> Wizard:
        """The application."""
        return cast("Wizard", self.app)

    def compose(self) -> ComposeResult:
        """Title, what to know, the questions, what is wrong, and the way on."""
        yield Label(f"{self.place + 1}/{len(PAGES) + 1}  {self.page.title}", id="title")
        with VerticalScroll(id="body", can_focus=False):
            yield Static(self.page.intro(self.wizard.draft), id="intro", markup=False)
            for question in self.page.questions:
                with Horizontal(classes="row"):
                    long = len(question.label) > LABEL
                    yield Label(question.label, classes="long" if long else "label")
                    yield self._widget(question)
            yield Static("", id="note", markup=False)
        with Vertical(id="foot"):
            yield Static("", id="problems", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Back", id="back", compact=True, disabled=self.place == 0)
                yield Button("Next", id="next", compact=True, variant="primary")
                yield Label("Tab moves, Enter chooses, Esc back, Ctrl+N next", id="keys")

    def on_mount(self) -> None:
        """Begin at the first question."""
        self.query(".answer").first().focus()
        self._note()

    def _widget(self, question: Question) -> Input | Select[Any]:
        draft = self.wizard.draft
        name = f"q-{question.name}"
        if question.kind is not Kind.CHOICE or question.choices is None:
            return Input(
                question.shown(draft),
                placeholder=question.example,
                password=question.kind is Kind.SECRET,
                id=name,
                classes="answer",
                compact=True,
            )
        choices = list(question.choices(draft))
        value: Any = draft.get(question.path)
        if question is DISK:
            value = next((disk for _text, disk in choices if self._chosen(disk)), None)
        values = [one for _text, one in choices]
        if value not in values:
            value = values[0] if values and question is not DISK else Select.NULL
        return Select(
            [(_broken(text), one) for text, one in choices],
            value=value,
            allow_blank=question is DISK,
            prompt="choose a disk",
            id=name,
            classes="answer",
            compact=True,
        )

    def _chosen(self, disk: Disk) -> bool:
        before = self.wizard.draft.data["disk"]
        self.wizard.draft.choose_disk(disk)
        same = bool(self.wizard.draft.data["disk"] == before)
        self.wizard.draft.data["disk"] = before
        return same

    def _take(self) -> None:
        """Bring what is on the screen into the draft."""
        draft = self.wizard.draft
        for question in self.page.questions:
            widget = self.query_one(f"#q-{question.name}")
            if isinstance(widget, Input):
                question.take(draft, widget.value)
            elif isinstance(widget, Select):
                value = None if widget.is_blank() else widget.value
                if question is not DISK:
                    draft.set(question.path, value)
                elif isinstance(value, Disk):
                    draft.choose_disk(value)
        drop_unused(draft)

    def _note(self) -> None:
        """Tell what belongs to the present answers: a password's strength, a disk's contents."""
        text = ""
        if PASSWORD in self.page.questions:
            typed = self.query_one(f"#q-{PASSWORD.name}", Input).value
            text = f"Strength: {strength(typed)}" if typed else ""
        if DISK in self.page.questions:
            chosen = self.query_one(f"#q-{DISK.name}", Select).value
            if isinstance(chosen, Disk):
                text = "\n".join((f"{chosen}", "On it now:", *preview.erased(chosen)))
        self.query_one("#note", Static).update(text)

    @on(Input.Changed)
    @on(Select.Changed)
    def changed(self) -> None:
        """Show what follows from an answer."""
        self._note()

    def action_answered(self) -> None:
        """Go on from a field to the next question; elsewhere Enter does what it does anyway."""
        if not isinstance(self.focused, Input):
            raise SkipAction
        self.focus_next()

    @on(Button.Pressed, "#next")
    def action_next(self) -> None:
        """Go on, if the answers are acceptable."""
        self._take()
        problems = self.page.problems(self.wizard.draft)
        shown = [
            f"{path_text(one.path)}: {one.message}" + (f". {one.hint}" if one.hint else "")
            for one in problems
        ]
        self.query_one("#problems", Static).update("\n".join(shown[:3]))
        if not problems:
            self.wizard.after_page(self.place)

    @on(Button.Pressed, "#back")
    def action_back(self) -> None:
        """Go back; what was typed is kept."""
        self._take()
        if self.place:
            self.wizard.pop_screen()
