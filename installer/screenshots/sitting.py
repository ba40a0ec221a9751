"""The wizard as the pictures show it: the real one, at a machine from a file.

Three things are not a server's. The hardware is recorded in tests/fixtures/machines/server.json;
the installation only tells how far it is, by the function that the executor tells it by, and
touches no disk; leaving does not restart the machine. The clock and the cursor stand still, so
that the same screen gives the same picture.
"""

from __future__ import annotations

import pathlib
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from unittest import mock

from textual import events
from textual.widgets import Input

from pextra_installer.execute.progress import NAMES, STEPS, Progress
from pextra_installer.execute.run import LOG, UnfinishedError
from pextra_installer.execute.variables import STATE, Image
from pextra_installer.hardware import model
from pextra_installer.plan import Plan
from pextra_installer.session import Session
from pextra_installer.wizard import app, ending

MACHINE = pathlib.Path(__file__).parent.parent / "tests/fixtures/machines/server.json"
RELEASES = ("fail", "finish")
"""Files that let the first installation fail, and the second one come to its end."""
REASON = (
    "the installation did not finish: Unpack the image: Read on filesystem failed because "
    "Input/output error"
)


class Sitting(app.Wizard):
    """The wizard with a cursor that does not blink."""

    CSS_PATH = str(pathlib.Path(app.__file__).with_name("wizard.tcss"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep the cursor on."""
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = False


def installation(folder: pathlib.Path) -> Callable[[Plan, Callable[[Progress], None]], None]:
    """What stands in for the executor: fails once, then gets as far as it is let."""
    releases = iter(RELEASES)

    def install(_plan: Plan, tell: Callable[[Progress], None]) -> None:
        place = NAMES.index("unpack")
        # As long as a server takes, and nearly half of the image unpacked.
        elapsed = float(sum(share for _name, _title, share in STEPS[:place]))
        tell(Progress(place, elapsed + 27, 27))
        release = next(releases)
        while not (folder / release).exists():
            time.sleep(0.02)
        if release == "fail":
            raise UnfinishedError(REASON, f"See {STATE / LOG}")

    return install


def main() -> None:
    """Run it on this terminal; the argument is a folder that the installation looks into."""
    folder = pathlib.Path(sys.argv[1])
    session = Session(model.read(MACHINE), Image(folder / "image", "0" * 64), folder)
    with mock.patch.object(ending, "time", SimpleNamespace(monotonic=lambda: 0.0)):
        Sitting(session, installation(folder), leave=lambda _when_done: None).run()


if __name__ == "__main__":
    main()
