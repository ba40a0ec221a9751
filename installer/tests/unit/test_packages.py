"""The source of the platform's own packages: there, and disabled until an address is given."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import pytest

from pextra_installer import check, packages
from pextra_installer.answers import files
from pextra_installer.plan import Packages
from pextra_installer.problems import AnswersError

from .test_answers import BASE

KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEaSs2ABYJKwYBBAHaRw8BAQdA
=abcd
-----END PGP PUBLIC KEY BLOCK-----
"""


def asked_by_apt(folder: pathlib.Path, given: Packages) -> str:
    """The addresses that apt would ask with the files."""
    for name in ("state/lists/partial", "cache/archives/partial", "parts"):
        (folder / name).mkdir(parents=True)
    for file in packages.files(given):
        text = file["content"].replace(packages.KEY, str(folder / "pextra-ce.asc"))
        (folder / "parts" / pathlib.PurePath(file["path"]).name).write_text(text)
    (folder / "parts/pextra-ce.asc").touch()
    options = {
        "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": folder / "parts",
        "Dir::State": folder / "state", "Dir::Cache": folder / "cache",
    }  # fmt: skip
    argv = ["apt-get", "--print-uris", "update"]
    argv += [f"--option={name}={value}" for name, value in options.items()]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_it_is_there_and_asks_nobody_until_an_address_is_given(tmp_path: pathlib.Path) -> None:
    (file,) = packages.files(Packages())
    assert file["path"] == "/etc/apt/sources.list.d/pextra-ce.sources"
    assert "\nEnabled: no\n" in file["content"]
    assert asked_by_apt(tmp_path, Packages()) == ""


def test_with_an_address_apt_asks_there_and_trusts_its_key_alone(tmp_path: pathlib.Path) -> None:
    given = Packages(source="https://repository.example.com/pextra-ce/", key=KEY)
    source, key = packages.files(given)
    assert f"Signed-By: {key['path']}\n" in source["content"]
    assert key["content"] == KEY
    assert "https://repository.example.com/pextra-ce/dists/bookworm" in asked_by_apt(
        tmp_path, given
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"source": "https://r.example.com/x"}, "packages.source: its packages could not be"),
        ({"source": "repository", "key": KEY}, "packages.source: this is no address"),
        ({"source": "ftp://r.example.com/x", "key": KEY}, "packages.source: this is no address"),
        ({"source": "https://r.example.com:99999/", "key": KEY}, "packages.source: this is no"),
        ({"source": "https://u:geheim@r.example.com/", "key": KEY}, "packages.source: this is no"),
        ({"source": "https://r.example.com/ bookworm", "key": KEY}, "packages.source: this is no"),
        ({"source": "https://r.example.com/x\nEnabled: no", "key": KEY}, "packages.source: this"),
        ({"key": "abc"}, "packages.key: this is no OpenPGP public key"),
        ({"key": KEY.replace("PUBLIC", "PRIVATE")}, "packages.key: this is no OpenPGP public key"),
    ],
)
def test_what_apt_could_not_use_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(AnswersError) as caught:
        check.plan_of({**BASE, "packages": given})
    (problem,) = caught.value.problems
    assert str(problem).startswith(reason)
    assert "geheim" not in str(problem)


def test_answers_with_a_source_read_back_the_same() -> None:
    given = {"source": "http://mirror.example.com/pextra", "key": KEY}
    plan = check.plan_of({**BASE, "packages": given})
    for format in files.Format:
        assert files.parse(files.render(plan, format).encode(), format, "answers") == plan
