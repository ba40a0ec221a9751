# SPDX-License-Identifier: Apache-2.0
"""The command pextra-license: as its user meets it, including as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pextra.cli import license as command
from pextra.cli.license import main

ROOT = Path(command.__file__).parents[2]


@dataclass(frozen=True)
class Shop:
    """A seller's directory with a key pair, and the trusted directory of a node."""

    directory: Path
    private: Path
    public: Path
    trusted: Path

    def sell(self, *options: str, edition: str = "standard", name: str = "node1.license") -> Path:
        key = self.directory / name
        code = main([
            "issue", "--private-key", str(self.private), "--customer", "Example",
            "--edition", edition, "--output", str(key), *(options or ("--days", "365")),
        ])  # fmt: skip
        assert code == 0
        return key


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    trusted = tmp_path / "trusted"
    trusted.mkdir(mode=0o755)
    made = Shop(tmp_path, tmp_path / "seller.key", tmp_path / "seller.pem", trusted)
    assert main(["keygen", "--private-key", str(made.private)]) == 0
    (trusted / "seller.pem").write_bytes(made.public.read_bytes())
    capsys.readouterr()
    return made


def test_keygen_keeps_the_private_key_private(shop: Shop) -> None:
    assert shop.private.stat().st_mode & 0o7777 == 0o600
    assert shop.public.stat().st_mode & 0o7777 == 0o644
    assert b"BEGIN PRIVATE KEY" in shop.private.read_bytes()
    assert shop.public.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")


@pytest.mark.parametrize("existing", ["seller.key", "seller.pem"])
def test_keygen_overwrites_neither_file(
    tmp_path: Path, existing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / existing).write_text("precious")
    assert main(["keygen", "--private-key", str(tmp_path / "seller.key")]) == 2
    assert f"{existing} is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "precious"


def test_keygen_that_fails_halfway_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = tmp_path / "seller.key", tmp_path / "none" / "seller.pem"
    assert main(["keygen", "--private-key", str(private), "--public-key", str(public)]) == 2
    assert "No such file or directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_one_file_for_both_keys_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keygen", "--private-key", str(tmp_path / "seller.pem")]) == 2
    assert "different files" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_issued_key_is_shown_valid_with_its_fields_and_masked(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shop.sell()
    assert path.stat().st_mode & 0o7777 == 0o600
    capsys.readouterr()
    assert main(["show", str(path), "--keys", str(shop.trusted)]) == 0
    shown = capsys.readouterr().out
    assert "Example" in shown
    assert "standard" in shown
    assert "valid:      yes, 365 days left" in shown
    key = path.read_text().strip()
    assert key not in shown
    assert f"PCE1.****{key[-4:]}" in shown


def test_issue_prints_the_key_alone_when_no_file_is_named(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--customer", "Example", "--edition", "enterprise", "--days", "1"]
    assert main(["issue", "--private-key", str(shop.private), *options]) == 0
    key = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(key.encode())))
    assert main(["verify", "--keys", str(shop.trusted)]) == 0
    assert "edition enterprise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--from", "2001-01-01", "--until", "2002-01-01"), "license_expired"),
        (("--from", "2900-01-01", "--until", "2901-01-01"), "license_not_yet_valid"),
    ],
)
def test_a_key_outside_its_validity_is_refused_by_name(
    shop: Shop, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: str
) -> None:
    path = shop.sell(*options)
    capsys.readouterr()
    for name in ("show", "verify"):
        assert main([name, str(path), "--keys", str(shop.trusted)]) == 1
        assert f"pextra-license: {code}: " in capsys.readouterr().err


def test_tampered_foreign_and_malformed_keys_are_refused_by_name(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shop.sell()
    key = path.read_text().strip()
    other = "B" if key[-10] != "B" else "C"
    cases = {
        "license_bad_signature": (key[:-10] + other + key[-9:], shop.trusted),
        "license_unknown_signer": (key, shop.directory / "nothing"),
        "license_malformed": ("hello", shop.trusted),
        "license_unsupported_version": (key.replace("PCE1", "PCE7"), shop.trusted),
    }
    for code, (text, trusted) in cases.items():
        path.write_text(text)
        capsys.readouterr()
        assert main(["show", "--json", str(path), "--keys", str(trusted)]) == 1
        report = json.loads(capsys.readouterr().out)
        assert report["valid"] is False
        assert report["error"]["code"] == code
        assert (report["license"] is None) == (
            code in ("license_malformed", "license_unsupported_version")
        )


def test_json_of_a_valid_key_has_its_fields(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    path = shop.sell("--from", "2020-01-01", "--until", "2990-01-01")
    capsys.readouterr()
    assert main(["show", "--json", str(path), "--keys", str(shop.trusted)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["valid"] is True
    assert report["error"] is None
    assert report["license"]["not_before"] == "2020-01-01T00:00:00Z"
    assert report["license"]["expires_at"] == "2990-01-01T00:00:00Z"
    assert report["days_left"] > 300_000


def test_an_encrypted_private_key_asks_for_its_passphrase(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["one", "two", "three", "three", "wrong", "three"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    private = shop.directory / "safe.key"
    assert main(["keygen", "--passphrase", "--private-key", str(private)]) == 2
    assert "differ" in capsys.readouterr().err
    assert main(["keygen", "--passphrase", "--private-key", str(private)]) == 0
    assert b"ENCRYPTED" in private.read_bytes()
    options = ["--customer", "Example", "--edition", "standard", "--days", "1"]
    assert main(["issue", "--private-key", str(private), *options]) == 2
    assert "passphrase is wrong" in capsys.readouterr().err
    assert main(["issue", "--private-key", str(private), *options]) == 0


def test_a_private_key_that_others_may_read_is_warned_about(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.private.chmod(0o644)
    shop.sell()
    assert "chmod 600" in capsys.readouterr().err


def test_unusable_files_are_named(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(shop.directory / "none")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["show", str(shop.directory)]) == 2
    assert "Not a regular file" in capsys.readouterr().err
    shop.trusted.chmod(0o777)
    assert main(["verify", "--keys", str(shop.trusted), str(shop.public)]) == 2
    assert "license_trust_store" in capsys.readouterr().err
    options = ["--customer", "Example", "--edition", "standard", "--days", "1"]
    assert main(["issue", "--private-key", str(shop.public), *options]) == 2
    assert "license_signing_key" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ("--days", "0"),
        ("--days", "-1"),
        ("--days", "1e3"),
        ("--days", "²"),
        ("--days", "9" * 5000),
        ("--until", "tomorrow"),
        ("--until", "2030-01-01", "--days", "3"),
        (),
        ("--days", "1", "--edition", "gold"),
        ("--days", "1", "--from", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_wrong_options_exit_2_and_make_no_key(
    shop: Shop, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["issue", "--private-key", str(shop.private), "--customer", "a", "--edition", "standard"]
    with pytest.raises(SystemExit) as caught:
        main([*base, *options])
    assert caught.value.code == 2
    assert capsys.readouterr().out == ""


def test_dates_that_cannot_be_are_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["issue", "--private-key", str(shop.private), "--customer", "a", "--edition", "standard"]
    assert main([*base, "--from", "9999-06-01", "--days", "365"]) == 2
    assert "9999" in capsys.readouterr().err
    assert main([*base, "--from", "2031-01-01", "--until", "2030-01-01"]) == 2
    assert "end before it begins" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["keygen", "issue", "show", "verify"])
def test_help_teaches_with_an_example_and_the_exit_codes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "exit code:" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_it_runs_as_a_process_without_ansible_and_takes_the_key_from_stdin(shop: Shop) -> None:
    """`python3 -m`, with the collection's tree as the only addition to the path."""
    key = shop.sell().read_bytes()
    module = "pextra.cli.license"
    code = f"import sys; sys.modules['ansible'] = None; from {module} import main; sys.exit(main())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for start in (["-m", module], ["-c", code]):
        result = subprocess.run(
            [sys.executable, *start, "show", "--keys", str(shop.trusted)],
            input=key, capture_output=True, env=environment, check=False,
        )  # fmt: skip
        assert (result.returncode, result.stderr) == (0, b"")
        assert b"valid:      yes" in result.stdout


def test_issue_does_not_overwrite_a_file(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    path = shop.sell()
    before = path.read_bytes()
    options = ["--customer", "a", "--edition", "standard", "--days", "1", "--output", str(path)]
    assert main(["issue", "--private-key", str(shop.private), *options]) == 2
    assert "is there already" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert {item.name for item in shop.directory.iterdir()} == {
        "node1.license", "seller.key", "seller.pem", "trusted",
    }  # fmt: skip


def test_an_interrupt_at_the_prompt_is_no_traceback(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupted)
    private = shop.directory / "safe.key"
    assert main(["keygen", "--passphrase", "--private-key", str(private)]) == 2
    assert "interrupted" in capsys.readouterr().err
    assert not private.exists()
