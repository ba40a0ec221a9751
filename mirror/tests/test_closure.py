"""What packages need, as apt would choose."""

from __future__ import annotations

from typing import Any

import pytest

from pextra_mirror.closure import Index


def index(**packages: str) -> Index:
    """An index of packages, each with a text of its fields."""
    found: list[dict[str, Any]] = []
    for name, text in packages.items():
        fields = (item.split(": ") for item in text.split("; ") if item)
        found.append({"Package": name, **dict(fields)})
    return Index(found)


@pytest.mark.parametrize(("needs", "chosen"), [
    ("Depends: b", "ab"),
    ("Pre-Depends: b", "ab"),
    ("Recommends: b", "a"),
    ("Depends: b (>= 1:2~), c [amd64]", "abc"),
    ("Depends: nothing | b | c", "ab"),
    ("Depends: b | c", "ab"),
    ("Depends: b:any", "ab"),
    ("Depends: virtual", "ac"),
    ("Depends: virtual (= 3)", "ac"),
    ("Depends: nothing", "a"),
    ("Depends: a", "a"),
])  # fmt: skip
def test_the_first_alternative_that_there_is_is_taken(needs: str, chosen: str) -> None:
    found = index(a=needs, b="Provides: virtual; Priority: extra", c="Provides: x, virtual (= 3)")
    assert found.closure([("a",)], recommends=False) == set(chosen)


def test_recommendations_are_followed_if_wanted() -> None:
    found = index(a="Recommends: b", b="Recommends: c | d", d="")
    assert found.closure([("a",)], recommends=True) == {"a", "b", "d"}


def test_circles_end_and_a_root_may_be_an_alternative_or_provided() -> None:
    found = index(a="Depends: b; Provides: v", b="Depends: a", z="")
    assert found.closure([("nothing", "v"), ("none",)], recommends=False) == {"a", "b"}


def test_the_base_is_what_every_system_has() -> None:
    found = index(a="Priority: required", b="Priority: important", c="Priority: standard")
    assert found.base() == {"a", "b"}
