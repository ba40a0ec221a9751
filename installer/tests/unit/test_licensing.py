"""Licence keys in answers: what the node would say of them is said before a disk is erased."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml

from pextra.licensing.trust import TrustStore
from pextra_installer import check, cli, licensing, preview
from pextra_installer.answers import files
from pextra_installer.execute.variables import Image, variables
from pextra_installer.licensing import LicenseCheck
from pextra_installer.problems import AnswersError

from .signers import DAY, NOW, Signer, signer
from .test_answers import BASE
from .test_execution import TARGET

SELLER, OTHER = signer(), signer("other")
NETWORK = {
    "ipv4": {"method": "static", "address": "192.0.2.9/24", "gateway": "192.0.2.1"},
    "dns": {"servers": ["192.0.2.53"]},
}
"""Nothing to be warned of."""


def refusal(data: dict[str, Any], medium: TrustStore | None) -> str:
    """What is said of answers, empty if they are taken."""
    try:
        check.plan_of({**BASE, **data}, "answers", LicenseCheck(medium, NOW))
    except AnswersError as error:
        (problem,) = error.problems
        return str(problem)
    return ""


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (SELLER.sign(), ""),
        (SELLER.sign(edition="enterprise"), ""),
        (SELLER.sign(-2000, -1500), "license_key: the licence expired at "),
        (SELLER.sign(2, 9), "license_key: the licence is valid from "),
        (OTHER.sign(), "license_key: the licence key was signed with key "),
        (SELLER.sign()[:-6] + "AAAAAA", "license_key: "),
    ],
)
def test_a_key_is_checked_against_signers_and_dates(key: str, reason: str) -> None:
    said = refusal({"license_key": key}, SELLER.store)
    assert said.startswith(reason)
    assert bool(said) is bool(reason)
    assert key not in said


def test_a_key_of_a_node_s_own_evaluation_grants_no_other_edition() -> None:
    own = Signer("evaluation", SELLER.private, SELLER.public)
    said = refusal({"license_key": SELLER.sign(end=20)}, own.store)
    assert "may sign evaluation licences of 30 days, not one of edition standard" in said
    assert refusal({"license_key": SELLER.sign(end=20, edition="evaluation")}, own.store) == ""


@pytest.mark.parametrize("form", ["pem", "line"])
def test_answers_bring_the_public_key_of_their_signer(form: str) -> None:
    given = {"license_key": SELLER.sign(), "trusted_license_keys": [getattr(SELLER, form)]}
    assert refusal(given, licensing.NOBODY) == ""
    said = refusal({**given, "license_key": OTHER.sign()}, licensing.NOBODY)
    assert "which this node would not trust" in said


@pytest.mark.parametrize(
    "line",
    ["", "abc", SELLER.private.decode(), SELLER.pem * 2, "-----BEGIN PUBLIC KEY-----", "\ud800"],
)
def test_what_is_no_public_key_is_refused_and_a_private_one_not_shown(line: str) -> None:
    said = refusal({"trusted_license_keys": [line]}, licensing.NOBODY)
    assert said.startswith("trusted_license_keys[0]: this is no public key")
    assert "PRIVATE" not in said


def test_all_that_is_wrong_is_said_at_once_with_its_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "answers.yaml"
    given = {**BASE, "hostname": "node 1", "license_key": SELLER.sign(-2000, -1500)}
    path.write_text(yaml.safe_dump(given, sort_keys=False))
    with pytest.raises(AnswersError) as caught:
        files.read(path, LicenseCheck(None, NOW))
    found = [(one.line, one.path) for one in caught.value.problems]
    assert found == [(3, ("hostname",)), (len(path.read_text().splitlines()), ("license_key",))]


def test_validate_refuses_an_expired_key_and_says_what_it_could_not_check(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licensing, "here", lambda: licensing.NOBODY)
    path, folder = tmp_path / "answers.yaml", tmp_path / "keys"
    folder.mkdir()
    (folder / "seller.pem").write_text(SELLER.pem)

    def validate(key: str, *more: str) -> tuple[int, str]:
        path.write_text(yaml.safe_dump({**BASE, "license_key": key, "network": NETWORK}))
        code = cli.main(["validate", str(path), *more])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = validate(SELLER.sign(-2000, -1500))
    assert (code, "the licence expired at" in said) == (3, True)
    code, said = validate(SELLER.sign())
    assert (code, "warning: the licence key's signature is not checked" in said) == (0, True)
    code, said = validate(SELLER.sign(), "--license-keys", str(folder))
    assert (code, "warning" in said) == (0, False)
    code, said = validate(OTHER.sign(), "--license-keys", str(folder))
    assert (code, f"it would trust seller ({next(iter(SELLER.store.keys))})" in said) == (3, True)
    code, said = validate(SELLER.sign(), "--license-keys", str(tmp_path / "none"))
    assert (code, "there is no directory" in said) == (1, True)


def test_an_installation_with_a_key_that_the_node_would_refuse_does_not_begin(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licensing, "here", lambda: OTHER.store)
    path = tmp_path / "answers.yaml"
    path.write_text(yaml.safe_dump({**BASE, "license_key": SELLER.sign()}))
    assert cli.main(["install", "--yes", "--answers", str(path)]) == 3
    assert "which this node would not trust; it would trust other" in capsys.readouterr().err


def test_the_node_trusts_the_signers_of_the_medium_and_those_of_the_answers(
    tmp_path: pathlib.Path,
) -> None:
    folder = tmp_path / "license-keys.d"
    folder.mkdir()
    (folder / "seller.pem").write_text(SELLER.pem)
    (folder / "broken.pem").write_text("none")
    (folder / "evaluation.pem").write_text(signer().pem)
    medium = licensing.here((tmp_path / "none", folder))
    assert set(medium.rejected) == {"broken.pem"}
    plan = check.plan_of({**BASE, "trusted_license_keys": [OTHER.pem]})
    told = variables(
        plan, TARGET, Image(pathlib.Path("/i"), "0" * 64), "t",
        trusted=licensing.trusted_by(plan, medium),
    )["install_files"][:2]  # fmt: skip
    (other,) = OTHER.store.keys
    assert told == [
        {"path": f"/etc/pextra-ce/license-keys.d/{other}.pem", "content": OTHER.pem},
        {"path": "/etc/pextra-ce/license-keys.d/seller.pem", "content": SELLER.pem},
    ]


def test_the_summary_says_what_a_key_grants_and_does_not_show_it() -> None:
    key = SELLER.sign(edition="enterprise")
    shown = "\n".join(preview.lines(check.plan_of({**BASE, "license_key": key}), TARGET))
    until = NOW + 365 * DAY
    assert f"enterprise, for Example, until {until:%Y-%m-%d}" in shown
    assert key not in shown
    assert "evaluation of 30 days" in "\n".join(preview.lines(check.plan_of(BASE), TARGET))


def test_answers_with_signers_read_back_the_same() -> None:
    plan = check.plan_of({**BASE, "trusted_license_keys": [SELLER.pem, OTHER.line]})
    for format in files.Format:
        assert files.parse(files.render(plan, format).encode(), format, "answers") == plan
    assert SELLER.line in json.dumps(check.data_of(plan))
