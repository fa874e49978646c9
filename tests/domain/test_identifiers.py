"""Text ids: one spelling each, and their 32-byte forms as the contracts derive them."""

from __future__ import annotations

import unicodedata

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.domain import identifiers
from ledger.domain.errors import InvalidInputError
from ledger.domain.text import check_name, normalise_name
from ledger.domain.uscc import ALPHABET, check_uscc, uscc_check_character

FICTIONAL = [
    "119900000000A00135",
    "119900000000A00210",
    "119900000000A003XP",
    "119900000000A0048P",
    "119900000000A0056J",
    "129900000000B0019C",
]


@pytest.mark.parametrize("code", FICTIONAL)
def test_valid_codes_are_taken(code: str) -> None:
    assert uscc_check_character(code[:-1]) == code[-1]
    assert str(identifiers.parse_agency(f"uscc:{code}")) == f"uscc:{code}"


@pytest.mark.parametrize("code", FICTIONAL)
def test_any_one_wrong_character_is_refused(code: str) -> None:
    for position in range(len(code)):
        for other in ALPHABET:
            if other != code[position]:
                with pytest.raises(InvalidInputError):
                    check_uscc(code[:position] + other + code[position + 1 :], "uscc")


@pytest.mark.parametrize(
    "code", ["", "119900000000A0013", "119900000000a00135", "11990000000OA00135", "１19900000000A00135"]
)
def test_codes_of_another_shape_are_refused(code: str) -> None:
    with pytest.raises(InvalidInputError):
        identifiers.parse_agency(f"uscc:{code}")


GOOD_AGENCIES = [
    "xroad:EE/GOV/70008440",
    "xroad:PLAYGROUND/ORG/2908758-4",
    "ods:X26",
    "name:nhs-dsa/GB/NHS England",
    "name:gdpr/PL/Urząd Miejski w Aleksandrowie Kujawskim",
    "name:gdpr/RO/<b>Bank</b> ../../etc/passwd",
    "name:cn/CN/数据局",
]


@pytest.mark.parametrize("text", GOOD_AGENCIES)
def test_agency_ids_hash_their_utf8_text(text: str) -> None:
    assert str(identifiers.parse_agency(text)) == text
    assert identifiers.agency_id(text) == keccak(text=text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ods",
        "ods:",
        "ods:x26",
        "ODS:X26",
        "foo:bar",
        "xroad:EE/GOV",
        "xroad:EE/GOV/1/2",
        "xroad:EE//1",
        "xroad:EE/GOV/a:b",
        "name:reg/Name",
        "name:reg/gb/Name",
        "name:reg/GB/",
        "name:reg/GB/ Name",
        "name:reg/GB/Name ",
        "name:reg/GB/A#B",
        "name:reg/GB/A\nB",
        "name:reg/GB/A\u202eB",
        "name:reg/GB/A\u2028B",
        "name:reg/GB/A\x00B",
        "name:reg/GB/Urza\u0328d",
        "name:reg/GB/\ud800",
        "name:reg/GB/" + "x" * 500,
    ],
)
def test_other_agency_ids_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        identifiers.parse_agency(text)


def test_posts_and_datasets_hash_as_the_contracts_do() -> None:
    agency = "xroad:LTT/TEST/TEST2"
    assert identifiers.post_id(f"office-head@{agency}") == keccak(keccak(text=agency) + keccak(text="office-head"))
    wanted = keccak(abi_encode(["bytes32", "bytes32"], [keccak(text=agency), keccak(text="SUB3/payloadgen")]))
    assert identifiers.dataset_id(f"{agency}#SUB3/payloadgen") == wanted
    assert identifiers.code_id("dpv:PublicHealth") == keccak(text="dpv:PublicHealth")


def test_head_keys_are_abi_encoded() -> None:
    first, second = b"\1" * 32, b"\2" * 32
    assert identifiers.entry_key(first, 7) == keccak(abi_encode(["bytes32", "uint32"], [first, 7]))
    hashed = keccak(abi_encode(["bytes32", "bytes32"], [first, second]))
    assert identifiers.recipient_key(first, second) == bytes(4) + hashed[:28]
    assert identifiers.duty_key(3, second) == keccak(
        abi_encode(["bytes32", "bytes32"], [(3).to_bytes(32, "big"), second])
    )
    with pytest.raises(InvalidInputError):
        identifiers.entry_key(first, 2**32)


@pytest.mark.parametrize(
    "text", ["head", "@ods:X26", "Head@ods:X26", "a b@ods:X26", "x" * 33 + "@ods:X26", "head@foo:bar"]
)
def test_bad_posts_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        identifiers.parse_post(text)


@pytest.mark.parametrize("text", ["ods:X26", "ods:X26#", "ods:X26# a", "ods:X26#a\tb", "#a", "foo:bar#a"])
def test_bad_datasets_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        identifiers.parse_dataset(text)


def test_a_dataset_code_may_hold_any_name() -> None:
    ref = identifiers.parse_dataset("ods:X26#MRIS - Scottish NHS / Registration #2 <i>")
    assert ref.code == "MRIS - Scottish NHS / Registration #2 <i>"


@pytest.mark.parametrize("text", ["dpv", "dpv:", "DPV:x", ":x", "dpv: x"])
def test_bad_codes_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        identifiers.parse_code(text)


@given(st.text(min_size=1, max_size=30))
def test_a_normalised_name_is_allowed_or_holds_a_refused_character(text: str) -> None:
    name = normalise_name(text)
    assume(name)
    refused = any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} for character in name)
    if not refused:
        assert check_name(name, "name") == name


@given(st.text(max_size=40))
def test_parsing_hostile_text_gives_a_reference_or_invalid_input(text: str) -> None:
    for parse in (identifiers.parse_agency, identifiers.parse_post, identifiers.parse_dataset, identifiers.parse_code):
        try:
            assert str(parse(text)) == text
        except InvalidInputError:
            continue
