# SPDX-License-Identifier: Apache-2.0
"""The licence of the CockroachDB that the store is in."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass

from pextra.calls.call import Answer, Call, Procedure, options, told
from pextra.host.facts import now
from pextra.licensing.cockroachdb import (
    GRACE_WITHOUT_LICENSE,
    CockroachLicense,
    check_expiry,
    days_until,
    mask,
    parse,
)
from pextra.model.errors import ConflictError, PextraError, VerificationError
from pextra.model.fields import Field
from pextra.model.names import KindName
from pextra.model.plan import Phase, Shown, Step
from pextra.model.units import format_time
from pextra.model.values import Document
from pextra.store import schema
from pextra.store.cockroachdb import LICENSE, ORGANIZATION, ClusterSettings
from pextra.store.transaction import Transaction

KIND = "cockroach_license"
FIELDS = (Field("key", required=True, secret=True),)
WARN_DAYS = 30
"""An end that is nearer than this is warned of."""


@dataclass(frozen=True, slots=True)
class State:
    """What the cluster has: the key, empty without one, and the organization's name."""

    key: str
    organization: str


def look(settings: ClusterSettings) -> State:
    """Read both settings."""
    return State(settings.read(LICENSE), settings.read(ORGANIZATION))


def wanted(key: str, state: State, moment: dt.datetime) -> State:
    """What a key makes of the cluster. A key that is set already may have expired meanwhile.

    CockroachDB before 24.3 accepts a licence only while the cluster's organization is called as
    the licence says, letter case aside, and one that names none only while the setting is empty.

    Raises:
        LicenseError: It is no key, or it has expired.
    """
    text = key.strip()
    license = parse(text)
    if text != state.key:
        check_expiry(license, moment)
    same = license.organization.casefold() == state.organization.casefold()
    return State(text, state.organization if same else license.organization)


def plan(before: State, after: State) -> list[Step]:
    """The steps from one state to the other: at most one for each setting."""
    steps = []
    if before.organization != after.organization:
        values = {"organization": before.organization}, {"organization": after.organization}
        steps.append(_step(ORGANIZATION, *values))
    if before.key != after.key:
        shown = _shown(before.key), _shown(after.key)
        if shown[0] == shown[1]:
            shown = {**(shown[0] or {}), "key": "(another key)"}, shown[1]
        steps.append(_step(LICENSE, *shown))
    return steps


def _step(name: str, before: Shown, after: Shown) -> Step:
    return Step(KindName(KIND), name, name, "set", Phase.STORE, before, after)


def _shown(key: str) -> Document | None:
    """What may be shown of a key in a plan; None where there is none."""
    if not key:
        return None
    try:
        license = parse(key)
    except PextraError:
        return {"key": mask(key)}
    return {"key": mask(key), "type": license.type.value, "expiry": format_time(license.expiry)}


def describe(key: str, moment: dt.datetime) -> Document | None:
    """A licence as a task returns it, its key masked; None where there is none."""
    if not key:
        return None
    license = parse(key)
    return {
        "key": mask(key),
        "type": license.type.value,
        "organization": license.organization,
        "environment": license.environment,
        "expiry": format_time(license.expiry),
        "valid": moment < license.expiry,
        "days_left": days_until(license.expiry, moment),
        "telemetry_required": license.type.needs_telemetry,
    }


def _license(call: Call) -> Answer:
    moment = now()
    key = options(FIELDS, call.given, KIND)["key"]
    parse(key)
    with contextlib.closing(call.store.connect()) as connection:
        settings = ClusterSettings(connection)
        _require_cockroachdb(settings)
        before = look(settings)
        after = wanted(key, before, moment)
        steps = plan(before, after)
        if steps and not call.check:
            _set(call, settings, steps, after)
    found = {KIND: describe(after.key, moment), "organization": after.organization}
    return {**told(steps, diff=call.diff), **found}


def _require_cockroachdb(settings: ClusterSettings) -> None:
    if settings.version is None:
        raise ConflictError(
            "the store is in a database that is not CockroachDB and has no such licence",
            hint="Name the CockroachDB in the option database",
        )


def _set(call: Call, settings: ClusterSettings, steps: list[Step], after: State) -> None:
    """Record the change, carry it out, and read it back.

    The settings cannot be part of a transaction: the record comes first, as with other changes
    outside the store.
    """

    def record(tx: Transaction) -> None:
        # The licence may be set before the store has tables, or those that this engine knows.
        if schema.version(tx) == schema.LATEST:
            call.audit(tx, steps)

    call.store.transact(record)
    values = {LICENSE: after.key, ORGANIZATION: after.organization}
    for step in steps:
        settings.write(step.name, values[step.name])
    if look(settings) != after:
        raise VerificationError(
            "CockroachDB took the settings, but shows others",
            resource=KIND,
            hint="Run it again; if that does not help, look whether another run sets another key",
        )


def _look(call: Call) -> Answer:
    options((), call.given, f"{KIND}_info")
    with contextlib.closing(call.store.connect()) as connection:
        settings = ClusterSettings(connection)
        found = _NOT_COCKROACHDB if settings.version is None else examine(settings, now())
    warnings = [found["warning"]] if found["warning"] else []
    return {"changed": False, **found, "warnings": warnings}


_NOT_COCKROACHDB: Document = {
    "version": None,
    KIND: None,
    "organization": None,
    "throttled_from": None,
    "throttled_from_exact": None,
    "days_left": None,
    "warning": None,
}


def examine(settings: ClusterSettings, moment: dt.datetime) -> Document:
    """What is known of the cluster's licence, and how long it works with that."""
    state = look(settings)
    license = parse(state.key) if state.key else None
    limit, exact = (license.throttled_from, True) if license else _limit_without(settings)
    return {
        "version": settings.version,
        KIND: describe(state.key, moment),
        "organization": state.organization,
        "throttled_from": format_time(limit) if limit else None,
        "throttled_from_exact": exact,
        "days_left": days_until(limit, moment) if limit else None,
        "warning": warning(license, limit, moment),
    }


def _limit_without(settings: ClusterSettings) -> tuple[dt.datetime | None, bool]:
    born, exact = settings.born()
    return (born + GRACE_WITHOUT_LICENSE if born else None), exact and born is not None


def warning(
    license: CockroachLicense | None, limit: dt.datetime | None, moment: dt.datetime
) -> str | None:
    """What a person should be told, None where all is well."""
    if license is not None and days_until(license.expiry, moment) > WARN_DAYS:
        return None
    if license is None:
        what = "CockroachDB has no licence"
    else:
        verb = "expired" if license.expiry <= moment else "expires"
        what = f"the CockroachDB licence {verb} at {format_time(license.expiry)}"
    if limit is not None:
        days = days_until(limit, moment)
        when = f"in {days} day{'' if days == 1 else 's'}" if days else "now"
        what += f"; the platform is not functional from {format_time(limit)} on, {when}"
    elif license is None:
        days = GRACE_WITHOUT_LICENSE.days
        what += f"; the platform is not functional {days} days after the cluster was made"
    return f"{what}. Get a key from cockroachlabs.cloud and set it with pextra.ce.cockroach_license"


PROCEDURES = (
    Procedure(KIND, FIELDS, _license, any_schema=True),
    Procedure(f"{KIND}_info", (), _look, any_schema=True),
)
