"""What a node says of itself names only what is there."""

from __future__ import annotations

import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from pextra_installer import welcome
from pextra_installer.welcome import Places

MANUAL = pathlib.Path(__file__).parents[3] / "debian/pextra-ce.7"


def test_the_web_address_is_named_where_something_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert welcome.serves(port)
    assert not welcome.serves(port)


@pytest.mark.parametrize(
    ("address", "web", "shown"),
    [
        ("192.0.2.7", True, "SSH: ssh root@192.0.2.7\nWeb: https://192.0.2.7:5007/\n"),
        ("192.0.2.7", False, "SSH: ssh root@192.0.2.7\nWeb: nothing on port 5007\n"),
        ("2001:db8::7", True, "SSH: ssh root@2001:db8::7\nWeb: https://[2001:db8::7]:5007/\n"),
        (None, True, "No address yet: look at the network\n"),
    ],
)
def test_the_banner_names_what_answers(address: str | None, web: bool, shown: str) -> None:
    text = welcome.banner("node1", address, "is ready", web=web)
    assert text == f"\nPextra CloudEnvironment: node node1 is ready\n{shown}\n"


def test_what_agetty_would_take_for_an_escape_is_doubled() -> None:
    assert "\\\\d" in welcome.banner("n", None, "could not: \\d", web=False)


def test_whoever_logs_in_is_told_the_state_and_the_next_steps(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome, "serves", lambda: False)
    places = Places(tmp_path)
    places.refused.parent.mkdir(parents=True)
    places.refused.write_text("it expired\n")
    welcome.ready(places, "192.0.2.7")
    told = places.message.read_text()
    assert "is ready\nIts licence key was refused: it expired\nLog in as root" in told
    assert "https" not in told
    assert all(len(line) <= 100 for line in told.splitlines())


def test_the_next_steps_are_commands_and_files_that_a_node_has() -> None:
    from pextra.calls import registry

    calls = re.findall(r"pextra call (\w+)", welcome.NEXT_STEPS + MANUAL.read_text())
    assert len(calls) >= 4
    for name in calls:
        registry.find(name)
    for name in ("pextra reconcile --check", "pextra-installer license", "pextra.ce.site"):
        assert name in welcome.NEXT_STEPS
    packages = (MANUAL.parents[1] / "image/packages.list").read_text().split()
    assert {"man pextra-ce" in welcome.NEXT_STEPS, "man-db" in packages} == {True}


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man-db")
def test_the_manual_page_can_be_read() -> None:
    argv = ["man", "--warnings", "--encoding=utf8", "--local-file", str(MANUAL)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"MANWIDTH": "80"})
    assert done.stderr == ""
    for heading in ("NAME", "NEXT STEPS", "FILES", "SEE ALSO"):
        assert f"\n{heading}\n" in done.stdout
