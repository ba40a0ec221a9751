# SPDX-License-Identifier: Apache-2.0
"""A release has one version, wherever it is written down."""

from __future__ import annotations

import re

import pytest

from pextra_image.settings import ROOT
from pextra_image.tree import released_version

PLACES = {
    "pyproject.toml": r'^version = "(.+)"$',
    "installer/pyproject.toml": r'^version = "(.+)"$',
    "installer/pextra_installer/__init__.py": r'^__version__ = "(.+)"$',
    "ansible_collections/pextra/ce/galaxy.yml": r"^version: (.+)$",
    "pextra/__init__.py": r'^VERSION = "(.+)"$',
    "ansible_collections/pextra/ce/plugins/module_utils/edge.py": r'^VERSION = "(.+)"$',
}


@pytest.mark.parametrize("place", PLACES)
def test_it_is_that_of_the_debian_packages(place: str) -> None:
    found = re.findall(PLACES[place], (ROOT / place).read_text(), re.MULTILINE)
    assert found == [released_version((ROOT / "debian/changelog").read_text())]
