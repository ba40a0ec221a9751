"""The plain prompts: the same pages and the same plan, line by line."""

from __future__ import annotations

import dataclasses
import pathlib
import signal
from collections.abc import Callable, Sequence

import pytest

from pextra_installer import plain
from pextra_installer.answers import files
from pextra_installer.execute.progress import Progress
from pextra_installer.execute.variables import Image
from pextra_installer.hardware.model import Hardware
from pextra_installer.keyboard import LAYOUTS
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError
from pextra_installer.session import Session

from .test_hardware import MACHINE

NETWORK = [""] * 12
BEFORE_DISK = ["2", "", *NETWORK, "", "", "node1", "Example", "", "", ""]


def play(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: list[str],
    failures: int = 0,
    passwords: Sequence[str] = (),
    machine: Hardware = MACHINE,
) -> tuple[int, list[Plan]]:
    """Answer with lines; the installation itself fails so often, then is done."""
    begun: list[Plan] = []
    left = iter(lines)

    def install(_self: Session, plan: Plan, tell: Callable[[Progress], None]) -> None:
        begun.append(plan)
        tell(Progress())
        if len(begun) <= failures:
            raise InstallerError("the disk went away")

    monkeypatch.setattr(Session, "install", install)
    session = Session(machine, Image(tmp_path / "image", "0" * 64), tmp_path)
    unseen = iter(passwords)
    code = plain.run(
        session, lambda _prompt: next(left), lambda _prompt: next(unseen, "correct horse battery")
    )
    assert next(left, None) is None, "not every line was asked for"
    return code, begun


def test_lines_lead_to_the_plan(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, begun = play(tmp_path, monkeypatch, [*BEFORE_DISK, "2", "1", "erase"])
    assert code == 0
    assert begun[0].disk.match[0].by_id == "ata-Samsung_SSD_870_EVO_500GB_S62ANJ0R100001"
    assert begun[0].network.interface == "enp1s0"
    assert begun[0].when_done.value == "stay"
    text = files.render(begun[0], files.Format.YAML).encode()
    assert files.parse(text, files.Format.YAML, "saved") == begun[0]


def test_back_and_wrong_answers_ask_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "1", "", "9", "2", "<", "2", "", *NETWORK, "PCE1.x", "", "-", "",
        "node 1", "Example", "", "",
        "node1", "", "", "", "", "2", "1", "no", "",
    ]  # fmt: skip
    again = ["", *NETWORK, "", "", "", "", "", "", "", "", "", "erase"]
    code, begun = play(tmp_path, monkeypatch, [*lines, *again])
    shown = capsys.readouterr().out
    assert (code, len(begun)) == (0, 1)
    assert "! I accept the licence agreement: an answer is needed" in shown
    assert "Give a number from 1 to 2" in shown
    assert "! Key: this is not a licence key" in shown
    assert "! Host name: 'node 1' is not a host name" in shown


def test_after_a_failure_one_can_retry_or_quit_with_an_error(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*BEFORE_DISK, "2", "1", "erase"]
    assert play(tmp_path, monkeypatch, [*lines, "retry"], 1)[0] == 0
    code, begun = play(tmp_path, monkeypatch, [*lines, "retry", "support", "quit"], 9)
    assert (code, len(begun)) == (6, 2)
    assert (tmp_path / "pextra-support.tar.gz").is_file()


def test_a_password_is_typed_twice_and_a_weak_one_asked_about(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*BEFORE_DISK, "", "no", "", "yes", "2", "1", "erase"]
    typed = ["correct horse", "correct house", *["password"] * 4]
    code, begun = play(tmp_path, monkeypatch, lines, passwords=typed)
    shown = capsys.readouterr().out
    assert code == 0
    assert begun[0].administrator.password == "password"
    assert "! Password, once more: it is not the same password" in shown


def test_a_time_zone_is_found_by_a_part_of_its_name_and_static_takes_what_dhcp_gave(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["", "", "", "", "", "2", *[""] * 6]
    lines = ["2", "32", *network, "", "", "node1", "Example", "ber", "berlin", "", ""]
    (link, *rest) = MACHINE.interfaces
    given = dataclasses.replace(link, addresses=("192.0.2.57/24",), gateways=("192.0.2.1",))
    machine = dataclasses.replace(MACHINE, interfaces=(given, *rest))
    _code, begun = play(tmp_path, monkeypatch, [*lines, "2", "1", "erase"], machine=machine)
    assert begun[0].timezone == "Europe/Berlin"
    assert "  Europe/Berlin\n" in capsys.readouterr().out
    assert begun[0].keyboard == list(LAYOUTS)[31]
    ipv4 = begun[0].network.ipv4
    assert (ipv4.address, ipv4.gateway) == ("192.0.2.57/24", "192.0.2.1")


def test_ctrl_c_ends_nothing_while_a_disk_is_written_and_answers_are_kept(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(_self: Session, _plan: Plan, _tell: Callable[[Progress], None]) -> None:
        signal.raise_signal(signal.SIGINT)
        (tmp_path / "written").touch()

    monkeypatch.setattr(Session, "install", install)
    left = iter([*BEFORE_DISK, "2", "1", "erase"])
    session = Session(MACHINE, Image(tmp_path / "image", "0" * 64), tmp_path)
    # Whoever runs the tests in the background may have it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        plain.run(session, lambda _prompt: next(left), lambda _prompt: "correct horse battery")
        assert (tmp_path / "written").exists()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert session.draft().get(("hostname",)) == "node1"
