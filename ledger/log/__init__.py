"""The append-only Merkle log: RFC 6962 trees, C2SP tiles, checkpoints and signed notes.

The modules beside this file are pure: bytes in, bytes or an error out. ``ledger.log.storage`` keeps a log in a
folder. ``docs/spec/log.md`` is the format, from which a stranger can write a reader.
"""
