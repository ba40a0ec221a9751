"""One page of questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Select, Static

from pextra_installer import preview, strength
from pextra_installer.hardware.model import Disk
from pextra_installer.pages import (
    DISK,
    KEYBOARD,
    LICENSE_KEY,
    PAGES,
    PASSWORD,
    Kind,
    Question,
    drop_unused,
    license_note,
    take_over,
)

if TYPE_CHECKING:
    from pextra_installer.wizard.app import Wizard


LABEL = 15
"""Letters of a label that fit its column."""
CHOICE = 60
"""Letters of a choice that fit one line of the list."""
MATCHES = 6
"""Names of a long list that are shown while one is searched."""


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
        self._shown = False
        """Whether changes are the user's, and not the first values of the fields."""
        self._doubted = False

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
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._shown = True

    def _widget(self, question: Question) -> Input | Select[Any]:
        draft = self.wizard.draft
        name = f"q-{question.name}"
        if question.kind is not Kind.CHOICE or question.choices is None:
            names = [text for text, _value in question.choices(draft)] if question.choices else []
            return Input(
                question.shown(draft),
                placeholder=question.example,
                password=question.kind is Kind.SECRET,
                suggester=SuggestFromList(names, case_sensitive=False) if names else None,
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
        self.wizard.keep()

    def _note(self) -> None:
        """Tell what belongs to the present answers: a password's strength, a disk's contents."""
        text = self._matches()
        if PASSWORD in self.page.questions:
            typed = self.query_one(f"#q-{PASSWORD.name}", Input).value
            text = f"Strength: {strength.shown(typed)}" if typed else ""
        if DISK in self.page.questions:
            chosen = self.query_one(f"#q-{DISK.name}", Select).value
            if isinstance(chosen, Disk):
                text = "\n".join((f"{chosen}", "On it now:", *preview.erased(chosen)))
        if LICENSE_KEY in self.page.questions:
            text = license_note(self.query_one(f"#q-{LICENSE_KEY.name}", Input).value.strip())
        self.query_one("#note", Static).update(text)

    def _matches(self) -> str:
        """What the text of a searched answer is a part of, where it is no whole one."""
        for question in self.page.questions:
            if question.kind is not Kind.SEARCH:
                continue
            typed = self.query_one(f"#q-{question.name}", Input).value
            found = question.found(self.wizard.draft, typed) if typed.strip() else []
            if typed in found:
                continue
            if not found:
                return f"No {question.words.lower()} has this in its name." if typed.strip() else ""
            more = f" and {len(found) - MATCHES} more" if len(found) > MATCHES else ""
            end = ". Enter takes it." if len(found) == 1 else more
            return f"{question.words}: {', '.join(found[:MATCHES])}{end}"
        return ""

    @on(Input.Changed)
    @on(Select.Changed)
    def changed(self, event: Input.Changed | Select.Changed) -> None:
        """Show what follows from an answer; what was wrong with the one before is gone."""
        if not self.is_mounted or not self._shown:
            return
        self._told(())
        self._doubted = False
        if isinstance(event, Select.Changed):
            self._follow(event.select)
        self._note()

    def _follow(self, select: Select[Any]) -> None:
        """Do what a choice means at once: take a keyboard, fill in the addresses of now."""
        question = next(one for one in self.page.questions if f"q-{one.name}" == select.id)
        if question is KEYBOARD:
            self.wizard.take_keyboard(str(select.value))
        before = self.wizard.draft.get(question.path)
        self._take()
        if before != self.wizard.draft.get(question.path) and take_over(
            question, self.wizard.draft
        ):
            for one in self.page.questions:
                widget = self.query_one(f"#q-{one.name}")
                if isinstance(widget, Input):
                    widget.value = one.shown(self.wizard.draft)

    def action_answered(self) -> None:
        """Go on from a field to the next question; elsewhere Enter does what it does anyway."""
        if not isinstance(self.focused, Input):
            raise SkipAction
        for question in self.page.questions:
            if question.kind is Kind.SEARCH and self.focused.id == f"q-{question.name}":
                found = question.found(self.wizard.draft, self.focused.value)
                if len(found) > 1:
                    return
                self.focused.value = found[0] if found else self.focused.value
        self.focus_next()

    @on(Button.Pressed, "#next")
    def action_next(self) -> None:
        """Go on, if the answers are acceptable; once more, where there is a doubt about them."""
        self._take()
        draft = self.wizard.draft
        problems = [self.page.told(one, draft) for one in self.page.problems(draft)]
        if not problems and not self._doubted:
            doubts = self.page.doubts(draft)
            self._doubted = bool(doubts)
            problems = [f"{doubt}. Next once more takes it" for doubt in doubts]
        self._told(problems)
        if not problems:
            self.wizard.after_page(self.place)

    def _told(self, problems: Sequence[str]) -> None:
        self.query_one("#problems", Static).update("\n".join(problems))

    @on(Button.Pressed, "#back")
    def action_back(self) -> None:
        """Go back; what was typed is kept."""
        self._take()
        if self.place:
            self.wizard.pop_screen()
