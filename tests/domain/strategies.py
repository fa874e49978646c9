"""Hypothesis strategies for the domain's values."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from ledger.domain.canonical import MAX_INTEGER

nfc_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(
    lambda text: unicodedata.normalize("NFC", text)
)
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
json_values = st.recursive(
    st.none() | st.booleans() | integers | nfc_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
json_objects = st.dictionaries(keys, json_values, max_size=6)
bytes32 = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)
