// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The respondent's group of a filing, read from its canonical JSON
/// @dev One spelling only: `["<44 characters of base64>","respondent","<text>"]` (docs/spec/commitment.md). An agency's
/// text id holds no control characters, so RFC 8785 escapes nothing in it but `"` and `\`, each by a backslash; any other
/// escape would let one agency have two spellings, and is refused.
// solhint-disable quotes
library RespondentLeaf {
    /// @notice The bytes are not such a group; `position` is the first byte that is wrong.
    error RespondentLeafMalformed(uint256 position);

    uint256 private constant _SALT = 2;
    uint256 private constant _SALT_LENGTH = 44;
    uint256 private constant _TEXT = 62;
    bytes1 private constant _QUOTE = 0x22;
    bytes1 private constant _BACKSLASH = 0x5c;

    /// @notice Returns the id of the agency that the group names: keccak256 of its text id in UTF-8.
    function agencyOf(bytes calldata leaf) internal pure returns (bytes32) {
        if (leaf.length < _TEXT + 3 || bytes2(leaf[:_SALT]) != '["') revert RespondentLeafMalformed(0);
        _checkSalt(leaf);
        if (bytes16(leaf[_SALT + _SALT_LENGTH:_TEXT]) != '","respondent","') {
            revert RespondentLeafMalformed(_SALT + _SALT_LENGTH);
        }
        uint256 end = leaf.length - 2;
        if (bytes2(leaf[end:]) != '"]') revert RespondentLeafMalformed(end);
        bytes memory text = new bytes(end - _TEXT);
        uint256 length = 0;
        for (uint256 i = _TEXT; i < end; i++) {
            bytes1 character = leaf[i];
            if (character < 0x20 || character == _QUOTE) revert RespondentLeafMalformed(i);
            if (character == _BACKSLASH) {
                character = ++i < end ? leaf[i] : bytes1(0);
                if (character != _QUOTE && character != _BACKSLASH) revert RespondentLeafMalformed(i - 1);
            }
            text[length++] = character;
        }
        // Shortened to what was written, which is never more than what was reserved.
        assembly ("memory-safe") {
            mstore(text, length)
        }
        return keccak256(text);
    }

    /// @dev 43 characters of base64 and one `=`; the last character's two low bits are unused and must be zero.
    function _checkSalt(bytes calldata leaf) private pure {
        uint256 last = _SALT + _SALT_LENGTH - 1;
        for (uint256 i = _SALT; i < last; i++) {
            uint8 value = _base64(uint8(leaf[i]));
            if (value > 63 || (i == last - 1 && value & 3 != 0)) revert RespondentLeafMalformed(i);
        }
        if (leaf[last] != "=") revert RespondentLeafMalformed(last);
    }

    function _base64(uint8 character) private pure returns (uint8) {
        if (character >= 0x41 && character <= 0x5a) return character - 0x41;
        if (character >= 0x61 && character <= 0x7a) return character - 0x61 + 26;
        if (character >= 0x30 && character <= 0x39) return character - 0x30 + 52;
        if (character == 0x2b) return 62;
        return character == 0x2f ? 63 : 64;
    }
}
