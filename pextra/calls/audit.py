# SPDX-License-Identifier: Apache-2.0
"""The audit log: read a page at a time, checked, and pruned."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import json
import re
import uuid
from collections.abc import Container

from pextra.access.audit.chain import EARLIER, entry, moment
from pextra.access.audit.check import Tampering
from pextra.calls.audit_verification import Verification
from pextra.calls.call import Answer, Call, Procedure, options, told
from pextra.engine import sealing
from pextra.kinds.common import within
from pextra.model.errors import ConflictError, InputError
from pextra.model.fields import Field
from pextra.model.names import KindName
from pextra.model.plan import Phase, Step
from pextra.model.units import parse_time
from pextra.model.values import Document, Options
from pextra.store import audit as rows
from pextra.store.audit import Wanted
from pextra.store.transaction import Transaction

MOST_ROWS = 1000
_AGE = re.compile(r"(\d{1,6})\s*([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
OUTCOMES = ("succeeded", "failed", "denied")


def parse_moment(value: object) -> str:
    """A time, or how long ago: ``2026-01-31T12:00:00Z``, ``2026-01-31``, ``90m``, ``7d``.

    Raises:
        InputError: It is neither.
    """
    text = str(value).strip()
    age = _AGE.fullmatch(text)
    if age is None:
        return moment(parse_time(text))
    try:
        ago = dt.timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
        return moment(dt.datetime.now(dt.UTC) - ago)
    except OverflowError:
        raise InputError(f"{text!r} is too long ago") from None


INFO_FIELDS = (
    Field("since", parse=parse_moment),
    Field("until", parse=parse_moment),
    Field("user"),
    Field("kind"),
    Field("resource"),
    Field("action"),
    Field("outcome", choices=OUTCOMES),
    Field("organization_id"),
    Field("request_id"),
    Field("limit", "int", default=100, parse=within(1, MOST_ROWS)),
    Field("cursor"),
)
VERIFY_FIELDS = (Field("checkpoints", "list", elements="dict", default=[]),)
PRUNE_FIELDS = (
    Field("before", required=True, parse=parse_moment),
    Field("chains", "list", elements="str"),
    Field("force", "bool", default=False),
)


def _list(call: Call) -> Answer:
    given = options(INFO_FIELDS, call.given, "audit_info")
    wanted = Wanted(
        since=_time(given["since"]), until=_time(given["until"]), user=given["user"],
        kind=given["kind"], resource=given["resource"], action=given["action"],
        outcome=given["outcome"], organization=given["organization_id"],
        request=given["request_id"], limit=given["limit"] + 1,
        after=_after(given["cursor"]) if given["cursor"] else None,
    )  # fmt: skip

    def work(tx: Transaction) -> tuple[list[Document], dict[str, str]]:
        found = [entry(row) for row in rows.page(tx, wanted)]
        return found, rows.nodes(tx, sorted({str(item["chain"]) for item in found}))

    found, nodes = call.store.transact(work, read_only=True)
    shown = found[: given["limit"]]
    more = len(found) > len(shown)
    return {
        "changed": False,
        "audit": [{**item, "node": nodes.get(str(item["chain"]))} for item in shown],
        "next_cursor": _cursor(shown[-1]) if more else None,
    }


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text is not None else None


def _cursor(item: Document) -> str:
    """What names the place after a row to whoever asks for the next page."""
    place = json.dumps([item["at"], item["step"], item["id"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _after(cursor: str) -> tuple[dt.datetime, int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, step, id = json.loads(text)
        return dt.datetime.fromisoformat(at), int(step), str(uuid.UUID(id))
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise InputError(
            f"{cursor[:80]!r} is no cursor", hint="Take it from next_cursor of the page before"
        ) from None


def _verify(call: Call) -> Answer:
    given = options(VERIFY_FIELDS, call.given, "audit_verify")
    found = Verification(call.store, call.host, given["checkpoints"]).run()
    return {"changed": False, **found}


def _prune(call: Call) -> Answer:
    given = options(PRUNE_FIELDS, call.given, "audit_prune")
    before = dt.datetime.fromisoformat(given["before"])
    if before > dt.datetime.now(dt.UTC):
        raise InputError("before is in the future", resource="audit_prune")
    old = sealing.prunable(call.store, given["chains"], before)
    if old and not given["force"]:
        _refuse_tampered(call, old)
    steps = [_pruning(name, *numbers) for name, numbers in old.items()]
    if not call.check:
        sealing.finish_pruning(call.store, given["chains"])
        for step in steps:
            through = old[step.id][1]
            sealing.prune(
                call.store, call.host, step.id, through, before,
                lambda tx, step=step: call.audit(tx, [step]),  # type: ignore[misc]
            )  # fmt: skip
    return told(steps, diff=call.diff)


def _pruning(chain: str, first: int, last: int) -> Step:
    values: Document = {"first": first, "last": last}
    return Step(KindName("audit"), chain, chain, "prune", Phase.STORE, values, None)


def _refuse_tampered(call: Call, names: Container[str]) -> None:
    """Refuse to remove rows that show what somebody did to them.

    Raises:
        ConflictError: Something was done to the chains.
    """
    found = Verification(call.store, call.host, ()).run()["findings"]
    wrong = [
        item for item in found if item["chain"] in names and item["what"] != Tampering.UNSEALED
    ]
    if wrong:
        raise ConflictError(
            f"the audit log is not whole: chain {wrong[0]['chain']}, {wrong[0]['text']}",
            resource="audit_prune",
            hint="Look at pextra audit verify, keep an export, then prune with force",
        )


def retain(call: Call) -> Answer | None:
    """Prune by age as the node's settings say, once a day; None where nothing is to be done.

    A node prunes its own chain, and that of the rows from before there were chains.

    Raises:
        PextraError: The settings are not acceptable, or a chain is not whole.
    """
    days = sealing.settings(call.host).retention_days
    if days is None:
        return None
    names, now = [call.host.key, EARLIER], dt.datetime.now(dt.UTC)
    before, kept = now - dt.timedelta(days=days), sealing.files(call.host)
    if kept.pruned_lately() or not sealing.prunable(call.store, names, before):
        return None
    kept.note_pruning()  # first: a chain that is not whole is looked at once a day, too
    given: Options = {"before": moment(before), "chains": names}
    return _prune(dataclasses.replace(call, given=given))


PROCEDURES = (
    Procedure("audit_info", INFO_FIELDS, _list),
    Procedure("audit_prune", PRUNE_FIELDS, _prune, module=False),
    Procedure("audit_verify", VERIFY_FIELDS, _verify, module=False),
)
