"""A log kept in a folder: durable before it is acknowledged, public files in C2SP tlog-tiles layout.

Example::

    log = FolderLog.open(path, signer=Ed25519Signer("example.org/log", seed), origin="example.org/log")
    first = log.append([b"one", b"two"])  # both are on disk now
    note = log.publish_checkpoint()
"""

from ledger.log.storage.check import check_folder, resume_check
from ledger.log.storage.files import FolderFetcher
from ledger.log.storage.folder import FolderLog

__all__ = ["FolderFetcher", "FolderLog", "check_folder", "resume_check"]
