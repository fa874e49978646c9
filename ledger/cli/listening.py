"""The address that a verb serves on, from its ``--listen``, and as it is told."""

from __future__ import annotations

import socket

from ledger.domain.errors import InvalidInputError, UnavailableError


def listen_on(address: str) -> socket.socket:
    """Return a socket that listens on ``HOST:PORT``.

    Raises:
        InvalidInputError: It is no such address.
        UnavailableError: The system does not give it.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise InvalidInputError("--listen", address, "HOST:PORT, as 127.0.0.1:8440")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except OSError as error:
        raise UnavailableError("port", f"{address}: {error.strerror or error}") from error


def url_of(listener: socket.socket) -> str:
    """Return the address that a listener is reached at."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"
