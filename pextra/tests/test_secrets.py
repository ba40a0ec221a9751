# SPDX-License-Identifier: Apache-2.0
"""Encrypted secrets: values, marks, keys' files, and what a plan makes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.engine import encryption
from pextra.host.machine import Host
from pextra.host.secrets import cipher
from pextra.host.secrets.cipher import Key
from pextra.host.secrets.keyring import Keyring
from pextra.host.secrets.opened import Opened
from pextra.kinds.registry import KINDS
from pextra.model import kinds
from pextra.model.change import RowChange
from pextra.model.encrypted import (
    Encrypted,
    Place,
    paths,
    recognised,
    replaced,
    token_of,
    value_at,
)
from pextra.model.errors import SecretError
from pextra.model.fields import Field
from pextra.store.transaction import Transaction

ROOT = Path(__file__).parents[2]
SECRET = bytes(range(32))
KEY = Key(cipher.id_of(1, SECRET), SECRET)
PLACE = Place("storage_pool", "pool-0", ("secrets", "password"), "nas")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
names = st.text(max_size=12)
places = st.builds(Place, names, names, st.tuples(names) | st.tuples(names, names))
keys = st.binary(min_size=32, max_size=32).map(lambda data: Key(cipher.id_of(1, data), data))


# Values


@given(keys, places, values)
def test_what_was_encrypted_opens_again(key: Key, place: Place, value: Any) -> None:
    assert cipher.open_(key, place, cipher.encrypt(key, place, value)) == value


@given(places, places, st.text(min_size=1))
def test_it_opens_in_its_own_place_alone(one: Place, other: Place, text: str) -> None:
    made = cipher.encrypt(KEY, one, text)
    if (one.kind, one.id, one.path) == (other.kind, other.id, other.path):
        assert cipher.open_(KEY, other, made) == text
    else:
        with pytest.raises(SecretError, match="does not open"):
            cipher.open_(KEY, other, made)


def test_places_whose_parts_join_to_the_same_text_are_others() -> None:
    made = cipher.encrypt(KEY, Place("a", "b", ("c", "d")), "x")
    for place in (Place("a", "b", ("c", '", "d')), Place("a", "b", ("c.d",)), Place("ab", "", ())):
        with pytest.raises(SecretError):
            cipher.open_(KEY, place, made)


@given(st.text(), st.data())
def test_one_that_was_changed_anywhere_does_not_open(text: str, data: st.DataObject) -> None:
    made = cipher.encrypt(KEY, PLACE, text)
    at = data.draw(st.integers(0, len(made) - 1))
    other = data.draw(st.sampled_from("abcXYZ019-_:=").filter(lambda letter: letter != made[at]))
    changed = Encrypted(made[:at] + other + made[at + 1 :])
    try:
        found = cipher.open_(KEY, PLACE, changed)
    except SecretError:
        return
    # The last letter of Base64 can have bits that mean nothing.
    assert found == text
    assert at >= len(made) - 4


@given(keys, keys, st.text())
def test_another_key_does_not_open_it_and_marks_it_otherwise(
    one: Key, other: Key, text: str
) -> None:
    if one.secret != other.secret:
        with pytest.raises(SecretError):
            cipher.open_(other, PLACE, cipher.encrypt(one, PLACE, text))
        assert cipher.mark_of(one, PLACE, text) != cipher.mark_of(other, PLACE, text)


@given(places, values, values)
def test_a_mark_tells_whether_a_value_is_the_same(place: Place, one: Any, other: Any) -> None:
    token = token_of(cipher.encrypt(KEY, place, one))
    assert token is not None
    same = cipher.mark_of(KEY, place, other) == token.mark
    assert same == (repr(one) == repr(other) or cipher._bytes(one) == cipher._bytes(other))


def test_no_two_are_alike_and_none_has_what_it_hides() -> None:
    made = {cipher.encrypt(KEY, PLACE, "hunter2") for _count in range(1000)}
    assert len(made) == 1000
    assert not any("hunter2" in text or KEY.secret.hex() in text for text in made)
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)


@given(st.binary(min_size=1, max_size=32), st.text(), st.text())
def test_a_hidden_name_comes_back_with_its_context(name: bytes, one: str, other: str) -> None:
    made = cipher.hidden(KEY, name, one)
    assert cipher.hidden(KEY, made, one) == name
    if one != other and len(name) > 4:
        assert cipher.hidden(KEY, made, other) != name


# Places in rows


def test_secrets_in_dictionaries_have_places_and_in_lists_are_refused() -> None:
    secret = Field("b", secret=True)
    deep = Field("d", "dict", options=(Field("c", "dict", options=(secret,)), Field("e")))
    open_ = Field("hash", secret=True, encrypted=False)
    assert list(paths((Field("a", secret=True), deep, open_))) == [("a",), ("d", "c", "b")]
    with pytest.raises(TypeError):
        list(paths((Field("l", "list", elements="dict", options=(secret,)),)))


def test_a_row_of_the_store_is_recognised_and_a_text_of_a_user_is_not() -> None:
    made = str(cipher.encrypt(KEY, PLACE, "x"))
    row: dict[str, Any] = {"id": "pool-0", "secrets": {"password": made}, "name": made}
    recognised(row, [("secrets", "password"), ("secrets", "key"), ("gone", "x")])
    assert type(row["secrets"]["password"]) is Encrypted
    assert type(row["name"]) is str
    other = replaced(row, ("secrets", "password"), "y")
    assert value_at(other, ("secrets", "password")) == "y"
    assert value_at(row, ("secrets", "password")) == Encrypted(made)


# Keys' files


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    """A node's keys, none yet."""
    return Keyring(f"{tmp_path}/lib/keys")


def anew(ring: Keyring) -> Keyring:
    """The same, as another process sees them."""
    return Keyring(ring.directory)


def test_a_key_is_made_once_however_many_ask(ring: Keyring) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _count: anew(ring).make(1), range(16)))
    assert len({key.secret for key in made}) == 1
    assert ring.ids() == (made[0].id,)
    assert ring.make(2).version == 2
    assert {path.name for path in Path(ring.directory).iterdir()} == {
        f"{id}.key" for id in ring.ids()
    }


def test_a_key_that_is_not_there_is_told_with_what_to_do(ring: Keyring) -> None:
    assert ring.ids() == ()
    with pytest.raises(SecretError, match="no key 1-00000000") as told:
        ring.get("1-00000000")
    assert "pextra.ce.site" in str(told.value.hint)
    with pytest.raises(SecretError):
        ring.get("../../etc/shadow")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_file_that_others_may_use_is_not_used(ring: Keyring, mode: int) -> None:
    path = Path(ring.directory, f"{ring.make(1).id}.key")
    path.chmod(mode)
    with pytest.raises(SecretError, match="open to others"):
        anew(ring).get(path.stem)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755, 0o777])
def test_a_directory_that_others_may_use_is_not_used(ring: Keyring, mode: int) -> None:
    key = ring.make(1)
    os.chmod(ring.directory, mode)
    for use in (anew(ring).ids, lambda: anew(ring).get(key.id), lambda: anew(ring).make(2)):
        with pytest.raises(SecretError, match="open to others"):
            use()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_others_is_not_used(ring: Keyring) -> None:
    key = ring.make(1)
    os.chown(f"{ring.directory}/{key.id}.key", 65534, 65534)
    with pytest.raises(SecretError, match="belongs to the user 65534"):
        anew(ring).get(key.id)
    os.chown(f"{ring.directory}/{key.id}.key", 0, 0)
    os.chown(ring.directory, 65534, 65534)
    with pytest.raises(SecretError, match="belongs to the user 65534"):
        anew(ring).get(key.id)


def test_no_link_is_followed(ring: Keyring, tmp_path: Path) -> None:
    key = ring.make(1)
    real = Path(ring.directory)
    file = real / f"{key.id}.key"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecretError, match="link"):
        anew(ring).get(key.id)
    file.unlink()
    (tmp_path / "elsewhere").rename(file)
    real.rename(tmp_path / "moved")
    real.symlink_to(tmp_path / "moved")
    with pytest.raises(SecretError, match="link"):
        anew(ring).get(key.id)


@pytest.mark.parametrize("text", ["", "00" * 31, "zz" * 32, "00" * 32 + "\n", "00" * 4096])
def test_a_damaged_file_is_told(ring: Keyring, text: str) -> None:
    path = Path(ring.directory, f"{ring.make(1).id}.key")
    path.write_text(text)
    with pytest.raises(SecretError, match="damaged"):
        anew(ring).get(path.stem)


def test_a_fifo_in_place_of_a_key_hangs_nobody(ring: Keyring) -> None:
    path = Path(ring.directory, f"{ring.make(1).id}.key")
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(SecretError, match="is no file"):
        anew(ring).get(path.stem)


def test_what_a_killed_run_has_left_is_no_key_and_stands_in_no_way(ring: Keyring) -> None:
    key = ring.make(1)
    Path(ring.directory, "2-00000000.key.unfinished").write_text("")
    assert ring.ids() == (key.id,)
    assert ring.make(2).version == 2


# Plans


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine that has the key."""
    made = Host(f"{tmp_path}/lib")
    made.keyring.make(1)
    return made


def sealed_row(host: Host) -> dict[str, Any]:
    """A pool's row as the store has it."""
    (id,) = host.keyring.ids()
    row = {"id": "pool-0", "name": "nas", "secrets": {"password": "old"}}
    return dict(encryption.encrypted(KINDS[kinds.STORAGE_POOL].spec, row, host.keyring.get(id)))


def test_a_secret_that_is_given_again_is_no_change_and_another_one_is(host: Host) -> None:
    spec, current = KINDS[kinds.STORAGE_POOL].spec, sealed_row(host)
    same: dict[str, Any] = {**current, "secrets": {"password": "old"}}
    encryption.keep_same(spec, current, same, host)
    assert same == current
    assert type(same["secrets"]["password"]) is Encrypted
    other: dict[str, Any] = {**current, "secrets": {"password": "new"}}
    encryption.keep_same(spec, current, other, host)
    assert other["secrets"] == {"password": "new"}


def test_the_text_of_an_encrypted_secret_is_a_password_like_others(host: Host) -> None:
    """Whoever reads a dump cannot have what is encrypted there by giving it as it is."""
    spec, current = KINDS[kinds.STORAGE_POOL].spec, sealed_row(host)
    text = "".join(current["secrets"]["password"])
    row: dict[str, Any] = {**current, "secrets": {"password": text}}
    encryption.keep_same(spec, current, row, host)
    assert encryption.is_secretive(RowChange(spec, "pool-0", current, row))
    made = encryption.encrypted(spec, row, host.keyring.get(host.keyring.ids()[0]), current)
    assert Opened(host.keyring, spec.name, made, "secrets")["password"] == text


def test_a_secret_that_is_not_encrypted_does_not_get_into_the_store() -> None:
    spec = KINDS[kinds.STORAGE_POOL].spec
    row = {"id": "pool-0", "name": "nas", "secrets": {"password": "plain"}}
    tx = Transaction(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"storage_pool: secrets\.password") as told:
        tx.write([RowChange(spec, "pool-0", None, row)])
    assert "plain" not in str(told.value)


def test_secrets_are_decrypted_one_by_one_when_they_are_looked_at(host: Host) -> None:
    row = sealed_row(host)
    pool = Opened(host.keyring, kinds.STORAGE_POOL, row, "secrets")
    assert pool["password"] == "old"
    lost = Opened(Keyring("/nonexistent"), kinds.STORAGE_POOL, row, "secrets")
    assert list(lost) == ["password"]
    assert len(lost) == 1
    with pytest.raises(SecretError, match=r"its secrets\.password cannot be read") as told:
        _value = lost["password"]
    assert told.value.resource == 'storage_pool "nas"'


def test_comparing_and_looking_load_no_library(tmp_path: Path) -> None:
    code = f"""
import sys
import pextra.calls.resource, pextra.calls.apply, pextra.calls.database, pextra.calls.reconcile
from pextra.engine import encryption
from pextra.host.machine import Host
from pextra.kinds.registry import KINDS
from pextra.kinds.instance import seeds
host, spec = Host({str(tmp_path)!r}), KINDS["instance"].spec
assert not encryption.as_written(None, KINDS, [], host)
if sys.argv[1] == "make":
    row = {{"id": "inst-0", "name": "vm", "cloud_init_id": None, "seed": None,
           "cloud_init": {{"user_data": "old"}}}}
    made = encryption.encrypted(spec, row, host.keyring.make(1))
    made["seed"] = seeds.kept(row, made, host)
    print(repr({{**made, "cloud_init": {{"user_data": str(made["cloud_init"]["user_data"])}}}}))
    assert "cryptography" in sys.modules
else:
    from pextra.model.encrypted import recognised, Encrypted
    current = eval(sys.argv[2])
    recognised(current, spec.encrypted)
    row = {{**current, "cloud_init": {{"user_data": "old"}}}}
    encryption.keep_same(spec, current, row, host)
    assert type(row["cloud_init"]["user_data"]) is Encrypted
    assert seeds.path(row, host).startswith({str(tmp_path)!r})
    assert "cryptography" not in sys.modules
"""
    command = [sys.executable, "-c", code]
    made = subprocess.run(
        [*command, "make"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    subprocess.run([*command, "look", made], cwd=ROOT, check=True)
