# SPDX-License-Identifier: Apache-2.0
"""Connection strings: verified over the network, as they are on a local socket."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.model.errors import InputError, StoreError
from pextra.store import address
from pextra.store.address import DEFAULT, conninfo, secured

LOCAL = (
    DEFAULT,
    "dbname=x",
    "host=/run/postgresql dbname=x",
    "host=@abstract dbname=x",
    "postgresql:///x?host=/run/postgresql",
)
REMOTE = (
    "host=db1 dbname=x",
    "host=db1,db2 dbname=x",
    "host=/run/postgresql,db1 dbname=x",
    "host=127.0.0.1",
    "hostaddr=192.0.2.1 host=/run/postgresql",
    "postgresql://user@db1:26257/x",
    "service=production",
)


def parts(text: str) -> dict[str, object]:
    """The parameters of a connection string."""
    return dict(psycopg.conninfo.conninfo_to_dict(text))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment that libpq heeds."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE", "PEXTRA_CE_DATABASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("text", LOCAL)
def test_local_socket_is_used_as_it_is(text: str) -> None:
    assert parts(secured(text)) == {**parts(text), "connect_timeout": "10"}


@pytest.mark.parametrize("text", REMOTE)
def test_connection_over_the_network_is_verified(text: str) -> None:
    assert parts(secured(text))["sslmode"] == "verify-full"


@pytest.mark.parametrize("text", REMOTE)
@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "VERIFY-FULL", "x"])
def test_weaker_verification_over_the_network_is_refused(text: str, mode: str) -> None:
    with pytest.raises(InputError, match="unverified"):
        secured(psycopg.conninfo.make_conninfo(text, sslmode=mode))


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_verification_that_was_chosen_stays(mode: str) -> None:
    assert parts(secured(f"host=db1 sslmode={mode}"))["sslmode"] == mode


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR", "PGSERVICE"])
def test_environment_does_not_lead_around_the_verification(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "192.0.2.1")
    assert parts(secured("dbname=x"))["sslmode"] == "verify-full"


def test_timeout_that_was_chosen_stays() -> None:
    assert parts(secured("dbname=x connect_timeout=3"))["connect_timeout"] == "3"


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_is_secured_or_refused(text: str) -> None:
    try:
        found = parts(secured(text))
    except InputError:
        return
    hosts = str(found.get("host", "/")).split(",")
    assert all(host.startswith(("/", "@")) for host in hosts) or found["sslmode"] == "verify-full"


def test_option_comes_before_environment_before_file_before_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "database.conninfo"
    monkeypatch.setattr(address, "CONNINFO_FILE", str(kept))
    assert conninfo(None) == conninfo("") == DEFAULT
    kept.write_text("host=db1 dbname=file\n")
    assert conninfo(None) == conninfo("") == "host=db1 dbname=file"
    monkeypatch.setenv("PEXTRA_CE_DATABASE", "dbname=environment")
    assert conninfo(None) == "dbname=environment"
    assert conninfo("dbname=option") == "dbname=option"


def test_file_that_cannot_be_read_is_no_reason_to_take_another_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(address, "CONNINFO_FILE", str(tmp_path))
    with pytest.raises(StoreError, match=str(tmp_path)):
        conninfo(None)
    assert conninfo("dbname=option") == "dbname=option"
