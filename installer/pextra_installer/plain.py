"""The wizard as prompts, line by line, for terminals that cannot draw.

An empty line keeps what is in brackets, ``<`` goes back a page, ``-`` empties an answer.
"""

from __future__ import annotations

import getpass
import pathlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pextra_installer import keyboard, outcome, preview, support
from pextra_installer.draft import Draft
from pextra_installer.execute.progress import STEPS, Progress
from pextra_installer.hardware.model import Disk
from pextra_installer.pages import (
    DISK,
    KEYBOARD,
    PAGES,
    Kind,
    Page,
    Question,
    drop_unused,
    take_over,
)
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError
from pextra_installer.session import Session, leave

UNFINISHED = 6
_KEYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""Ctrl+C, Ctrl+\\ and Ctrl+Z."""
Ask = Callable[[str], str]


class Back(Exception):
    """The user wants the page before."""


def run(session: Session, ask: Ask = input, ask_secret: Ask = getpass.getpass) -> int:
    """Ask everything, then install; returns the command's exit code."""
    draft = session.draft()
    print("Empty keeps what is in [brackets], < goes back a page, - empties an answer.")
    while True:
        _ask_pages(draft, session.state, ask, ask_secret)
        plan = _agreed(session, draft, ask)
        if plan is None:
            continue
        code = _install(session, plan, ask)
        if code is not None:
            return code


def tell(progress: Progress) -> None:
    """A line for a step that begins."""
    place = f"[{progress.place + 1}/{len(STEPS)}]"
    print(f"{place} {progress.title}, {progress.left}", flush=True)


def tell_end(session: Session, plan: Plan) -> None:
    """That it is done, and where the node will be."""
    print(f"{outcome.DONE}\n{session.outcome(plan)}", flush=True)


def _ask_pages(draft: Draft, state: pathlib.Path, ask: Ask, ask_secret: Ask) -> None:
    place = 0
    while place < len(PAGES):
        page = PAGES[place]
        print(f"\n{place + 1}/{len(PAGES)}  {page.title}\n{page.intro(draft)}")
        try:
            for question in page.questions:
                _ask(question, draft, ask, ask_secret)
        except Back:
            place = max(0, place - 1)
            continue
        place += 1 if _acceptable(page, draft, ask) else 0
        draft.save(state)


def _acceptable(page: Page, draft: Draft, ask: Ask) -> bool:
    drop_unused(draft)
    problems = page.problems(draft)
    for problem in problems:
        print(f"  ! {page.told(problem, draft)}")
    if problems:
        return False
    return all(
        ask(f"  ? {doubt}. Type yes to take it all the same: ") == "yes"
        for doubt in page.doubts(draft)
    )


def _ask(question: Question, draft: Draft, ask: Ask, ask_secret: Ask) -> None:
    if question.kind is Kind.CHOICE and question.choices is not None:
        _choose(question, question.choices(draft), draft, ask)
        return
    secret = question.kind is Kind.SECRET
    shown = question.shown(draft)
    present = ("(given)" if shown else "") if secret else shown
    hint = f" [{present}]" if present else f" ({question.example})" if question.example else ""
    typed = (ask_secret if secret else ask)(f"{question.label.strip()}{hint}: ")
    if typed == "<":
        raise Back
    if question.kind is Kind.SEARCH and typed and len(question.found(draft, typed)) > 1:
        print("\n".join(f"  {name}" for name in question.found(draft, typed)[:20]))
        _ask(question, draft, ask, ask_secret)
        return
    if typed:
        question.take(draft, "" if typed == "-" else typed)


def _choose(question: Question, choices: Sequence[tuple[str, Any]], draft: Draft, ask: Ask) -> None:
    for number, (text, value) in enumerate(choices, start=1):
        print(f"  {number}  {text}")
        if isinstance(value, Disk):
            print("\n".join(f"     {line}" for line in preview.erased(value)))
    present = draft.get(question.path)
    kept = next((text for text, value in choices if present and value == present), "")
    while True:
        typed = ask(f"{question.label.strip()}, number{f' [{kept}]' if kept else ''}: ").strip()
        if typed == "<":
            raise Back
        if not typed:
            return
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(choices):
            break
        print(f"  ! Give a number from 1 to {len(choices)}")
    value = choices[int(typed) - 1][1]
    if question is DISK:
        draft.choose_disk(value)
    else:
        draft.set(question.path, value)
    take_over(question, draft)
    if question is KEYBOARD:
        keyboard.take(value)


def _agreed(session: Session, draft: Draft, ask: Ask) -> Plan | None:
    """The plan, once the user has typed that the disk may be erased; None to go back."""
    try:
        plan = draft.plan()
        target = preview.target_of(plan, session.hardware)
    except InstallerError as error:
        print(f"\n{error}")
        return None
    print("\nSummary\n" + "\n".join(preview.lines(plan, target)))
    return plan if ask("Type erase to install, anything else to go back: ") == "erase" else None


def _install(session: Session, plan: Plan, ask: Ask) -> int | None:
    """Install; the exit code, or None to change the answers."""
    while True:
        try:
            with _undisturbed():
                session.install(plan, tell)
        except InstallerError as error:
            print(f"\n{error}")
        else:
            tell_end(session, plan)
            leave(plan.when_done)
            return 0
        chosen = _after_failure(session, plan, ask)
        if chosen != "retry":
            return None if chosen == "edit" else UNFINISHED


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no key of the terminal end what writes to a disk."""
    keys = {sign: signal.signal(sign, signal.SIG_IGN) for sign in _KEYS}
    try:
        yield
    finally:
        for sign, before in keys.items():
            signal.signal(sign, before)


def _after_failure(session: Session, plan: Plan, ask: Ask) -> str:
    """One of retry, edit and quit; shell and support archive lead back to the question."""
    while True:
        chosen = ask("retry, edit, shell, support or quit: ").strip()
        if chosen == "support":
            print(support.archive(session.state, session.hardware, plan))
        elif chosen == "shell":
            subprocess.run(["/bin/bash", "--login"], check=False)
        elif chosen in ("retry", "edit", "quit"):
            return chosen
