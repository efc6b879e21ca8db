// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title What the tests demand, with both values in the message.
abstract contract Assertions {
    error NotEqual(string what, uint256 got, uint256 expected);
    error NotEqualBytes(string what, bytes32 got, bytes32 expected);
    error NotTrue(string what);

    /// @notice Tells forge that this is a test.
    bool public constant IS_TEST = true;

    function assertEq(uint256 got, uint256 expected, string memory what) internal pure {
        if (got != expected) revert NotEqual(what, got, expected);
    }

    function assertEq(bytes32 got, bytes32 expected, string memory what) internal pure {
        if (got != expected) revert NotEqualBytes(what, got, expected);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    /// @notice Folds a fuzzed value into a range, both ends included.
    function within(uint256 value, uint256 least, uint256 greatest) internal pure returns (uint256) {
        return least + value % (greatest - least + 1);
    }
}
