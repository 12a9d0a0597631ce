# SPDX-License-Identifier: Apache-2.0
"""Ports: free ones from the kernel, and who has one that is taken."""

import socket

from tradewind.cli.suite.facts import HOST, SuiteError


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind((HOST, 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


def is_free(port: int) -> bool:
    """Whether something could listen on the port now."""
    with socket.socket() as item:
        item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            item.bind((HOST, port))
        except OSError:
            return False
        return True


def require_free(port: int, what: str, option: str) -> None:
    """Makes sure that the port can be listened on.

    Raises:
        SuiteError: PORT_TAKEN, with the option that chooses another one.
    """
    if not is_free(port):
        raise SuiteError(
            f"port {port} for the {what} is taken by another program: stop that program "
            f"(`ss -ltnp 'sport = :{port}'` names it), or choose another port with {option}",
            code="PORT_TAKEN",
        )
