"""A node whose licence key was refused asks root for another one."""

from __future__ import annotations

import pathlib
import socket
import stat
from collections.abc import Mapping
from typing import Any

import pytest

from pextra.calls import registry
from pextra.calls.call import Procedure
from pextra.licensing import token
from pextra.licensing.trust import TrustStore
from pextra_installer import first_boot, license_prompt
from pextra_installer.welcome import Places

from .signers import NOW, signer

SELLER, OTHER = signer(), signer("other")


class Node:
    """A node that checks keys as the engine does, and keeps the one that it takes."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.places = Places(folder)
        self.trusted, self.banner = self.places.trusted, self.places.banner
        self.refused = self.places.refused
        self.refused.parent.mkdir(parents=True)
        self.refused.write_text("the licence expired\n")
        self.key = ""
        self.edition = "evaluation"

    def call(self, procedure: Procedure, given: Mapping[str, Any], _by: object) -> Any:
        if procedure.name == "node_license_info":
            assert given == {"node": socket.gethostname()}
            return {"node_licenses": [{"edition": self.edition}]}
        assert procedure.name == "node_license"
        token.verify(given["key"], TrustStore.load(self.trusted), NOW)
        self.key = given["key"]
        return {"changed": True}

    def type(self, *lines: str) -> None:
        """Answer what is asked, all of it."""
        left = iter(lines)
        license_prompt.run(lambda _prompt: next(left), self.places)
        assert next(left, None) is None


@pytest.fixture
def node(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    made = Node(tmp_path)
    monkeypatch.setattr(registry, "call", made.call)
    monkeypatch.setattr(first_boot, "address", lambda: "192.0.2.7")
    return made


def test_why_the_first_one_was_refused_is_shown_and_nothing_typed_is_later(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    node.type("")
    said = capsys.readouterr().out
    assert "was refused: the licence expired" in said
    assert "Later: pextra-installer license" in said
    assert node.refused.exists()


def test_nothing_is_asked_once_a_key_was_set_by_other_means(node: Node) -> None:
    node.edition = "standard"
    node.type()
    assert not node.refused.exists()
    assert "refused" not in node.banner.read_text()


def test_a_key_that_is_good_is_set_and_the_console_says_so(node: Node) -> None:
    node.trusted.mkdir()
    (node.trusted / "seller.pem").write_text(SELLER.pem)
    node.type("PCE1.nonsense", SELLER.sign(-9, -2), f"  {SELLER.sign()} ")
    assert node.key.startswith("PCE1.")
    assert not node.refused.exists()
    shown = node.banner.read_text()
    assert "is ready" in shown
    assert "refused" not in shown


def test_a_signer_that_is_not_trusted_can_be_and_only_if_root_says_so(node: Node) -> None:
    key = SELLER.sign()
    node.type(key, "", key, "no key", key, OTHER.line, key, SELLER.line, key)
    assert node.key == key
    names = {path.stem for path in node.trusted.iterdir()}
    assert names == {*SELLER.store.keys, *OTHER.store.keys}
    assert {stat.S_IMODE(path.stat().st_mode) for path in node.trusted.iterdir()} == {0o644}
