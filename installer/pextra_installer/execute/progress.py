"""Where an installation is, and how long it will still take. Pure but for the clock's value."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEPS: tuple[tuple[str, str, float], ...] = (
    ("check", "Checking the image", 4),
    ("disk", "Partitioning the disk", 6),
    ("mount", "Mounting it", 1),
    ("unpack", "Unpacking the system", 60),
    ("identity", "Making the system this node's own", 6),
    ("network", "Configuring the network", 4),
    ("first_boot", "Preparing the first boot", 30),
    ("bootloader", "Installing the bootloader", 15),
    ("finish", "Finishing", 3),
)
"""Name, title and usual share of the time of each step; the names are the role's files."""
NAMES = tuple(name for name, _title, _share in STEPS)
_TOTAL = sum(share for _name, _title, share in STEPS)


@dataclass(frozen=True, slots=True)
class Progress:
    """The running step, by its place in `STEPS`, and seconds since the beginning and in it."""

    place: int = 0
    elapsed: float = 0.0
    in_step: float = 0.0

    @property
    def title(self) -> str:
        """What is being done."""
        return STEPS[self.place][1]

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1; a step that takes longer than usual never passes it."""
        share = STEPS[self.place][2]
        return (_before(self.place) + min(self.in_step / self._pace, share * 0.95)) / _TOTAL

    @property
    def seconds_left(self) -> int:
        """An estimate, from the usual shares and the pace of the steps so far."""
        return round((1 - self.fraction) * _TOTAL * self._pace)

    @property
    def left(self) -> str:
        """The same for people."""
        return for_people(self.seconds_left)

    @property
    def _pace(self) -> float:
        """Seconds for one unit of the shares: at first the usual one, then as the steps took."""
        before = _before(self.place)
        return (_TOTAL / 10 + self.elapsed - self.in_step) / (_TOTAL / 10 + before)


def _before(place: int) -> float:
    return sum(share for _name, _title, share in STEPS[:place])


def for_people(seconds: int) -> str:
    """An estimate of seconds, no finer than it is known.

    >>> for_people(700), for_people(42), for_people(0)
    ('about 12 min left', 'about 50 s left', 'about 10 s left')
    """
    if seconds > 90:
        return f"about {round(seconds / 60)} min left"
    return f"about {max(math.ceil(seconds / 10), 1) * 10} s left"
