# SPDX-License-Identifier: Apache-2.0
"""Steps are made once for the same inputs, and never seen half done."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import pytest

from pextra_image.steps import KEPT, Screen, Steps, alone


def steps(root: Path) -> Steps:
    return Steps(root, Screen(io.StringIO()))


def test_a_step_is_made_again_only_when_its_inputs_change(tmp_path: Path) -> None:
    made: list[str] = []

    def make(folder: Path) -> None:
        made.append(folder.name)
        (folder / "result").write_text(str(len(made)))

    run = steps(tmp_path)
    first = run.result("root", {"lock": "1"}, make)
    assert run.result("root", {"lock": "1"}, make) == first
    second = run.result("root", {"lock": "2"}, make)
    assert (first / "result").read_text() == "1"
    assert (second / "result").read_text() == "2"
    assert (run.made, run.reused) == (["root", "root"], ["root"])


def test_two_runs_do_not_work_in_one_folder(tmp_path: Path) -> None:
    said, began, ended = io.StringIO(), threading.Event(), []

    def second() -> None:
        began.set()
        with alone(tmp_path, Screen(said)):
            ended.append("second")

    other = threading.Thread(target=second)
    with alone(tmp_path, Screen(io.StringIO())):
        other.start()
        began.wait()
        while not said.getvalue():
            time.sleep(0.01)
        ended.append("first")
    other.join()
    assert ended == ["first", "second"]
    assert "waiting" in said.getvalue()


def test_an_interrupted_step_is_made_again_from_an_empty_folder(tmp_path: Path) -> None:
    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps(tmp_path).result("root", {"lock": "1"}, broken)
    folder = steps(tmp_path).result("root", {"lock": "1"}, lambda f: (f / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]


def test_inputs_that_only_look_alike_are_told_apart(tmp_path: Path) -> None:
    run = steps(tmp_path)
    folders = {
        run.result("s", {"a": "1", "b": "2"}, lambda f: None),
        run.result("s", {"a": "1b=2"}, lambda f: None),
    }
    assert len(folders) == 2


def test_results_that_were_not_used_for_long_are_removed(tmp_path: Path) -> None:
    run = steps(tmp_path)
    for number in range(KEPT + 3):
        run.result("s", {"n": str(number)}, lambda f: None)
    assert len(list((tmp_path / "s").iterdir())) == KEPT


def test_what_failed_does_not_count_among_the_results_that_are_kept(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise KeyboardInterrupt

    run = steps(tmp_path)
    first = run.result("s", {"n": "1"}, lambda f: None)
    with pytest.raises(KeyboardInterrupt):
        run.result("s", {"n": "2"}, fail)
    second = run.result("s", {"n": "3"}, lambda f: None)
    assert set((tmp_path / "s").iterdir()) == {first, second}
