// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice `keccak256(abi.encode(first, second, third))` of three words.
/// In assembly because `abi.encode` takes new memory each time: 100 gas more for each hash, of which a call needs
/// two to five.
function hashOfThree(uint256 first, uint256 second, uint256 third) pure returns (bytes32 result) {
    assembly ("memory-safe") {
        let words := mload(0x40)
        mstore(words, first)
        mstore(add(words, 0x20), second)
        mstore(add(words, 0x40), third)
        result := keccak256(words, 0x60)
    }
}
