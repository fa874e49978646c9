"""The explorer's fixed texts, each in English and Simplified Chinese. A page names one by its key."""

from __future__ import annotations

from typing import Final

from api.explorer.messages.answers import ANSWERS
from api.explorer.messages.frame import FRAME
from api.explorer.messages.proofs import PROOFS
from api.explorer.messages.records import RECORDS

MESSAGES: Final[dict[str, tuple[str, str]]] = FRAME | RECORDS | ANSWERS | PROOFS
