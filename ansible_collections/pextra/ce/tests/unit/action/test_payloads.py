# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping payloads: used for the same code only, and only where nobody else can write."""

from __future__ import annotations

import base64
import io
import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from ansible import constants
from ansible.executor.module_common import ModuleMetadataV1, _CachedModule

from ansible_collections.pextra.ce.plugins.plugin_utils import payloads

PLUGINS = Path(__file__).parents[3] / "plugins"
NAME = "ansible_collections.pextra.ce.plugins.modules.volume-ZIP_DEFLATED-none"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ansible's home and temporary folder, and a copy of the collection's code."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "tmp"))
    monkeypatch.setattr(constants.config, "get_config_value", lambda _name: str(tmp_path / "home"))
    for name in ("modules", "module_utils"):
        shutil.copytree(PLUGINS / name, tmp_path / "plugins" / name)
    monkeypatch.setattr(payloads, "_PLUGINS", tmp_path / "plugins")
    return tmp_path


def run(home: Path, payload: bytes) -> bytes:
    """What Ansible sends in a new run: what it finds, or what it then makes."""
    shutil.rmtree(home / "tmp", ignore_errors=True)
    place = home / "tmp" / "ansiballz_cache" / NAME
    (home / "tmp").mkdir()
    with payloads.kept("volume"):
        if not place.exists():
            place.parent.mkdir()
            place.write_bytes(payload)
        return place.read_bytes()


def test_every_module_has_the_action() -> None:
    modules = {path.name for path in (PLUGINS / "modules").glob("*.py")} - {"__init__.py"}
    actions = {path.name for path in (PLUGINS / "action").glob("*.py")}
    assert actions == modules
    assert {path.resolve().name for path in (PLUGINS / "action").glob("*.py")} == {"apply.py"}


def test_a_payload_serves_the_next_run(home: Path) -> None:
    assert run(home, b"first") == b"first"
    assert run(home, b"second") == b"first"


def test_a_payload_is_on_the_disk_before_it_has_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut leaves an empty one, which every later run would take and fail by."""
    written: list[int] = []
    named: list[bool] = []
    replace = os.replace

    def note(source: str, target: Path) -> None:
        if "payloads" in str(target):
            named.append(os.stat(source).st_ino in written)
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda file: written.append(os.fstat(file).st_ino))
    monkeypatch.setattr(os, "replace", note)
    run(home, b"first")
    assert named == [True]


def test_code_that_changed_gets_a_payload_of_its_own_and_the_old_one_goes(home: Path) -> None:
    run(home, b"first")
    with (home / "plugins" / "module_utils" / "units.py").open("a") as file:
        file.write("# changed\n")
    assert run(home, b"second") == b"second"
    assert len(list((home / "home" / "pextra-ce" / "payloads").iterdir())) == 1


def test_another_module_that_changed_does_not_matter(home: Path) -> None:
    run(home, b"first")
    (home / "plugins" / "modules" / "user.py").write_text("")
    assert run(home, b"second") == b"first"


def test_nothing_is_taken_from_where_others_can_write(home: Path) -> None:
    run(home, b"first")
    (home / "home" / "pextra-ce" / "payloads").chmod(0o777)
    assert run(home, b"second") == b"second"


def test_a_home_that_cannot_be_written_is_no_error(home: Path) -> None:
    (home / "home").write_text("")
    assert run(home, b"first") == b"first"
    assert run(home, b"second") == b"second"


def test_ansible_may_keep_payloads_elsewhere(home: Path) -> None:
    with payloads.kept("volume"):
        pass
    assert not list((home / "home" / "pextra-ce" / "payloads").iterdir())


def test_a_run_that_fails_passes_its_failure_on(home: Path) -> None:
    with pytest.raises(LookupError), payloads.kept("volume"):
        raise LookupError


def archive(*names: str) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w") as file:
        warnings.simplefilter("ignore")
        for name in names:
            file.writestr(name, f"print('source of {name}')\n")
    return data.getvalue()


def printed_by(packed: Path) -> str:
    """What importing ``one`` from an archive prints."""
    return subprocess.run(
        [sys.executable, "-c", "import one"], env={"PYTHONPATH": str(packed)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def rewritten(made: bytes, path: Path, source: bytes, magic: bytes | None) -> Path:
    """An archive with another source, or with code that another Python compiled."""
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("one.py", source)
        compiled = old.read("one.pyc")
        new.writestr("one.pyc", magic + compiled[4:] if magic else compiled)
    return path


def test_each_source_is_compiled_once() -> None:
    made = payloads.with_bytecode(archive("one.py", "two.py", "one.py"))
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        assert sorted(set(file.namelist())) == ["one.py", "one.pyc", "two.py", "two.pyc"]
        assert file.namelist().count("one.pyc") == 1


def test_compiled_code_is_run_without_looking_at_the_source(tmp_path: Path) -> None:
    made = payloads.with_bytecode(archive("one.py"))
    packed = rewritten(made, tmp_path / "payload.zip", b"not Python", None)
    assert printed_by(packed) == "source of one.py\n"


def test_compiled_code_of_another_python_is_passed_over(tmp_path: Path) -> None:
    made = payloads.with_bytecode(archive("one.py"))
    packed = rewritten(made, tmp_path / "payload.zip", b"print('source')\n", b"\0\0\r\n")
    assert printed_by(packed) == "source\n"


def test_what_has_compiled_code_stays_as_it_is() -> None:
    made = payloads.with_bytecode(archive("one.py"))
    assert payloads.with_bytecode(made) == made


def made_by_ansible(home: Path, name: str, packed: bytes) -> Path:
    """A payload where Ansible has them."""
    path = home / "tmp" / "ansiballz_cache" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    payload = _CachedModule(
        zip_data=base64.b64encode(packed),
        metadata=ModuleMetadataV1(serialization_profile="legacy"),
        source_mapping={},
    )
    payload.dump(str(path))
    return path


def names_in(path: Path) -> list[str]:
    """The files in a payload."""
    packed = base64.b64decode(_CachedModule.load(str(path)).zip_data)
    return sorted(zipfile.ZipFile(io.BytesIO(packed)).namelist())


def test_any_module_s_payload_gets_compiled_code_once_it_is_used(home: Path) -> None:
    one = made_by_ansible(home, "ansible.modules.one-ZIP_DEFLATED-none", archive("one.py"))
    payloads.compile_used()
    assert names_in(one) == ["one.py", "one.pyc"]
    before = one.stat().st_ino
    two = made_by_ansible(home, "ansible.modules.two-ZIP_DEFLATED-none", archive("two.py"))
    payloads.compile_used()
    assert names_in(two) == ["two.py", "two.pyc"]
    assert one.stat().st_ino == before


def test_what_cannot_be_compiled_is_sent_as_it_is(home: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("one.py", "no Python")
    one = made_by_ansible(home, "ansible.modules.one-ZIP_DEFLATED-none", packed.getvalue())
    locked = one.with_name(f"{one.name}.lock")
    locked.write_text("")
    payloads.compile_used()
    assert names_in(one) == ["one.py"]
    assert locked.read_text() == ""
