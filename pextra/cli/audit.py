# SPDX-License-Identifier: Apache-2.0
"""The command ``pextra audit``: the audit log listed, exported, checked, pruned and sealed."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from pextra.calls import registry
from pextra.calls.call import Answer, Call
from pextra.cli import terminal
from pextra.host.identity import local
from pextra.host.machine import Host
from pextra.model.errors import InputError, StoreError
from pextra.model.principal import Principal
from pextra.store.connection import Store

_WHOLE, _NOT_WHOLE = 0, 1
_PAGE = 1000
_TEXT = """\
Who did what on the platform, when, from where, and what came of it. Rows are sealed by the node
that wrote them: each with the hash of the one before it, so that no row can be changed, removed or
put in between unnoticed.
"""
_LIST_EXAMPLES = """
times are ISO 8601, or an age: 90m, 24h, 7d

examples:
  pextra audit list                                the newest rows
  pextra audit list --since 24h --outcome failed   what failed since yesterday
  pextra audit list --resource web1 --json         what was done to one resource
"""
_EXPORT_EXAMPLES = """
examples:
  pextra audit export --since 2026-01-01 --until 2026-02-01 > january.jsonl
  pextra audit export --user anna --output anna.jsonl
"""
_VERIFY = """\
Check all chains of the audit log: that no row was changed, removed, inserted or moved, that no end
was cut off, and that no row waits to be sealed. Chains are compared with the checkpoints that nodes
have signed, with this node's own before all, and with any that you give.
"""
_VERIFY_EXAMPLES = """
examples:
  pextra audit verify
  journalctl -t pextra-audit -o cat | sed -n 's/^audit checkpoint //p' | tail -1 > seen.json
  pextra audit verify --checkpoint seen.json
"""
_PRUNE = """\
Remove old rows from the beginning of each chain. What the rows after them follow is kept in a
record that this node signs, so that pextra audit verify goes on. Export them first, if they are
still needed.
"""
_PRUNE_EXAMPLES = """
examples:
  pextra audit prune --older-than 365d --check
  pextra audit prune --older-than 365d
"""
_SEAL = """\
Seal what runs that were killed have left, sign a checkpoint, and remove rows that are older than
retention_days in /etc/pextra-ce/audit.toml. A timer does it; runs seal their own rows.
"""
_FILTERS = {
    "since": ("TIME", "written then or later"),
    "until": ("TIME", "written before"),
    "user": ("NAME", "of this user"),
    "kind": ("KIND", "about this kind of resource"),
    "resource": ("ID|NAME", "about this resource"),
    "action": ("VERB", "with this action: create, update, delete, start"),
    "outcome": ("OUTCOME", "with this outcome: succeeded, failed, denied"),
    "organization_id": ("ID", "of users of this organization"),
    "request_id": ("ID", "of this request, or of requests with this correlation"),
}
Command = Callable[..., argparse.ArgumentParser]
"""Adds a command: to what, its name, what it is in a line, its text, examples, what it runs."""


def add(commands: Any, command: Command, asker: Callable[[], Principal]) -> None:
    """Add ``audit`` and what it can do.

    Args:
        commands: Where it is added.
        command: Adds a command.
        asker: Who asks.
    """
    made = commands.add_parser(
        "audit", help="who did what, and whether the record of it is whole", description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = made.add_subparsers(metavar="ACTION", required=True)
    listed = command(actions, "list", "the newest rows", _TEXT, _LIST_EXAMPLES, _list)
    listed.add_argument("--limit", metavar="N", type=int, default=50, help="how many (default: 50)")
    listed.add_argument("--cursor", metavar="CURSOR", help="go on after a page; see its last line")
    exported = command(
        actions, "export", "all rows as JSON lines, the newest first", _TEXT, _EXPORT_EXAMPLES,
        _export,
    )  # fmt: skip
    exported.add_argument("--output", metavar="FILE", help="a new file (default: standard output)")
    for one in (listed, exported):
        for name, (value, about) in _FILTERS.items():
            one.add_argument(f"--{name.removesuffix('_id')}", dest=name, metavar=value, help=about)
    verified = command(
        actions, "verify", "check that it is whole", _VERIFY, _VERIFY_EXAMPLES, _verify
    )
    verified.add_argument(
        "--checkpoint", metavar="FILE", action="append", default=[],
        help="a checkpoint from elsewhere, as JSON; can be given several times",
    )  # fmt: skip
    pruned = command(actions, "prune", "remove old rows", _PRUNE, _PRUNE_EXAMPLES, _prune)
    pruned.add_argument(
        "--older-than", metavar="TIME", required=True, help="ISO 8601, or an age such as 365d"
    )
    pruned.add_argument("--force", action="store_true", help="also where a chain is not whole")
    pruned.add_argument("--check", action="store_true", help="change nothing, say what would be")
    for one in (listed, verified, pruned):
        one.add_argument("--json", action="store_true", help="print JSON")
    sealed = command(actions, "seal", "seal what waits, sign a checkpoint", _SEAL, "", _seal)
    sealed.add_argument(
        "--quiet", action="store_true", help="say nothing; no store to be reached is no failure"
    )
    made.set_defaults(asker=asker)


def _answer(arguments: argparse.Namespace, name: str, given: Mapping[str, Any]) -> Answer:
    check = bool(getattr(arguments, "check", False))
    with Store(arguments.database) as store, Host() as host:
        return registry.call(
            registry.find(name), given, arguments.asker(), check=check, store=store, host=host
        )


def _wanted(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in _FILTERS}


def _list(arguments: argparse.Namespace) -> int:
    given = {**_wanted(arguments), "limit": arguments.limit, "cursor": arguments.cursor}
    answer = _answer(arguments, "audit_info", given)
    if arguments.json:
        terminal.say_json({"audit": answer["audit"], "next_cursor": answer["next_cursor"]})
        return _WHOLE
    for item in answer["audit"]:
        who = f"{item['user']}@{item['origin']}"
        what = f"{item['action']} {item['kind']} {item['name'] or item['resource_id']}"
        why = f": {item['message']}" if item["message"] else ""
        terminal.say(f"{item['at']}  {item['outcome']:<9}  {who}  {what}{why}")
    if answer["next_cursor"]:
        terminal.say(f"there are more: --cursor {answer['next_cursor']}")
    return _WHOLE


def _export(arguments: argparse.Namespace) -> int:
    with contextlib.ExitStack() as opened:
        file: IO[str] = sys.stdout
        if arguments.output:
            file = opened.enter_context(_new(arguments.output))
        for item in _pages(arguments):
            item.pop("node")  # what is left is what was hashed
            file.write(json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n")
    return _WHOLE


def _new(path: str) -> IO[str]:
    try:
        return open(path, "x", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error}") from None


def _pages(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every row that is looked for, a page at a time."""
    procedure, cursor = registry.find("audit_info"), None
    with Store(arguments.database) as store, Host() as host:
        while True:
            given = {**_wanted(arguments), "limit": _PAGE, "cursor": cursor}
            answer = registry.call(procedure, given, arguments.asker(), store=store, host=host)
            yield from answer["audit"]
            cursor = answer["next_cursor"]
            if cursor is None:
                return


def _verify(arguments: argparse.Namespace) -> int:
    given = {"checkpoints": [_checkpoint(path) for path in arguments.checkpoint]}
    answer = _answer(arguments, "audit_verify", given)
    if arguments.json:
        terminal.say_json({name: answer[name] for name in ("whole", "chains", "findings")})
        return _WHOLE if answer["whole"] else _NOT_WHOLE
    for item in answer["chains"]:
        state = "whole" if item["whole"] else "NOT WHOLE"
        terminal.say(f"{item['chain']}: rows {item['first']} to {item['last']}: {state}")
    for item in answer["findings"]:
        terminal.say(f"{item['what']}: {item['chain']}: {item['text']}")
    if answer["whole"]:
        terminal.say("the audit log is whole")
    return _WHOLE if answer["whole"] else _NOT_WHOLE


def _checkpoint(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise InputError(f"the checkpoint {path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"the checkpoint {path} is no JSON object")
    return found


def _prune(arguments: argparse.Namespace) -> int:
    given = {"before": arguments.older_than, "force": arguments.force}
    answer = _answer(arguments, "audit_prune", given)
    if arguments.json:
        terminal.say_json(answer)
        return _WHOLE
    verb = "would be removed" if arguments.check else "were removed"
    for step in answer["plan"]:
        numbers = step["before"]
        terminal.say(f"{step['name']}: rows {numbers['first']} to {numbers['last']} {verb}")
    if not answer["plan"]:
        terminal.say("no rows are that old")
    return _WHOLE


def _seal(arguments: argparse.Namespace) -> int:
    from pextra.calls.audit import retain
    from pextra.engine import sealing

    try:
        with Store(arguments.database) as store, Host() as host:
            count = sealing.seal_all(store, host, sign=True)
            retain(Call({}, store, host, registry.identified(local("timer"))))
    except StoreError:
        if arguments.quiet:
            return _WHOLE
        raise
    if not arguments.quiet:
        terminal.say(f"{count} {'row' if count == 1 else 'rows'} sealed")
    return _WHOLE
