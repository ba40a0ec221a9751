# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible sends to a node to run a module: with compiled code, and kept from run to run.

Ansible packs a module with all the code that it can reach into an archive, the payload, once in
each run of a playbook: it parses every file, which takes longer than the module itself. The node
then compiles all of that for each task. So a payload gets compiled code beside the sources; a node
whose Python is another takes the sources. The payloads of this collection's modules are kept for
the next run; those of all others serve the run that made them.

A kept payload is used for exactly the code that it was made from. Ansible's place for payloads is
no public interface: where it is not as expected, nothing is kept and Ansible does its usual work.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import hashlib
import io
import os
import py_compile
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import ansible.module_utils
from ansible import constants
from ansible.release import __version__

_PLUGINS = Path(__file__).resolve().parents[1]
_MODULES = "ansible_collections.pextra.ce.plugins.modules"
_seen: set[Path] = set()  # payloads of this run that `compile_used` has been at


@contextlib.contextmanager
def kept(module: str) -> Iterator[None]:
    """Let Ansible find the payload of a module that is run meanwhile; keep one that it makes.

    Args:
        module: Its name without the collection's.
    """
    used = Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")  # type: ignore[attr-defined]
    pattern = f"{_MODULES}.{module}-*"
    store = None if _complete(used.glob(pattern)) else _store(module)
    if store is not None:
        with contextlib.suppress(OSError):
            for path in _complete(store.glob(pattern)):
                used.mkdir(exist_ok=True)
                _copy(path, used / path.name)
    yield
    if store is not None:
        with contextlib.suppress(OSError):
            for path in _complete(used.glob(pattern)):
                if not (store / path.name).exists():
                    _keep(path, store)


def compile_used() -> None:
    """Put compiled code into the payloads that this run has made of others' modules."""
    cache = Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")  # type: ignore[attr-defined]
    for path in _complete(cache.glob("*")):
        if path not in _seen and not path.name.startswith(f"{_MODULES}."):
            _seen.add(path)
            with contextlib.suppress(Exception):
                _compile(path)


def _complete(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if not path.name.endswith((".lock", "-part"))]


def _store(module: str) -> Path | None:
    """Where payloads of a module as it now is are kept; None where others could write."""
    home = Path(constants.config.get_config_value("ANSIBLE_HOME"))
    path = home / "pextra-ce" / "payloads"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return None
        return path / f"{module}-{_fingerprint(module)}"
    except OSError:
        return None


def _fingerprint(module: str) -> str:
    """Of all code that may be in a module's payload, and of what makes payloads."""
    digest = hashlib.sha256(f"{__version__} {sys.version} {_PLUGINS}".encode())
    roots = (Path(ansible.module_utils.__file__).parent, _PLUGINS / "module_utils")
    files = [_PLUGINS / "modules" / f"{module}.py"]
    for root in roots:
        files += sorted(root.rglob("*.py"))
    for path in files:
        content = path.read_bytes()
        digest.update(f"\n{path} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def _keep(path: Path, store: Path) -> None:
    """Keep a payload, and none of the same module that other code was in."""
    with contextlib.suppress(Exception):
        _compile(path)
    module = store.name.rpartition("-")[0]
    for other in store.parent.glob(f"{module}-*"):
        if other != store:
            shutil.rmtree(other, ignore_errors=True)
    store.mkdir(exist_ok=True)
    _copy(path, store / path.name, durable=True)


def _copy(source: Path, target: Path, *, durable: bool = False) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, suffix="-part")
    with open(descriptor, "wb") as file:
        file.write(source.read_bytes())
        if durable:
            # A power cut would leave an empty file under the new name, and every run fail by it.
            file.flush()
            os.fsync(file.fileno())
    os.replace(name, target)


def _compile(path: Path) -> None:
    """Put compiled code into a payload beside its sources."""
    from ansible.executor.module_common import _CachedModule

    payload: Any = _CachedModule.load(str(path))
    packed = base64.b64decode(payload.zip_data)
    data = with_bytecode(packed)
    if data == packed:
        return
    # Others may be at it too, for other hosts: each writes a file of its own.
    own = f"{path}.{os.getpid()}-part"
    dataclasses.replace(payload, zip_data=base64.b64encode(data)).dump(own)
    os.replace(own, path)


def with_bytecode(packed: bytes) -> bytes:
    """An archive of Python sources with the code that this Python compiles them to.

    The code is marked as belonging to the source whatever the source's time is. zipimport passes
    over it where another version of Python made it.
    """
    result = io.BytesIO(packed)
    with zipfile.ZipFile(result, "a", zipfile.ZIP_DEFLATED) as archive:
        names = set(archive.namelist())
        for name in sorted(names):
            if name.endswith(".py") and f"{name}c" not in names:
                archive.writestr(f"{name}c", _compiled(name, archive.read(name)))
    return result.getvalue()


@functools.cache
def _compiled(name: str, source: bytes) -> bytes:
    """Modules share most of their code: each file of it is compiled once."""
    with tempfile.TemporaryDirectory() as directory:
        read, written = Path(directory, "source.py"), Path(directory, "compiled.pyc")
        read.write_bytes(source)
        py_compile.compile(
            str(read), str(written), dfile=name, doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
        return written.read_bytes()
