# SPDX-License-Identifier: Apache-2.0
"""Carrying out the steps of instances with libvirt, and waiting for what they begin."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pextra.host.hypervisor import domain_xml, live_ports, pauses, power, unplug
from pextra.host.hypervisor.connection import some_at_once, translated
from pextra.host.machine import Host
from pextra.kinds.instance import files as instance_files
from pextra.kinds.instance import overlays as instance_overlays
from pextra.kinds.instance.files import console_log
from pextra.kinds.instance.work import DomainWork
from pextra.model import ids
from pextra.model.errors import PextraError, one_or_all
from pextra.model.plan import Step
from pextra.model.request import Request, label

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

_DEFINITIONS = ("define", "redefine")
_LIVE = 1
"""libvirt's VIR_DOMAIN_AFFECT_LIVE."""


def execute_many(steps: Sequence[Step], host: Host) -> None:
    """Carry out steps of one action with libvirt, definitions some at a time.

    Raises:
        PextraError: One failed; those that had not yet begun are not carried out, as after an
            interruption.
    """
    if steps[0].action == "unplug":
        _unplug(steps, host)
        return
    if steps[0].action not in _DEFINITIONS:
        for step in steps:
            execute(step, host)
        return
    for type in {step.work_as(DomainWork).type for step in steps}:
        _opened = host.driver(type).connection  # by one thread, for all of them
    some_at_once(lambda step: execute(step, host), steps)


def execute(step: Step, host: Host) -> None:
    """Carry out one step with libvirt."""
    if step.action in instance_files.ACTIONS:
        instance_files.execute(step)
        return
    if step.action == instance_overlays.ACTION:
        instance_overlays.execute(step, host)
        return
    work = step.work_as(DomainWork)
    driver, resource = host.driver(work.type), label("instance", step.name)
    if step.action in _DEFINITIONS:
        _execute_define(step, work, host)
    elif step.action == "set-port" and work.nic is not None:
        live_ports.correct(driver.domain(ids.uuid_of(step.id)), work.nic, work.metadata, resource)
    elif step.action in ("plug", "change-medium"):
        _execute_device(step, work, host)
    elif step.action == "undefine":
        power.undefine(driver, step.id, resource, forget=work.forget)
    elif step.action == "start":
        host.console_marks[step.id] = power.console_size(console_log(step.id, host))
        power.start(driver, step.id, resource)
    elif step.action == "kill":
        power.kill(driver, step.id, resource)
        power.rename(driver, step.id, step.name, resource)
    elif step.action == "discard":
        power.discard(driver, step.id, resource)
    elif step.action == "resume":
        pauses.go_on(driver, step.id, resource)
    elif step.action == "rename":
        power.rename(driver, step.id, step.name, resource)
    else:
        power.ask_to_stop(driver, step.id, resource)


def _execute_define(step: Step, work: DomainWork, host: Host) -> None:
    if work.console_log:
        os.makedirs(os.path.dirname(work.console_log), mode=0o700, exist_ok=True)
    text = domain_xml.render(work.definition) if work.definition else work.text
    with translated("defining it", label("instance", step.name)):
        domain = host.driver(work.type).connection.defineXMLFlags(text, 0)
        if step.action == "redefine" or work.autostart:
            domain.setAutostart(int(work.autostart))


def _execute_device(step: Step, work: DomainWork, host: Host) -> None:
    domain = host.driver(work.type).domain(ids.uuid_of(step.id))
    with translated(f"{step.action} of a device", label("instance", step.name)):
        if step.action == "plug" and work.nic is not None:
            live_ports.plug(domain, work.nic, work.metadata, work.text, step.name)
        elif step.action == "plug":
            domain.attachDeviceFlags(work.text, _LIVE)
        else:
            domain.updateDeviceFlags(work.text, _LIVE)


def _unplug(steps: Sequence[Step], host: Host) -> None:
    """Have guests let go of devices: all are asked before any is waited for.

    Raises:
        PextraError: Some were not let go of.
    """
    errors: list[PextraError] = []
    asked: list[unplug.Asked] = []
    for step in steps:
        work = step.work_as(DomainWork)
        domain = host.driver(work.type).domain(ids.uuid_of(step.id))
        try:
            asked.append(unplug.ask(domain, work.text, label("instance", step.name)))
        except PextraError as error:
            errors.append(error)
    errors += unplug.wait(asked)
    if errors:
        raise one_or_all(errors, "what else was to be let go of was")


def wait(steps: Sequence[Step], host: Host) -> dict[str, PextraError]:
    """Wait until shutdowns are complete, all at once; start each again that was to restart.

    One that fails keeps no other from being started again; why it failed is returned, by its id.
    """
    errors: dict[str, PextraError] = {}
    waiting: list[tuple[Step, power.Stopping | None]] = []
    for step in steps:
        with _kept(step, errors):
            waiting.append((step, _stopping(step, host)))
    while waiting:
        left: list[tuple[Step, power.Stopping | None]] = []
        for step, stopping in waiting:
            with _kept(step, errors):
                if stopping is not None and not stopping.over():
                    left.append((step, stopping))
                    continue
                _complete(step, host)
        waiting = left
        if waiting:
            time.sleep(power.POLL)
    return errors


@contextlib.contextmanager
def _kept(step: Step, errors: dict[str, PextraError]) -> Iterator[None]:
    """Keep why a step failed, and go on."""
    try:
        yield
    except PextraError as error:
        errors[step.id] = error


def _stopping(step: Step, host: Host) -> power.Stopping | None:
    if step.action not in ("shutdown", "restart"):
        return None
    work = step.work_as(DomainWork)
    resource = label("instance", step.name)
    return power.Stopping(host.driver(work.type), step.id, work.timeout, resource)


def _complete(step: Step, host: Host) -> None:
    """What follows when a guest is off, or goes on."""
    driver = host.driver(step.work_as(DomainWork).type)
    resource = label("instance", step.name)
    if step.action == "resume":
        pauses.check_goes_on(driver, step.id, resource)
        return
    if step.action in ("shutdown", "restart"):
        power.rename(driver, step.id, step.name, resource)
    if step.action == "restart":
        host.console_marks[step.id] = power.console_size(console_log(step.id, host))
        power.start(driver, step.id, resource)


def settle(request: Request, row: InstanceRow, host: Host) -> None:
    """Wait for the console line that the request names."""
    if request.state not in ("started", "restarted"):
        return
    offset = host.console_marks.get(row["id"], 0)
    power.wait_console(
        console_log(row["id"], host), request.options["wait_console"], offset,
        request.options["timeout"], label("instance", row["name"]),
    )  # fmt: skip
