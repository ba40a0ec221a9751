"""ssh's ProxyCommand: hands ssh a connection that was made in the lab's network namespace.

Usage: nsenter --net=/run/netns/LAB connect.py ADDRESS PORT, with ProxyUseFdpass in ssh_config.
"""

from __future__ import annotations

import socket
import sys


def main() -> None:
    """Connect, and pass the socket on through standard output, which ssh made a socket."""
    address, port = sys.argv[1:]
    connection = socket.create_connection((address, int(port)), timeout=5)
    connection.settimeout(None)
    with socket.socket(fileno=1) as ssh:
        socket.send_fds(ssh, [b"\0"], [connection.fileno()])


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"lab: {error}")
