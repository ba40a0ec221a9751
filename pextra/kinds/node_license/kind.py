# SPDX-License-Identifier: Apache-2.0
"""The platform licence of a node: one key, checked offline before it is stored."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.kinds.common import check_here, resolve_node
from pextra.kinds.node_license.fields import COMPUTED, FIELDS, STEERING
from pextra.model import kinds
from pextra.model.errors import InputError, PextraError
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.licensing.token import License
    from pextra.model.rows import NodeLicenseRow

EVALUATION_DAYS = 30


class NodeLicense(Kind["NodeLicenseRow", None]):
    """A node's licence."""

    spec = KindSpec(
        name=kinds.NODE_LICENSE,
        table="node_licenses",
        prefix="lic",
        on_node=True,
        times=("not_before", "expiry"),
        key="node_id",
        fields=FIELDS,
        computed=COMPUTED,
        options=STEERING,
        scope=("node_id",),
        unique=("key",),
        owned_by=None,
        rank=55,
    )

    def taken(
        self, columns: tuple[str, ...], row: NodeLicenseRow, other: NodeLicenseRow, world: World
    ) -> str:
        """Which node has the key, which is never said."""
        node = world.get(kinds.NODE, other["node_id"])
        return f'the key is that of node "{node["name"] if node else other["node_id"]}"'

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The node, this one unless named."""
        return {"node_id": resolve_node(request.values.get("node"), world, "node_license")["id"]}

    def draft(
        self, request: Request, current: NodeLicenseRow | None, row: NodeLicenseRow, world: World
    ) -> None:
        """Verify a new key; an evaluation never replaces a licence that is there."""
        resource = "node_license"
        check_here(row, world, resource)
        if request.options.get("evaluation"):
            if request.values.get("key") and not request.options.get("made"):
                raise InputError("give key or evaluation, not both", resource=resource)
            if current is not None:
                row.update(current)
                return
            if not row["key"]:
                _describe(row, _expected_evaluation(world.host))
                return
        if not row["key"]:
            raise InputError("key must be given", resource=resource)
        if current is None or current["key"] != row["key"]:
            _describe(row, _verified(str(row["key"]), world.host))

    def prepare(self, request: Request, host: Host) -> Request:
        """Make the evaluation licence that a request asks for."""
        if not request.options.get("evaluation") or request.values.get("key"):
            return request
        from pextra.licensing.evaluation import ensure_evaluation

        made = ensure_evaluation(_now(), host.license_dir, host.trust_dir)
        return dataclasses.replace(
            request,
            values={**request.values, "key": made.key},
            options={**request.options, "made": True},
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _verified(key: str, host: Host) -> License:
    from pextra.licensing import token
    from pextra.licensing.trust import TrustStore

    try:
        return token.verify(key.strip(), TrustStore.load(host.trust_dir), _now())
    except PextraError as error:
        error.resource = error.resource or "node_license"
        raise


def _expected_evaluation(host: Host) -> License:
    from pextra.licensing.evaluation import find_evaluation
    from pextra.licensing.token import Edition, License

    found = find_evaluation(_now(), host.license_dir, host.trust_dir)
    if found is not None:
        return found.license
    now = _now().replace(microsecond=0)
    return License(
        id="",
        customer="Evaluation",
        edition=Edition.EVALUATION,
        issued_at=now,
        not_before=now,
        expires_at=now + dt.timedelta(days=EVALUATION_DAYS),
        signer="",
    )


def _describe(row: NodeLicenseRow, license: License) -> None:
    row.update(
        {
            "edition": license.edition.value,
            "customer": license.customer,
            "not_before": license.not_before,
            "expiry": license.expires_at,
        }
    )
