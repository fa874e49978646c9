"""The chain adapters: the embedded engine, any JSON-RPC network, the outbox, the follower and the contract bindings.

What callers use is re-exported by the sub-packages; ``ledger.bootstrap`` alone chooses between them.
"""
