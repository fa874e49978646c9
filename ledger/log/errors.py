"""What can be wrong with a log's files; each error names the first file or entry that is wrong."""

from __future__ import annotations

from ledger.domain.errors import NotFoundError, VerificationError


class MissingFileError(NotFoundError):
    """The log has no file at this path."""

    code = "log_file_missing"
    meaning = "The log has no file under this path."
    remedy = "Check the log's address. If its checkpoint promises the file, keep the checkpoint and ask the operator."

    def __init__(self, path: str) -> None:
        super().__init__("file of the log", path)
        self.path = path


class BadEntryError(VerificationError):
    """An entry is not the one that the tree was built from; the tiles agree with the signed root."""

    code = "log_entry_altered"
    meaning = "An entry of the log is not the one that its signed root covers."
    remedy = "Do not rely on the entry. Keep the bundle and the checkpoint, and ask the operator why."

    def __init__(self, index: int, path: str, reason: str) -> None:
        super().__init__("entry", f"entry {index} in {path}: {reason}")
        self.index = index
        self.path = path


class BadTileError(VerificationError):
    """A tile does not hold the hashes that the entries give."""

    code = "log_tile_altered"
    meaning = "A tile of the log does not hold the hashes that its entries give."
    remedy = "Do not rely on proofs from this log. Keep the tile and the checkpoint, and ask the operator why."

    def __init__(self, path: str, position: int, reason: str) -> None:
        super().__init__("tile", f"{path}, hash {position}: {reason}")
        self.path = path
        self.position = position


class BadRootError(VerificationError):
    """Entries and tiles agree with each other, but not with the root that the log's key signed."""

    code = "log_root_differs"
    meaning = "The entries and tiles of the log do not give the root that its key signed."
    remedy = "The log was rewritten or the checkpoint is another log's. Keep both and ask the operator why."

    def __init__(self, size: int, found: bytes, signed: bytes) -> None:
        super().__init__("root", f"{size} entries give {found.hex()}, the checkpoint says {signed.hex()}")
        self.size = size
        self.found = found
        self.signed = signed
