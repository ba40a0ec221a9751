# SPDX-License-Identifier: Apache-2.0
"""The evaluation licence that a node makes for itself: once, privately, and resumable."""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pextra.licensing import evaluation
from pextra.licensing.errors import (
    EvaluationUsedError,
    LicenseError,
    LicenseMalformedError,
    LicenseNotYetValidError,
    SigningKeyError,
)
from pextra.licensing.evaluation import Evaluation, ensure_evaluation, find_evaluation
from pextra.licensing.files import write_new
from pextra.licensing.token import Edition, verify
from pextra.licensing.trust import TrustStore
from pextra.model.errors import HostError, InputError

from .conftest import Signer

DAY = dt.timedelta(days=1)


class Node:
    """The two directories of a node."""

    def __init__(self, root: Path) -> None:
        self.state = root / "lib" / "license"
        self.trusted = root / "etc" / "license-keys.d"
        self.private = self.state / "evaluation.key"
        self.license = self.state / "evaluation.license"
        self.public = self.trusted / "evaluation.pem"

    def ensure(self, now: dt.datetime) -> Evaluation:
        return ensure_evaluation(now, self.state, self.trusted)

    def find(self, now: dt.datetime) -> Evaluation | None:
        return find_evaluation(now, self.state, self.trusted)

    def contents(self) -> dict[str, tuple[bytes, int, int]]:
        files = (path for place in (self.state, self.trusted) for path in place.iterdir())
        return {
            str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
            for path in files
        }


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_it_makes_a_licence_of_30_days_that_the_node_trusts(node: Node, now: dt.datetime) -> None:
    made = node.ensure(now)
    assert made.changed
    license = verify(made.key, TrustStore.load(node.trusted), now)
    assert license == made.license
    assert license.edition is Edition.EVALUATION
    assert license.expires_at - license.not_before == 30 * DAY


def test_its_secrets_are_readable_by_the_owner_alone(node: Node, now: dt.datetime) -> None:
    old = os.umask(0)
    try:
        node.ensure(now)
    finally:
        os.umask(old)
    modes = [path.stat().st_mode & 0o7777 for path in (node.state, node.private, node.license)]
    assert modes == [0o700, 0o600, 0o600]
    assert node.trusted.stat().st_mode & 0o7777 == 0o755
    assert node.public.stat().st_mode & 0o7777 == 0o644
    assert b"PRIVATE" not in node.public.read_bytes()
    assert sorted(path.name for path in node.state.iterdir()) == [
        "evaluation.key", "evaluation.license",
    ]  # fmt: skip


def test_the_second_run_returns_the_same_licence_and_touches_nothing(
    node: Node, now: dt.datetime
) -> None:
    first = node.ensure(now)
    before = node.contents()
    second = node.ensure(now + 29 * DAY)
    assert (second.key, second.changed) == (first.key, False)
    assert node.contents() == before


def test_looking_writes_nothing(node: Node, now: dt.datetime, tmp_path: Path) -> None:
    assert node.find(now) is None
    assert list(tmp_path.iterdir()) == []
    made = node.ensure(now)
    before = node.contents()
    assert node.find(now) == Evaluation(made.key, made.license, changed=False)
    assert node.contents() == before


def test_an_expired_evaluation_is_not_made_again(node: Node, now: dt.datetime) -> None:
    node.ensure(now)
    before = node.contents()
    for ask in (node.ensure, node.find):
        with pytest.raises(EvaluationUsedError, match=r"expired .* Set a licence key") as caught:
            ask(now + 30 * DAY)
        assert caught.value.code == "license_evaluation_used"
    assert node.contents() == before


@pytest.mark.parametrize("failing", ["evaluation.key", "evaluation.pem", "evaluation.license"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_cut_off_at_any_file_is_finished_by_the_next(
    node: Node, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, failing: str, when: str
) -> None:
    real = write_new

    def cut_off(path: Path, data: bytes, mode: int) -> None:
        if path.name != failing or when == "after":
            real(path, data, mode)
        if path.name == failing:
            raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "write_new", cut_off)
    with pytest.raises(KeyboardInterrupt):
        node.ensure(now)
    private = node.private.read_bytes() if node.private.exists() else None
    monkeypatch.undo()
    finished = node.ensure(now + DAY)
    assert verify(finished.key, TrustStore.load(node.trusted), now + DAY)
    assert private in (None, node.private.read_bytes())
    assert node.ensure(now + DAY) == Evaluation(finished.key, finished.license, changed=False)


def test_a_lost_public_key_and_open_modes_are_repaired(node: Node, now: dt.datetime) -> None:
    key = node.ensure(now).key
    node.public.unlink()
    node.private.chmod(0o644)
    found = node.find(now)
    assert found is not None
    assert found.changed
    again = node.ensure(now)
    assert (again.key, again.changed) == (key, True)
    assert node.private.stat().st_mode & 0o7777 == 0o600
    assert verify(key, TrustStore.load(node.trusted), now)
    assert not node.ensure(now).changed


def test_many_at_once_agree_on_one_licence(node: Node, now: dt.datetime) -> None:
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda _: node.ensure(now), range(50)))
    assert len({result.key for result in results}) == 1
    assert sum(result.changed for result in results) == 1


def test_a_lost_private_key_does_not_take_the_licence_away(node: Node, now: dt.datetime) -> None:
    key = node.ensure(now).key
    node.private.unlink()
    assert node.ensure(now).key == key


def test_without_the_licence_and_private_key_a_second_evaluation_is_refused(
    node: Node, now: dt.datetime
) -> None:
    node.ensure(now)
    node.private.unlink()
    node.license.unlink()
    with pytest.raises(EvaluationUsedError, match="its private key"):
        node.ensure(now)


def test_a_licence_without_any_key_is_refused(node: Node, now: dt.datetime) -> None:
    node.ensure(now)
    node.private.unlink()
    node.public.unlink()
    with pytest.raises(LicenseError, match="keys that it was signed with are gone"):
        node.ensure(now)


def test_a_public_key_of_somebody_else_by_that_name_is_left_alone(
    node: Node, now: dt.datetime, stranger: Signer
) -> None:
    node.ensure(now)
    node.public.write_bytes(stranger.public_pem)
    with pytest.raises(LicenseError, match="is not the public half"):
        node.ensure(now)
    assert node.public.read_bytes() == stranger.public_pem


def test_damaged_files_are_named(node: Node, now: dt.datetime) -> None:
    node.ensure(now)
    good = node.license.read_bytes()
    node.license.write_bytes(good[:-20])
    with pytest.raises(LicenseMalformedError, match=r"evaluation\.license"):
        node.ensure(now)
    node.license.write_bytes(good)
    node.private.write_bytes(b"junk")
    with pytest.raises(SigningKeyError, match=r"evaluation\.key"):
        node.ensure(now)


def test_a_clock_set_back_is_named(node: Node, now: dt.datetime) -> None:
    node.ensure(now)
    with pytest.raises(LicenseNotYetValidError, match="clock"):
        node.ensure(now - DAY)


def test_a_bad_customer_leaves_no_file(node: Node, now: dt.datetime) -> None:
    with pytest.raises(InputError):
        ensure_evaluation(now, node.state, node.trusted, customer="a\nb")
    assert node.contents() == {}


def test_a_place_that_cannot_be_written_is_named(node: Node, now: dt.datetime) -> None:
    node.state.parent.mkdir(parents=True)
    node.state.write_text("a file where the directory should be")
    with pytest.raises(HostError, match="license"):
        node.ensure(now)


def test_a_fraction_of_a_second_does_not_make_it_begin_later(node: Node, now: dt.datetime) -> None:
    late = now.replace(microsecond=999_999)
    assert node.ensure(late).license.not_before == now


def test_junk_in_place_of_the_public_key_is_named(node: Node, now: dt.datetime) -> None:
    node.ensure(now)
    node.public.write_bytes(b"junk")
    with pytest.raises(SigningKeyError, match=r"evaluation\.pem"):
        node.ensure(now)


def test_a_directory_in_place_of_a_file_is_named(node: Node, now: dt.datetime) -> None:
    node.private.mkdir(parents=True)
    with pytest.raises(HostError, match=r"evaluation\.key: Not a regular file"):
        node.ensure(now)
