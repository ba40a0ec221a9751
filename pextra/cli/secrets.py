# SPDX-License-Identifier: Apache-2.0
"""The command ``pextra secrets``: the keys that secrets in the store are encrypted with."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from pextra.calls.call import Answer
from pextra.cli import terminal

_SECRETS = """\
Secrets in the store, such as passwords of storage pools, are encrypted. The keys are files that
only root can read, in /var/lib/pextra-ce/keys of each node; keep a copy of them in a safe place.
Without them, secrets can only be set again.
"""
_EXAMPLES = """
examples:
  pextra secrets status        which keys there are, and whether this node can read every secret
  pextra secrets rotate        make another key, and encrypt every secret again with it
"""
_STATUS = (
    "Say which keys there are, which nodes have them, and which secrets this node cannot read."
)
_ROTATE = """\
Make another key, and encrypt every secret again with it. Where other nodes share the store, the
key is only made at first: copy it to them with the playbook pextra.ce.site, and run this again.
If it is interrupted, run it again, and it goes on. Older keys stay, for backups that need them.
"""
_NOTE = """\
Tell the store which of the cluster's keys this node has. The role pextra.ce.site runs it when it
has copied them.
"""
Add = Callable[..., argparse.ArgumentParser]
CarryOut = Callable[[argparse.Namespace, str, Mapping[str, Any]], Answer]


def add(commands: Any, command: Add, carry_out: CarryOut) -> None:
    """Add the command and its actions.

    Args:
        commands: What commands are added to.
        command: Adds one.
        carry_out: Answers a call.
    """
    made = commands.add_parser(
        "secrets", help="keys of encrypted secrets", description=_SECRETS, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = made.add_subparsers(metavar="ACTION", required=True)

    def status(arguments: argparse.Namespace) -> int:
        return _say(arguments, carry_out(arguments, "secrets_status", {}), _say_status)

    def rotate(arguments: argparse.Namespace) -> int:
        given = {"at_once": arguments.at_once, "give_up": arguments.give_up}
        return _say(arguments, carry_out(arguments, "secrets_rotation", given), _say_rotation)

    def note(arguments: argparse.Namespace) -> int:
        return _say(arguments, carry_out(arguments, "secrets_note", {}), _say_noted)

    one = command(actions, "status", "which keys there are", _STATUS, _EXAMPLES, status)
    one.set_defaults(check=True)
    other = command(actions, "rotate", "make another key", _ROTATE, _EXAMPLES, rotate)
    other.add_argument("--check", action="store_true", help="change nothing, say what would be")
    other.add_argument(
        "--at-once", action="store_true",
        help="do not wait for other nodes: they cannot read secrets until they have the key",
    )  # fmt: skip
    other.add_argument(
        "--give-up", action="store_true",
        help="go on where keys are lost: secrets that had them must be set again",
    )  # fmt: skip
    last = command(actions, "note", "tell which keys this node has", _NOTE, _EXAMPLES, note)
    last.set_defaults(check=False)
    for parser in (one, other, last):
        parser.add_argument("--json", action="store_true", help="print JSON")


def _say(
    arguments: argparse.Namespace, answer: Answer, say: Callable[[Mapping[str, Any]], None]
) -> int:
    if arguments.json:
        terminal.say_json(answer)
    else:
        say(answer)
    return 0


def _say_status(answer: Mapping[str, Any]) -> None:
    for key in answer["keys"]:
        here = "here" if key["here"] else "NOT on this node"
        terminal.say(f"{key['id']}  {key['state']:<8} {key['secrets']:>7} secrets  {here}")
        if key["missing_on"] and key["state"] != "old":
            terminal.say(f"  not known to be on: {', '.join(key['missing_on'])}")
    if not answer["keys"]:
        terminal.say("no key yet: it is made with the first secret")
    if answer["plain"]:
        text = "not encrypted yet: run the module pextra.ce.database with state=migrated"
        terminal.say(f"{answer['plain']} secrets are {text}")
    _say_unreadable(answer["unreadable"])


def _say_unreadable(found: list[Mapping[str, Any]]) -> None:
    for item in found:
        name = item["name"] or item["id"]
        terminal.say(
            f'this node cannot read: {item["kind"]} "{name}": {item["field"]} (key {item["key"]})'
        )


def _say_rotation(answer: Mapping[str, Any]) -> None:
    if "key" not in answer:
        terminal.say("another key would be made")
    elif answer["waiting_for"]:
        nodes = ", ".join(answer["waiting_for"])
        terminal.say(f"{answer['key']} is made, and not used yet: {nodes} must have it first.")
        terminal.say("Run the playbook pextra.ce.site for all nodes, then this command again.")
    else:
        terminal.say(f"{answer['key']} is used now; {answer['secrets']} secrets have it anew")
        _say_unreadable(answer["unreadable"])


def _say_noted(answer: Mapping[str, Any]) -> None:
    for id in answer["keys"]:
        terminal.say(f"{id} is on this node")
