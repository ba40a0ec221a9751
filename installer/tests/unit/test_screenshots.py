"""The pictures of the wizard in its documentation: all of them, and no older than the wizard."""

from __future__ import annotations

import pathlib
import re

import pytest

from pextra_installer.hardware import model
from pextra_installer.pages import PAGES
from screenshots import gallery, picture, tour
from screenshots.sitting import MACHINE

GUIDE = gallery.FOLDER.parent / "wizard.md"
README = pathlib.Path(__file__).parents[3] / "README.md"
ENDS = (
    "Summary",
    "Installing",
    "The installation is done",
    "The installation did not finish",
)


def titles() -> list[str]:
    """The first line of every picture."""
    texts = [picture.text_of(gallery.FOLDER / f"{name}.png") for name in tour.PICTURES]
    return [text.partition("\n")[0].strip() for text in texts]


def test_every_screen_of_the_wizard_has_a_picture() -> None:
    pages = [f"{place}/{len(PAGES) + 1}  {page.title}" for place, page in enumerate(PAGES, 1)]
    assert {*pages, *ENDS} == set(titles())


def test_the_guide_shows_every_picture_once() -> None:
    shown = re.findall(r"!\[.+\]\(screens/(.+)\.png\)", GUIDE.read_text("utf-8"))
    there = [path.stem for path in gallery.FOLDER.iterdir()]
    assert sorted(shown) == sorted(there) == list(tour.PICTURES)


def test_the_readme_leads_to_the_guide() -> None:
    assert "(installer/docs/wizard.md)" in README.read_text("utf-8")


@pytest.mark.parametrize("name", tour.PICTURES)
def test_a_picture_is_a_small_png(name: str) -> None:
    data = (gallery.FOLDER / f"{name}.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    assert len(data) < 30_000


def test_the_machine_of_the_pictures_has_disks_to_choose_from_and_the_medium() -> None:
    disks = model.read(MACHINE).disks
    assert len([disk for disk in disks if disk.protected is None]) > 1
    assert any(disk.protected for disk in disks)


def test_the_pictures_show_what_the_wizard_shows_now() -> None:
    found = gallery.differences()
    assert not found, "\n".join([*found, "Take the pictures anew: make screenshots"])
