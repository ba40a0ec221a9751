"""What is asked, page by page, in the order of the user guide's chapter "Installation Steps"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pextra.licensing.errors import LicenseError
from pextra_installer import draft as answers
from pextra_installer import keyboard, licensing, strength
from pextra_installer.draft import Draft
from pextra_installer.fieldtypes import timezones
from pextra_installer.hardware.choice import unmet
from pextra_installer.hardware.model import Interface
from pextra_installer.network import BondMode, Method4, Method6
from pextra_installer.plan import WhenDone
from pextra_installer.problems import Path, Problem, ProblemKind


class Kind(Enum):
    """How a question is answered."""

    TEXT = "text"
    NUMBER = "number"
    WORDS = "words"
    SECRET = "typed unseen"  # noqa: S105
    CHOICE = "choice"
    SEARCH = "searched in a list"


Choices = Sequence[tuple[str, Any]]
"""What is shown and what it stands for."""


@dataclass(frozen=True, slots=True)
class Question:
    """One answer of the plan; ``choices`` are read from the machine.

    ``called`` is its name where the label alone would not say which one is meant.
    """

    path: Path
    label: str
    kind: Kind = Kind.TEXT
    choices: Callable[[Draft], Choices] | None = None
    example: str = ""
    called: str = ""

    @property
    def name(self) -> str:
        """A name for widgets."""
        return "-".join(str(part) for part in self.path).replace("_", "-")

    def shown(self, draft: Draft) -> str:
        """The present answer as the user would type it."""
        value = draft.get(self.path)
        if value is None:
            return ""
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)

    @property
    def words(self) -> str:
        """What it is called in a sentence."""
        return self.called or self.label.strip()

    def found(self, draft: Draft, typed: str) -> list[str]:
        """The choices that what was typed stands for: itself, or all that it is a part of."""
        wanted = typed.strip().replace(" ", "_").casefold()
        names = [text for text, _value in self.choices(draft)] if self.choices else []
        exact = [name for name in names if name.casefold() == wanted]
        return exact or [name for name in names if wanted in name.casefold()]

    def take(self, draft: Draft, typed: str) -> None:
        """Take what was typed; what is no number stays a text, which the plan then refuses."""
        text = typed if self.kind is Kind.SECRET else typed.strip()
        if self.kind is Kind.NUMBER and text.isascii() and text.isdigit():
            draft.set(self.path, int(text))
        elif self.kind is Kind.SEARCH:
            found = self.found(draft, text)
            draft.set(self.path, found[0] if len(found) == 1 else text)
        elif self.kind is Kind.WORDS:
            draft.set(self.path, text.replace(",", " ").split())
        else:
            draft.set(self.path, text)


@dataclass(frozen=True, slots=True)
class Page:
    """Questions that belong together."""

    title: str
    intro: Callable[[Draft], str]
    questions: tuple[Question, ...]

    def problems(self, draft: Draft) -> list[Problem]:
        """What is wrong with this page's answers."""
        return draft.problems(*(question.path for question in self.questions))

    def told(self, problem: Problem, draft: Draft) -> str:
        """A problem with an answer, in the page's own words."""
        around = [one for one in self.questions if one.path[: len(problem.path)] == problem.path]
        within = [one for one in self.questions if problem.path[: len(one.path)] == one.path]
        empty = [one for one in around if draft.get(one.path) is None]
        asked = next(iter((*within, *empty, *around)), None)
        subject = asked.words if asked else self.title
        if problem.kind is ProblemKind.MISSING or (empty and not within):
            return f"{subject}: an answer is needed"
        if problem.kind is ProblemKind.TYPE or problem.hint is None:
            return f"{subject}: {problem.message}"
        return f"{subject}: {problem.message}. {problem.hint}"

    def doubts(self, draft: Draft) -> list[str]:
        """What is acceptable here and is asked about once more."""
        password = draft.get(PASSWORD.path)
        if PASSWORD not in self.questions or not password or strength.of(password) > strength.WEAK:
            return []
        return [f"The password is {strength.word(password)}: it would soon be guessed"]


SHOWN_LINKS = 4
"""Lines about interfaces that leave room for the questions below them."""


def _links(draft: Draft) -> list[Interface]:
    """The interfaces, those first whose cable leads somewhere."""
    physical = [one for one in draft.hardware.interfaces if one.physical]
    return sorted(physical or draft.hardware.interfaces, key=lambda link: not link.link)


def _network_intro(draft: Draft) -> str:
    links = _links(draft)
    if not links:
        return "This machine shows no network interface: it cannot become a node."
    lines = [str(link) for link in links]
    if len(lines) > SHOWN_LINKS:
        rest = links[SHOWN_LINKS:]
        linked = len([link for link in rest if link.link])
        more = f"{linked} of them with a link" if linked else "none of them with a link"
        lines = [*lines[:SHOWN_LINKS], f"and {len(rest)} more, {more}: all are in the list"]
    return "\n".join(lines)


def _interfaces(draft: Draft) -> Choices:
    first = _links(draft)
    rest = [one for one in draft.hardware.interfaces if one not in first]
    return [("(a bond, below)", ""), *((_short(link), link.name) for link in (*first, *rest))]


def _short(link: Interface) -> str:
    """An interface for the list, where many are told apart by link and address."""
    return "  ".join((link.name, "link" if link.link else "NO LINK", *link.addresses[:1]))


def _values(kind: type[Enum]) -> Callable[[Draft], Choices]:
    return lambda _draft: [(str(one.value), one.value) for one in kind]


def _disks(draft: Draft) -> Choices:
    return [(str(disk), disk) for disk in draft.hardware.disks if disk.protected is None]


def _node_intro(draft: Draft) -> str:
    lines = [
        "The root organization owns the deployment; others can be added later.",
        "Etc/UTC is the recommended time zone.",
    ]
    missing = unmet(draft.hardware, ())
    if missing:
        lines += ["This machine is less than a node needs. To install all the same, name these"]
        lines += ["checks as ignored:", *(f"  {line}" for line in missing[:6])]
    return "\n".join(lines)


def _license_intro(draft: Draft) -> str:
    known = ", ".join(sorted(key.name for key in draft.medium.keys.values()))
    return (
        "Each node needs a licence key: a text that begins with PCE1.\n"
        "Without one the node makes an evaluation licence of 30 days for itself.\n"
        f"Signers that the medium brings: {known or 'none'}. Of another one that you trust, give\n"
        "the public key too: the line between the first and the last of its .pem file."
    )


def license_note(key: str) -> str:
    """What the licence key grants that was typed; nothing where there is none yet."""
    try:
        return f"This key: {licensing.described(key)}" if key else ""
    except LicenseError:
        return ""


def _zones(_draft: Draft) -> Choices:
    return [(zone, zone) for zone in sorted(timezones())]


def _keyboards(_draft: Draft) -> Choices:
    return [(f"{name} ({layout})", layout) for layout, name in keyboard.LAYOUTS.items()]


def _text(text: str) -> Callable[[Draft], str]:
    return lambda _draft: text


def _family(family: str, part: str, called: str, example: str) -> Question:
    return Question(("network", family, part), f"  {part}", example=example, called=called)


DISK = Question(("disk", "match"), "Boot disk", Kind.CHOICE, _disks)
LICENSE_KEY = Question(("license_key",), "Key", example="empty for an evaluation")
PASSWORD = Question(answers.PASSWORD, "Password", Kind.SECRET)
AGAIN = Question(answers.AGAIN, "Once more", Kind.SECRET, called="Password, once more")
KEYBOARD = Question(("keyboard",), "Keyboard", Kind.CHOICE, _keyboards)
TIMEZONE = Question(("timezone",), "Time zone", Kind.SEARCH, _zones, example="part of its name")
AGREEMENT = Question(
    ("agreement",),
    "I accept the licence agreement",
    Kind.CHOICE,
    lambda _draft: [("not yet", ""), ("accepted", "accepted")],
)

PAGES: tuple[Page, ...] = (
    Page(
        "Licence agreement",
        _text(
            "This installs Pextra CloudEnvironment on this machine.\n\n"
            "The collection pextra.ce is licensed under the GNU General Public License,\n"
            "version 3 or later, everything else under the Apache License 2.0. Both texts\n"
            "are on the medium and on the installed system in /usr/share/doc.\n"
            "The software comes WITHOUT ANY WARRANTY, to the extent that law permits."
        ),
        (AGREEMENT, KEYBOARD),
    ),
    Page(
        "Management network",
        _network_intro,
        (
            Question(("network", "interface"), "Interface", Kind.CHOICE, _interfaces),
            Question(("network", "bond", "interfaces"), "Bond of", Kind.WORDS, example="names"),
            Question(("network", "bond", "mode"), "Bond mode", Kind.CHOICE, _values(BondMode)),
            Question(("network", "vlan"), "VLAN", Kind.NUMBER, example="none"),
            Question(("network", "mtu"), "MTU", Kind.NUMBER, example="1500"),
            Question(("network", "ipv4", "method"), "IPv4", Kind.CHOICE, _values(Method4)),
            _family("ipv4", "address", "IPv4 address", "192.0.2.10/24"),
            _family("ipv4", "gateway", "IPv4 gateway", "192.0.2.1"),
            Question(("network", "ipv6", "method"), "IPv6", Kind.CHOICE, _values(Method6)),
            _family("ipv6", "address", "IPv6 address", "2001:db8::10/64"),
            _family("ipv6", "gateway", "IPv6 gateway", "fe80::1"),
            Question(("network", "dns", "servers"), "DNS servers", Kind.WORDS),
        ),
    ),
    Page(
        "Licence key",
        _license_intro,
        (
            LICENSE_KEY,
            Question(
                ("trusted_license_keys",),
                "Signer's key",
                Kind.WORDS,
                example="of a signer that the medium does not bring",
            ),
        ),
    ),
    Page(
        "Node and organization",
        _node_intro,
        (
            Question(("hostname",), "Host name", example="node1.example.com"),
            Question(("organization",), "Organization", example="Example"),
            TIMEZONE,
            Question(("ignore_checks",), "Ignored checks", Kind.WORDS, example="none"),
        ),
    ),
    Page(
        "Administrator",
        _text("The root user of the deployment. Linux's user root gets the same password."),
        (Question(("administrator", "username"), "User name"), PASSWORD, AGAIN),
    ),
    Page(
        "Boot disk",
        _text("EVERYTHING on this disk will be erased. The medium is never among them."),
        (
            DISK,
            Question(("when_done",), "At the end", Kind.CHOICE, _values(WhenDone)),
        ),
    ),
)


def drop_unused(draft: Draft) -> None:
    """Take away what other answers make meaningless, as an empty bond."""
    network = draft.data.get("network", {})
    if not draft.get(("network", "bond", "interfaces")):
        network.pop("bond", None)
    for name in ("ipv4", "ipv6", "dns"):
        if not network.get(name):
            network.pop(name, None)


_METHODS: dict[Path, str] = {("network", family, "method"): family for family in ("ipv4", "ipv6")}


def take_over(question: Question, draft: Draft) -> bool:
    """Where this answer wants static addresses, fill in those of now, else take them away again.

    Returns:
        Whether answers to other questions have changed.
    """
    family = _METHODS.get(question.path)
    if family is None:
        return False
    static = draft.get(question.path) == "static"
    return draft.take_over(family) if static else draft.give_back(family)


def page_of(path: Path) -> int:
    """The number of the page, from 0, that a place in the answers is on."""
    for number, page in enumerate(PAGES):
        for question in page.questions:
            shorter = min(len(path), len(question.path))
            if path[:shorter] == question.path[:shorter]:
                return number
    return 0
