"""State proofs of the newest blocks, as the node gave them: evidence of many events asks for the same ones.

A block's hash commits to its state root, and that to every proof under it; so what is kept is what the node would
give again. A few requests are kept, and each goes when newer ones come.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.service.ports import StateProof

_KEPT: Final = 32
"""Some 50 kB each."""


class KeptProofs:
    """A bounded memory of proofs by block and request. Thread-safe."""

    __slots__ = ("_kept", "_lock")

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, list[StateProof]] = OrderedDict()

    def get(
        self, block_hash: bytes, wanted: Mapping[bytes, Sequence[bytes]], read: Callable[[], list[StateProof]]
    ) -> list[StateProof]:
        """Return the proofs of a request under a block, read if they are not kept. Raises as ``read``."""
        key = (block_hash, tuple((address, tuple(slots)) for address, slots in wanted.items()))
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = read()
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return list(found)
