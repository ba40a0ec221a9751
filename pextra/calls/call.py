# SPDX-License-Identifier: Apache-2.0
"""A call: what a face asks of this node, and what answers it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pextra.engine.progress import SILENT, Progress
from pextra.host.machine import Host
from pextra.model.errors import InputError
from pextra.model.fields import Field, Masked, normalise
from pextra.model.plan import Step
from pextra.model.principal import Principal
from pextra.model.units import format_time
from pextra.model.values import Document, Options
from pextra.store.connection import Store
from pextra.store.transaction import Transaction

Answer = dict[str, Any]
"""What a call returns, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        given: The options as they were given, nulls included, without ``database``.
        store: The database; opened when it is first used.
        host: This machine.
        principal: Who asks.
        check: Only say what would be done.
        diff: Say also how each changed thing was and will be.
        progress: What follows the call.
    """

    given: Options
    store: Store
    host: Host
    principal: Principal
    check: bool = False
    diff: bool = False
    progress: Progress = SILENT

    def audit(self, tx: Transaction, steps: Iterable[Step]) -> None:
        """Record what is about to change; what goes through the engine records it itself."""
        tx.audit(steps, self.principal, self.host.key)


@dataclass(frozen=True, slots=True)
class Procedure:
    """What can be called by a name.

    Attributes:
        name: Its name, which is that of its Ansible module, if it has one.
        fields: Its options.
        run: Answers a call; raises PextraError.
        any_schema: It also works on a store whose schema is not the one this program knows.
        uses_store: It takes the option ``database``.
        masked: Finds the secrets in raw options, where the fields do not tell.
        module: Whether it has an Ansible module.
    """

    name: str
    fields: tuple[Field, ...]
    run: Callable[[Call], Answer]
    any_schema: bool = False
    uses_store: bool = True
    masked: Callable[[Options], Masked] | None = None
    module: bool = True

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, and so leaves nothing in the audit log."""
        return self.name.endswith("_info") or self.name == "audit_verify"


def options(fields: tuple[Field, ...], given: Options, name: str) -> dict[str, Any]:
    """The options of a call that is about no resource: canonical, with defaults.

    Raises:
        InputError: One is unknown, missing or unacceptable.
    """
    values = normalise(fields, given, name)
    missing = [field.name for field in fields if field.required and field.name not in values]
    if missing:
        raise InputError(f"{', '.join(missing)} is missing", resource=name)
    return {field.name: values.get(field.name, field.default) for field in fields}


_SCALARS = frozenset((str, int, bool, float, type(None)))
"""What most of an answer is made of, and is as JSON has it."""


def plain(value: Any) -> Any:
    """The value as JSON has it, times as ISO 8601 in UTC."""
    if isinstance(value, dict):
        return {key: item if type(item) in _SCALARS else plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _SCALARS else plain(item) for item in value]
    return format_time(value) if isinstance(value, dt.datetime) else value


def told(steps: Iterable[Step], *, diff: bool) -> Answer:
    """What is returned of the steps of a plan."""
    shown = [plain(step.as_dict()) for step in steps]
    return {"changed": bool(shown), "plan": shown} | ({"diff": differences(shown)} if diff else {})


def differences(steps: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Each step as a difference with headers, as diff mode shows it."""
    return [
        {
            "before_header": f"{step['kind']} {step['name']} ({step['action']})",
            "after_header": f"{step['kind']} {step['name']} ({step['action']})",
            "before": step["before"] or "",
            "after": step["after"] or "",
        }
        for step in steps
    ]
