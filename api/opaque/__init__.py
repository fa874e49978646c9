"""A plain log for any bytes over HTTP: ``POST /add``, and the C2SP tlog-tiles files at the same root.

It shares nothing with the ledger's API but the log beneath and a few headers. Each request carries one small entry, so
what a request costs in Python is what the server can do: there is no framework here, but an ``asyncio`` protocol.
"""

from api.opaque.server import Limits, serve

__all__ = ["Limits", "serve"]
