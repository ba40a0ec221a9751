# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that lives long: lost connections, threads, odd settings, a pooler, many hosts."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from ansible_collections.pextra.ce.tests.integration.postgres import PORT, Postgres
from pextra.calls.resource import to_request
from pextra.engine.runner import Runner
from pextra.host.machine import Host
from pextra.kinds.registry import KINDS
from pextra.model import ids
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError, StoreError
from pextra.model.fields import Row
from pextra.model.principal import Principal
from pextra.store.connection import Store
from pextra.store.transaction import Transaction

_T = TypeVar("_T")
NAME = "long_lived"
SPEC = KINDS["organization"].spec
MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=dt.UTC)
AWKWARD = """it's a \\ "backslash" \\' and ü"""


@pytest.fixture
def database(postgres: Postgres, migrated: str) -> Iterator[str]:
    """The connection string of a database with nothing but the tables."""
    yield postgres.create(NAME, migrated)
    postgres.drop(NAME)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store that has been used once."""
    with Store(database) as opened:
        assert names(opened) == []
        yield opened


def row(name: str) -> Row:
    """An organization."""
    return {"id": ids.new_id("org"), "name": name, "description": AWKWARD, "creation": MOMENT}


def insert(tx: Transaction, name: str) -> None:
    """Write an organization of that name."""
    made = row(name)
    tx.write([RowChange(SPEC, made["id"], None, made)])


def add(store: Store, name: str) -> None:
    """Add an organization."""
    store.transact(lambda tx: insert(tx, name))


def names(store: Store) -> list[str]:
    """Every organization's name."""
    return sorted(item["name"] for item in store.select(SPEC, {}))


def pid(tx: Transaction) -> int:
    """The server process that a transaction is in."""
    return int(tx.query("SELECT pg_backend_pid() AS pid")[0]["pid"])


def terminate(postgres: Postgres, process: int) -> None:
    """End a server process, and wait until it has ended."""
    postgres.psql(f"SELECT pg_terminate_backend({process}, 10000)")


def test_connection_that_was_ended_between_transactions_is_replaced(
    store: Store, postgres: Postgres
) -> None:
    add(store, "one")
    for name in ("two", "three"):
        terminate(postgres, store.transact(pid))
        add(store, name)
    assert names(store) == ["one", "three", "two"]


def test_transaction_whose_connection_was_ended_is_done_again(
    store: Store, postgres: Postgres
) -> None:
    ended: list[int] = []

    def work(tx: Transaction) -> None:
        insert(tx, "one")
        if not ended:
            ended.append(pid(tx))
            terminate(postgres, ended[0])
        insert(tx, "two")

    store.transact(work)
    assert ended
    assert names(store) == ["one", "two"]


def test_commit_that_may_have_happened_is_told_and_not_repeated(
    store: Store, postgres: Postgres
) -> None:
    tries: list[int] = []

    def work(tx: Transaction) -> None:
        insert(tx, "one")
        tries.append(pid(tx))
        terminate(postgres, tries[-1])

    with pytest.raises(StoreError, match="broke while the changes were written") as caught:
        store.transact(work)
    assert "Run it again" in str(caught.value.hint)
    assert len(tries) == 1
    add(store, "two")
    assert names(store) == ["two"]


def test_reading_that_loses_its_connection_at_the_end_is_done_again(
    store: Store, postgres: Postgres
) -> None:
    tries: list[int] = []

    def work(tx: Transaction) -> str:
        tries.append(pid(tx))
        if len(tries) == 1:
            terminate(postgres, tries[0])
        return "read"

    assert store.transact(work, read_only=True) == "read"
    assert len(tries) == 2


def test_server_that_was_restarted_is_found_again(store: Store, postgres: Postgres) -> None:
    with ThreadPoolExecutor(4) as pool:  # so that several connections are kept
        gate = threading.Barrier(4)

        def work(tx: Transaction) -> int:
            gate.wait(30)
            return pid(tx)

        assert len(set(pool.map(lambda _n: store.transact(work), range(4)))) == 4
    postgres.restart()
    add(store, "after")
    assert names(store) == ["after"]


def test_error_inside_a_transaction_leaves_nothing_and_a_store_that_works(store: Store) -> None:
    def work(tx: Transaction) -> None:
        insert(tx, "one")
        raise ValueError("of the caller's own")

    with pytest.raises(ValueError, match="own"):
        store.transact(work)
    add(store, "two")
    with pytest.raises(ConflictError):
        add(store, "two")
    assert names(store) == ["two"]


def test_threads_share_a_store(store: Store) -> None:
    def work(number: int) -> list[str]:
        add(store, f"thread{number}")
        return names(store)

    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(work, range(48)))
    assert all(f"thread{number}" in found for number, found in enumerate(seen))
    assert len(names(store)) == 48


def test_what_reads_sees_one_moment(store: Store) -> None:
    def work(tx: Transaction) -> tuple[int, int]:
        before = len(tx.select(SPEC, {}))
        add(store, "meanwhile")
        return before, len(tx.select(SPEC, {}))

    assert store.transact(work, read_only=True) == (0, 0)
    with pytest.raises(StoreError, match="read-only"):
        store.transact(lambda tx: insert(tx, "no"), read_only=True)


@pytest.mark.parametrize("owner", [f"DATABASE {NAME}", "ROLE odd"])
def test_settings_of_role_and_database_change_nothing(
    database: str, postgres: Postgres, owner: str
) -> None:
    postgres.psql("CREATE ROLE odd LOGIN SUPERUSER")
    odd = {
        "datestyle": "'SQL, DMY'", "timezone": "'Asia/Kathmandu'", "client_encoding": "'LATIN1'",
        "standard_conforming_strings": "off", "default_transaction_isolation": "'read committed'",
        "intervalstyle": "'postgres_verbose'", "default_transaction_deferrable": "on",
        "idle_in_transaction_session_timeout": "'1h'",
    }  # fmt: skip
    try:
        for name, value in odd.items():
            postgres.psql(f"ALTER {owner} SET {name} = {value}")
        with Store(database.replace("user=pextra_ce", "user=odd")) as store:
            made = row("one")
            store.transact(lambda tx: tx.write([RowChange(SPEC, made["id"], None, made)]))
            assert store.select(SPEC, {"id": [made["id"]]}) == [made]
            isolation = "SELECT current_setting('transaction_isolation') AS level"
            assert store.transact(lambda tx: tx.query(isolation)) == [{"level": "serializable"}]
            patience = "SELECT current_setting('idle_in_transaction_session_timeout') AS left"
            assert store.transact(lambda tx: tx.query(patience)) == [{"left": "0"}]
    finally:
        postgres.psql("DROP ROLE odd")


# Several runs at once


class Meeting(Store):
    """A store whose first transaction that changes something commits when another one does, too."""

    def __init__(self, database: str, gate: threading.Barrier) -> None:
        super().__init__(database)
        self._gate = gate
        self.attempts = 0

    def transact(self, work: Callable[[Transaction], _T], *, read_only: bool = False) -> _T:
        """Do the work, and wait for the other one before the first commit."""

        def meet(tx: Transaction) -> _T:
            self.attempts += not read_only
            result = work(tx)
            if not read_only and self.attempts == 1:
                self._gate.wait(30)
            return result

        return super().transact(meet, read_only=read_only)


def together(database: str, *tasks: tuple[str, Row]) -> list[int]:
    """Runs whose transactions all commit at the same moment; how often each was tried."""
    gate = threading.Barrier(len(tasks))

    def run(task: tuple[str, Row]) -> int:
        kind, given = task
        principal = Principal("test", "localhost", "test")
        with Meeting(database, gate) as store, Host() as host:
            runner = Runner(KINDS, store, host, principal)
            runner.run([to_request(KINDS[kind], given)], check=False, allow_restart=False)
            return store.attempts

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def test_runs_that_make_things_of_their_own_do_not_undo_each_other(
    database: str, store: Store
) -> None:
    kinds = ("one", "two", "three", "four")
    made = [("organization", {"name": name}) for name in kinds]
    assert together(database, *made) == [1] * 4
    made = [("user", {"username": "ann", "organization": name}) for name in kinds]
    assert together(database, *made) == [1] * 4
    changed = [("user", {**given, "description": "new"}) for _kind, given in made]
    assert together(database, *changed) == [1] * 4
    gone = [("user", {**given, "state": "absent"}) for _kind, given in made]
    assert together(database, *gone) == [1] * 4
    assert store.select(KINDS["user"].spec, {}) == []


# Several hosts


def test_first_host_that_is_dead_is_passed_over(
    database: str, postgres: Postgres, tmp_path: Path
) -> None:
    several = database.replace("host=", f"host={tmp_path},").replace(
        f"port={PORT}", f"port={PORT},{PORT}"
    )
    with Store(several) as store:
        add(store, "one")
        assert names(store) == ["one"]


def test_of_several_hosts_the_one_that_takes_changes_is_used(
    database: str, postgres: Postgres
) -> None:
    host = str(postgres.directory)
    several = database.replace(f"host={host}", f"host={host},{host}")
    postgres.psql(f"ALTER DATABASE {NAME} SET default_transaction_read_only = on")
    try:
        with Store(several) as store, pytest.raises(StoreError, match=r"read-write|read-only"):
            add(store, "one")
        with Store(f"{several} target_session_attrs=any") as store:
            assert names(store) == []
    finally:
        postgres.psql(f"ALTER DATABASE {NAME} RESET default_transaction_read_only")
    with Store(several) as store:
        add(store, "one")


# A pooler of transactions


@pytest.fixture
def pooled(database: str, postgres: Postgres, tmp_path: Path) -> Iterator[str]:
    """The same database behind pgbouncer, which hands each transaction to another session."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    assert program is not None
    where = Path(str(postgres.directory)) / "pooler"
    where.mkdir(mode=0o755)
    shutil.chown(where, "postgres", "postgres")
    settings = where / "pgbouncer.ini"
    settings.write_text(
        f"""[databases]
* = host={postgres.directory} port={PORT}
[pgbouncer]
listen_addr =
unix_socket_dir = {where}
listen_port = 6432
auth_type = any
auth_file =
pool_mode = transaction
default_pool_size = 3
logfile = {where}/log
""".replace("* = ", f"{NAME} = user=pextra_ce dbname={NAME} ")
    )
    process = subprocess.Popen(["runuser", "-u", "postgres", "--", program, str(settings)])
    try:
        ready = where / ".s.PGSQL.6432"
        deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)
        while not ready.exists():
            assert process.poll() is None, (where / "log").read_text()
            assert dt.datetime.now(dt.UTC) < deadline
        yield database.replace(f"host={postgres.directory}", f"host={where}").replace(
            f"port={PORT}", "port=6432"
        )
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(where)


def test_pooler_of_transactions_is_no_hindrance(pooled: str) -> None:
    with Store(pooled) as store, ThreadPoolExecutor(8) as pool:

        def work(number: int) -> None:
            for turn in range(8):  # often enough for statements to be prepared, if they were
                add(store, f"pooled{number}x{turn}")
                assert f"pooled{number}x{turn}" in names(store)

        list(pool.map(work, range(8)))
        found = store.select(SPEC, {})
    assert len(found) == 64
    assert {item["creation"] for item in found} == {MOMENT}
