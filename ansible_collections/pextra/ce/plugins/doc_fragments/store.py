# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module reaches the store."""

from __future__ import annotations


class ModuleDocFragment:
    """The option of every module that reads or writes the store."""

    DOCUMENTATION = r"""
options:
  database:
    description:
      - Where the store is, as a connection string of libpq, in keywords and values or as a URI.
      - Left out, it is the environment variable E(PEXTRA_CE_DATABASE) of the process that runs the
        module, without that what C(/etc/pextra-ce/database.conninfo) says on a node whose database
        is on another one, and without that the node's own database,
        V(host=/var/run/postgresql port=5499 dbname=pextra_ce user=pextra_ce), which Linux user
        V(root) reaches by peer authentication.
      - Anything but a local socket is reached with TLS. The server's certificate is verified with
        C(sslmode=verify-full), or with C(verify-ca) if the string says so; a weaker mode is
        refused. Name the authority's certificate with C(sslrootcert).
      - Connecting gives up after 10 seconds, unless the string has another C(connect_timeout).
      - Keep passwords out of it. They belong in a file that C(passfile) names, see U(https://www.postgresql.org/docs/15/libpq-pgpass.html).
    type: str
requirements:
  - python >= 3.11
  - psycopg >= 3.1 (Debian package python3-psycopg)
notes:
  - To set O(database) once for a whole play, use C(module_defaults) with C(group/pextra.ce.all).
"""
