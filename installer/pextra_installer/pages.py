"""What is asked, page by page, in the order of the user guide's chapter "Installation Steps"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pextra.licensing.errors import LicenseError
from pextra_installer import licensing
from pextra_installer.draft import Draft
from pextra_installer.hardware.choice import unmet
from pextra_installer.hardware.model import Interface
from pextra_installer.network import BondMode, Method4, Method6
from pextra_installer.plan import WhenDone
from pextra_installer.problems import Path, Problem


class Kind(Enum):
    """How a question is answered."""

    TEXT = "text"
    NUMBER = "number"
    WORDS = "words"
    SECRET = "typed unseen"  # noqa: S105
    CHOICE = "choice"


Choices = Sequence[tuple[str, Any]]
"""What is shown and what it stands for."""


@dataclass(frozen=True, slots=True)
class Question:
    """One answer of the plan; ``choices`` are read from the machine."""

    path: Path
    label: str
    kind: Kind = Kind.TEXT
    choices: Callable[[Draft], Choices] | None = None
    example: str = ""

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

    def take(self, draft: Draft, typed: str) -> None:
        """Take what was typed; what is no number stays a text, which the plan then refuses."""
        text = typed if self.kind is Kind.SECRET else typed.strip()
        if self.kind is Kind.NUMBER and text.isascii() and text.isdigit():
            draft.set(self.path, int(text))
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


def link_line(link: Interface) -> str:
    """An interface, its link and the address that it got from DHCP."""
    state = "link" if link.link else "NO LINK"
    return "  ".join((link.name, link.mac, state, *link.addresses))


def _network_intro(draft: Draft) -> str:
    links = [one for one in draft.hardware.interfaces if one.physical]
    links = links or list(draft.hardware.interfaces)
    if not links:
        return "This machine shows no network interface: it cannot become a node."
    return "\n".join(link_line(link) for link in links[:4])


def _interfaces(draft: Draft) -> Choices:
    names = [link.name for link in draft.hardware.interfaces]
    return [("(a bond, below)", ""), *((name, name) for name in names)]


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


def license_note(draft: Draft) -> str:
    """What the licence key grants that was typed; nothing where there is none yet."""
    key = draft.get(("license_key",))
    try:
        return f"This key: {licensing.described(key)}" if key else ""
    except LicenseError:
        return ""


def _text(text: str) -> Callable[[Draft], str]:
    return lambda _draft: text


DISK = Question(("disk", "match"), "Boot disk", Kind.CHOICE, _disks)
PASSWORD = Question(("administrator", "password"), "Password", Kind.SECRET)
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
            "The collection pextra.ce is licensed under the GNU General Public License,\n"
            "version 3 or later, everything else under the Apache License 2.0. Both texts\n"
            "are on the medium and on the installed system in /usr/share/doc.\n"
            "The software comes WITHOUT ANY WARRANTY, to the extent that law permits."
        ),
        (AGREEMENT,),
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
            Question(("network", "ipv4", "address"), "  address", example="192.0.2.10/24"),
            Question(("network", "ipv4", "gateway"), "  gateway", example="192.0.2.1"),
            Question(("network", "ipv6", "method"), "IPv6", Kind.CHOICE, _values(Method6)),
            Question(("network", "ipv6", "address"), "  address", example="2001:db8::10/64"),
            Question(("network", "ipv6", "gateway"), "  gateway", example="fe80::1"),
            Question(("network", "dns", "servers"), "DNS servers", Kind.WORDS),
        ),
    ),
    Page(
        "Licence key",
        _license_intro,
        (
            Question(("license_key",), "Key", example="empty for an evaluation"),
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
            Question(("timezone",), "Time zone"),
            Question(("ignore_checks",), "Ignored checks", Kind.WORDS, example="none"),
        ),
    ),
    Page(
        "Administrator",
        _text("The root user of the deployment. Linux's user root gets the same password."),
        (Question(("administrator", "username"), "User name"), PASSWORD),
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


_SCORES = ("very weak", "weak", "fair", "good", "strong")


def strength(password: str) -> str:
    """How hard a password is to guess, in words."""
    import zxcvbn

    if not password:
        return ""
    score = zxcvbn.zxcvbn(password[:100])["score"]
    return f"{_SCORES[score]} ({'#' * (score + 1)}{'.' * (4 - score)})"
