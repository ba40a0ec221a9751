# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller with the collection as a user installs it, and a machine to work on.

The machine is this one, with mounts and network of its own: what is written to /etc, /run and
/var/lib is gone afterwards, and what is logged comes to the test. systemd does not run in it; what
it would do to start a guard is a script here. Its engine is the package that is installed.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import yaml

COLLECTION = Path(__file__).parents[2]
_LOCAL = "localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"
_MACHINE = r"""
set -eu
place=$1
shift
mount -t tmpfs tmpfs "$place"
mkdir "$place/etc" "$place/work" "$place/dev"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$place/etc,workdir=$place/work" /etc
for name in null zero full random urandom tty; do
    touch "$place/dev/$name"
    mount --bind "/dev/$name" "$place/dev/$name"
done
for name in shm pts; do
    mkdir "$place/dev/$name"
    mount --rbind "/dev/$name" "$place/dev/$name"
done
ln -s /proc/self/fd "$place/dev/fd"
touch "$place/dev/log"
mount --bind "$LOG" "$place/dev/log"
mount --rbind "$place/dev" /dev
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/systemd/system /run/systemd/netif/links /run/systemd/journal
touch /run/systemd/journal/socket
mount --bind "$LOG" /run/systemd/journal/socket
mount -t tmpfs tmpfs /var/lib
ip link set lo up
ip link add uplink0 type veth peer name cable0
ip address add 192.0.2.2/24 dev uplink0
ip link set uplink0 up
ip link set cable0 up
if [ -n "${ENGINE_PLACE:-}" ]; then
    mount -t tmpfs tmpfs "$ENGINE_PLACE"
    if [ -n "${ENGINE_VERSION:-}" ]; then
        echo "VERSION = '$ENGINE_VERSION'" > "$ENGINE_PLACE/__init__.py"
    fi
fi
exec "$@"
"""
_SYSTEMD_RUN = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do shift; done
setsid "$@" </dev/null >/dev/null 2>&1 &
"""


class Log:
    """What the machine's programs send to syslog or to the journal.

    Args:
        path: Where its socket is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while line := self._socket.recv(1 << 20):
            self._lines.append(line.decode(errors="replace"))

    def close(self) -> str:
        """All of it, when nobody writes to it any more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(self.path))
        self._reader.join()
        self._socket.close()
        return "\n".join(self._lines)


class Run:
    """What became of a playbook.

    Attributes:
        code: The exit status.
        output: Standard output and error.
        log: What was logged on the machine meanwhile.
        results: What the playbook's tasks returned, by the name that they registered.
    """

    def __init__(self, code: int, output: str, log: str, results: dict[str, Any]) -> None:
        self.code = code
        self.output = output
        self.log = log
        self.results = results

    def __getitem__(self, name: str) -> Any:
        assert name in self.results, self.output
        return self.results[name]


class Controller:
    """An ansible-core with the collection, outside of this tree.

    Args:
        programs: Where its programs are.
        directory: What is its own.
    """

    def __init__(self, programs: Path, directory: Path) -> None:
        self.programs = programs
        self.directory = directory
        bin = directory / "bin"
        bin.mkdir()
        for name, text in (("systemd-run", _SYSTEMD_RUN), ("networkctl", "#!/bin/sh\n")):
            (bin / name).write_text(text)
            (bin / name).chmod(0o755)
        (directory / "ansible.cfg").write_text("")
        (directory / "hosts").write_text(_LOCAL)
        self.environment = {
            "ANSIBLE_ASYNC_DIR": str(directory / "async"),
            "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_INJECT_INVOCATION": "1",  # show all that a controller can show
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_REMOTE_TMP": str(directory / "tmp"),
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{bin}:{programs}:/usr/bin:/bin",  # as `su` leaves it to root
            **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        }

    def install(self) -> None:
        """Build the collection and install it as a user does."""
        self.run("ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", ".")
        (built,) = self.directory.glob("pextra-ce-*.tar.gz")
        self.run("ansible-galaxy", "collection", "install", str(built), "-p", "collections")

    @property
    def collection(self) -> Path:
        """The installed collection."""
        return self.directory / "collections/ansible_collections/pextra/ce"

    def run(self, program: str, *arguments: str) -> str:
        """What one of its programs prints to standard output; it has to succeed."""
        done = subprocess.run(
            [str(self.programs / program), *arguments], cwd=self.directory, env=self.environment,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def play(
        self,
        tasks: list[dict[str, Any]],
        *arguments: str,
        defaults: dict[str, Any] | None = None,
        variables: dict[str, Any] | None = None,
        **environment: str,
    ) -> Run:
        """Run tasks on the machine.

        Args:
            tasks: As a playbook has them. Those that register something go on when they fail.
            arguments: Of ansible-playbook.
            defaults: What all modules of the collection share.
            variables: Of the play; they come from a file of their own.
            environment: Of ansible-playbook.
        """
        place = Path(tempfile.mkdtemp(dir=self.directory))
        names = [task["register"] for task in tasks if "register" in task]
        content = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}"
        kept = {"dest": str(place / "results.json"), "content": content, "mode": "0600"}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/pextra.ce.all": defaults or {}},
            "tasks": [
                {**task, "ignore_errors": True} if "register" in task else task for task in tasks
            ]
            + [{"ansible.builtin.copy": kept, "check_mode": False, "no_log": True}],
        }
        (place / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        (place / "variables.yml").write_text(yaml.safe_dump(variables or {}))
        (place / "mounts").mkdir()
        log = Log(place / "log")
        done = subprocess.run(
            [
                "unshare", "--mount", "--net", "--propagation", "private",
                "bash", "-c", _MACHINE, "machine", str(place / "mounts"),
                str(self.programs / "ansible-playbook"), "-i", str(self.directory / "hosts"),
                "-e", f"@{place / 'variables.yml'}", str(place / "play.yml"), *arguments,
            ],
            cwd=self.directory, env={**self.environment, "LOG": str(log.path), **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        results = place / "results.json"
        found = json.loads(results.read_text()) if results.exists() else {}
        return Run(done.returncode, done.stdout, log.close(), found)
