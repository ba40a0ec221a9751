"""Hashes of the administrator's password, and every secret of a plan."""

from __future__ import annotations

import dataclasses
import subprocess

from pextra.kinds.user import passwords
from pextra_installer.fieldtypes import MAX_PASSWORD
from pextra_installer.plan import Administrator, Plan
from pextra_installer.problems import InstallerError


def crypt_hash(password: str) -> str:
    """The SHA-512 crypt(5) hash of a password, by openssl, which reads it from standard input.

    Raises:
        InstallerError: openssl is not there or refuses, or would hash a part of the password only.
    """
    if len(password.encode()) > MAX_PASSWORD or set(password) & set("\0\r\n"):
        raise InstallerError(
            "this password cannot be hashed for Linux",
            f"Use at most {MAX_PASSWORD} bytes, on one line",
        )
    try:
        done = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"],
            input=f"{password}\n",
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise InstallerError(f"openssl cannot be run: {error.strerror}") from None
    if done.returncode != 0 or not done.stdout.startswith("$6$"):
        raise InstallerError(f"openssl made no hash: {done.stderr.strip()}")
    return done.stdout.strip()


def hashed(plan: Plan) -> Plan:
    """The same plan with hashes in place of the password."""
    administrator = plan.administrator
    if administrator.password is None:
        return plan
    made = Administrator(
        username=administrator.username,
        password_hash=passwords.hash_password(administrator.password),
        root_password_hash=crypt_hash(administrator.password),
    )
    return dataclasses.replace(plan, administrator=made)


def secrets_of(plan: Plan) -> frozenset[str]:
    """Every text of a plan that nobody may see."""
    administrator = plan.administrator
    values = (
        plan.license_key,
        administrator.password,
        administrator.password_hash,
        administrator.root_password_hash,
    )
    return frozenset(value for value in values if value)
