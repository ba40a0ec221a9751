# SPDX-License-Identifier: Apache-2.0
"""The command ``pextra``: what a node's engine does, asked on the node itself."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pextra
from pextra.calls import operation as operations
from pextra.calls import registry
from pextra.calls.call import Answer, plain
from pextra.calls.reconcile import POSSIBLE
from pextra.cli import audit, policy, secrets, terminal
from pextra.engine.operation import Operation
from pextra.engine.operations import Operations
from pextra.host.identity import local
from pextra.host.machine import Host
from pextra.model.errors import IncompleteError, InputError, PextraError
from pextra.model.principal import Principal
from pextra.store.connection import Store

DONE, FAILED, USAGE = 0, 1, 2
_EXIT_STATUS = """
exit status:
  0  done, or nothing to do
  1  it failed; standard error says why, as code: message, and what to do about it
  2  wrong usage
"""
_OVERVIEW = """\
The platform's engine on this node. What should be is in the store, a database; these commands
make the node so, or call anything that the platform's Ansible modules call.

examples:
  pextra reconcile --check       what on this node is not as the store says
  pextra reconcile               make it so
  pextra operation list          what was run lately, on all nodes
  pextra policy test USER ACTION whether a user may do something, and why
  pextra audit list              who did what
  pextra call instance --options vm.json
"""
_RECONCILE = """\
Make this node what the store says: make again what is missing, finish what other nodes or
interrupted runs left, remove what is marked for removal. Nothing is lost by it: data that is
missing is only told, nothing is restarted, and what the store does not know is not touched.
"""
_RECONCILE_EXAMPLES = """
examples:
  pextra reconcile                       the whole node
  pextra reconcile --check --diff        say what would be done, change nothing
  pextra reconcile storage_pool          all storage pools of this node
  pextra reconcile instance web1         one instance, by name or id
"""
_CALL = """\
Call something by the name of its Ansible module, with the module's options, without the
collection's name: instance, volume_info, apply. The answer is printed as JSON. Options are JSON,
in a file or in place; put secrets into a file: other users see what is on a command line.
"""
_CALL_EXAMPLES = """
examples:
  pextra call organization --options '{"name": "sales"}'
  pextra call apply --options cloud.json --check
  pextra call instance_info --options '{"name": "web1"}'
"""
_OPERATION = "Operations are calls that are kept for 7 days, with their progress, log and result."
_OPERATION_EXAMPLES = """
examples:
  pextra operation list --limit 5
  pextra operation list --json
  pextra operation show op-...         its progress, log and error
  pextra operation cancel op-...       ask it to stop before its next step
"""
_Run = Callable[[argparse.Namespace], int]


def _principal() -> Principal:
    """Who asks; systemd sets INVOCATION_ID for what its timers start."""
    return local("timer" if "INVOCATION_ID" in os.environ else "cli")


def _carried_out(
    arguments: argparse.Namespace, name: str, given: Mapping[str, Any], *, diff: bool = False
) -> Answer:
    """The answer to a call, which is kept as an operation if it changed something or failed."""
    procedure, principal = registry.find(name), _principal()
    shown = terminal.Shown()
    with Store(arguments.database, any_schema=procedure.any_schema) as store, Host() as host:
        try:
            if arguments.check or procedure.any_schema or not procedure.uses_store:
                return registry.call(
                    procedure, given, principal, check=arguments.check, diff=diff,
                    progress=shown, store=store, host=host,
                )  # fmt: skip
            id = operations.queue(procedure, given, principal, store, host)
            answer = operations.carry_out(
                id, procedure, given, principal, store, host, diff=diff, progress=shown
            )
            if not answer.get("changed"):
                Operations(store, host).forget(id)
            return answer
        finally:
            shown.close()


def _reconcile(arguments: argparse.Namespace) -> int:
    given = {"kind": arguments.kind, "names": [arguments.name] if arguments.name else None}
    wrong: IncompleteError | None = None
    try:
        answer = _carried_out(arguments, "reconcile", given, diff=arguments.diff)
    except IncompleteError as error:
        answer, wrong = error.results, error
    if arguments.json:
        terminal.say_json(answer)
    else:
        _say_findings(answer, check=arguments.check)
        terminal.say_difference(answer.get("diff", ()))
    if wrong is not None:
        terminal.complain(wrong)
    return FAILED if wrong is not None else DONE


def _say_findings(answer: Mapping[str, Any], *, check: bool) -> None:
    """A line for each resource that is not whole, and one about all of them."""
    resources, verb = answer["resources"], "would be changed" if check else "changed"
    for item in resources:
        told = [f"{', '.join(item['actions'])}"] if item["actions"] else []
        told += [f"left: {step['action']}, because {step['why']}" for step in item["left"]]
        told += [f"failed: {item['error']['code']}"] if item["error"] else []
        if told or item["found"] != "whole":
            terminal.say(f"{item['kind']} {item['name']}: {item['found']}: {'; '.join(told)}")
    changed = sum(item["changed"] for item in resources)
    failed = sum(item["error"] is not None for item in resources)
    noun = "resource" if len(resources) == 1 else "resources"
    terminal.say(f"{len(resources)} {noun}, {changed} {verb}, {failed} failed")


def _call(arguments: argparse.Namespace) -> int:
    given = _options(arguments.options)
    try:
        answer = _carried_out(arguments, arguments.name, given)
    except IncompleteError as error:
        terminal.say_json(plain(error.results))
        raise
    terminal.say_json(plain(answer))
    return DONE


def _options(text: str) -> dict[str, Any]:
    """Options in place, which begin with a brace, or in a file; - is standard input."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif not text.lstrip().startswith("{"):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        found = json.loads(text)
    except ValueError as error:
        hint = 'They are JSON: {"name": "web1"}, in single quotes, or a file with that'
        raise InputError(f"the options cannot be read: {error}", hint=hint) from None
    except OSError as error:
        raise InputError(f"the options cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise InputError('the options are no JSON object, such as {"name": "web1"}')
    return found


def _list(arguments: argparse.Namespace) -> int:
    with Store(arguments.database) as store, Host() as host:
        found = Operations(store, host).recent(arguments.limit)
    if arguments.json:
        terminal.say_json([_operation(item) for item in found])
        return DONE
    for item in found:
        when = item.creation.strftime("%Y-%m-%d %H:%M:%S")
        who = f"{item.principal.user}@{item.principal.origin}"
        terminal.say(
            f"{item.id}  {when}  {item.state:<9}  {item.progress:4.0%}  {item.name}  {who}"
        )
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    with Store(arguments.database) as store, Host() as host:
        item = Operations(store, host).find(arguments.id)
    if arguments.json:
        terminal.say_json(_operation(item))
        return DONE
    told = _operation(item)
    for key in ("id", "name", "state", "progress", "user", "node_id", "creation", "finished"):
        terminal.say(f"{key + ':':<11} {told[key]}")
    for line in item.log:
        terminal.say(f"{line.at.strftime('%H:%M:%S')}  {line.text}")
    if item.error is not None:
        terminal.say(f"{item.error['code']}: {item.error['message']}")
    return DONE


def _cancel(arguments: argparse.Namespace) -> int:
    with Store(arguments.database) as store, Host() as host:
        item = Operations(store, host).cancel(arguments.id)
    terminal.say(
        f"{item.id}: {'stops before its next step' if not item.state.ended else item.state}"
    )
    return DONE


def _operation(item: Operation) -> dict[str, Any]:
    """An operation as JSON has it."""
    same = (
        "id", "name", "options", "progress", "line", "cancelling", "result", "error", "node_id",
        "creation", "started", "finished",
    )  # fmt: skip
    principal = item.principal
    told = {key: getattr(item, key) for key in same} | {
        "state": item.state.value,
        "user": principal.user,
        "origin": principal.origin,
        "door": principal.door,
        "organization_id": principal.organization_id,
        "request_id": principal.request_id,
        "log": [{"at": line.at, "text": line.text} for line in item.log],
    }
    found: dict[str, Any] = plain(told)
    return found


def _version(_arguments: argparse.Namespace) -> int:
    terminal.say(pextra.VERSION)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pextra", description=_OVERVIEW, epilog=_EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=pextra.VERSION)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    reconcile = _command(
        commands, "reconcile", "make this node what the store says", _RECONCILE,
        _RECONCILE_EXAMPLES, _reconcile,
    )  # fmt: skip
    reconcile.add_argument(
        "kind", metavar="KIND", nargs="?", choices=POSSIBLE,
        help=f"only what is of this kind: {', '.join(POSSIBLE)}",
    )  # fmt: skip
    reconcile.add_argument("name", metavar="NAME", nargs="?", help="only this one, by name or id")
    _add_check(reconcile)
    reconcile.add_argument("--diff", action="store_true", help="show before and after")
    reconcile.add_argument("--json", action="store_true", help="print JSON")
    call = _command(commands, "call", "call what a module calls", _CALL, _CALL_EXAMPLES, _call)
    call.add_argument("name", metavar="NAME", help="what is called")
    call.add_argument(
        "--options", metavar="FILE|JSON", default="{}",
        help="the options; - is standard input (default: none)",
    )  # fmt: skip
    _add_check(call)
    _add_operation(commands)
    secrets.add(commands, _command, _carried_out)
    _add_policy(commands)
    audit.add(commands, _command, _principal)
    version = commands.add_parser("version", help="print the engine's version")
    version.set_defaults(run=_version)
    return parser


def _add_operation(commands: Any) -> None:
    made = commands.add_parser(
        "operation", help="what was run, and what runs", description=_OPERATION,
        epilog=_OPERATION_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = made.add_subparsers(metavar="ACTION", required=True)
    listed = _command(actions, "list", "list operations, the newest first", _OPERATION, "", _list)
    listed.add_argument("--limit", metavar="N", type=int, default=20, help="how many (default: 20)")
    shown = _command(actions, "show", "show one, with its log", _OPERATION, "", _show)
    for reader in (listed, shown):
        reader.add_argument("--json", action="store_true", help="print JSON")
    text = "Ask an operation to stop before its next step. What was done stays done."
    stopped = _command(actions, "cancel", "ask one to stop", text, "", _cancel)
    for one in (shown, stopped):
        one.add_argument("id", metavar="ID", help="the operation's identifier")


def _add_policy(commands: Any) -> None:
    made = commands.add_parser("policy", help="what policies decide", description=policy.ABOUT)
    actions = made.add_subparsers(metavar="ACTION", required=True)
    about = "whether a user may do something, and why"
    policy.add_options(_command(actions, "test", about, policy.ABOUT, policy.EXAMPLES, policy.test))


def _command(
    commands: Any, name: str, about: str, text: str, examples: str, run: _Run
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=text, epilog=examples + _EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.add_argument(
        "--database", metavar="CONNINFO",
        help="the database, as libpq writes it (default: PEXTRA_CE_DATABASE, else the node's)",
    )  # fmt: skip
    made.set_defaults(run=run)
    return made


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing, say what would be")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; from the command line unless given.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong usage.
    """
    terminal.prepare()
    try:
        try:
            chosen = _parser().parse_args(arguments)
        finally:
            terminal.flush()  # what it has printed, such as its usage
        run: _Run = chosen.run
        return run(chosen)
    except PextraError as error:
        terminal.complain(error)
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("pextra: interrupted; run it again to finish what it began\n")
        return FAILED


if __name__ == "__main__":
    raise SystemExit(main())
