// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The cheat codes that our tests use, of those that Hardhat's Solidity tests offer
// solhint-disable-next-line interface-starts-with-i
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address account);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function assume(bool condition) external pure;
    function expectRevert(bytes4 data) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert() external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory logs);
    function load(address target, bytes32 slot) external view returns (bytes32 value);
    function readFile(string calldata path) external view returns (string memory text);
    function etch(address target, bytes calldata code) external;
}

/// @dev keccak256("hevm cheat code") as an address, where the test engine answers.
Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
