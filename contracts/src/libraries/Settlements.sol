// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Who gets what at the end: the one formula.
library Settlements {
    /// @notice One participant's side of a channel.
    /// @param given what he transferred to the other: by the last proof, and by claimed locks
    /// @param penalty what the other owes him for claiming disposed locks
    struct Side {
        uint256 deposit;
        uint256 withdrawn;
        uint256 given;
        uint256 penalty;
    }

    /// @notice Low gets what it put in and was given, less what it took out and gave; at most everything, at least
    /// nothing. High gets the rest. All terms are below 2^130, and withdrawals are at most deposits, so
    /// nothing overflows: unchecked, because the checks cost 570 gas for each channel.
    function split(Side memory low, Side memory high) internal pure returns (uint128 payLow, uint128 payHigh) {
        unchecked {
            uint256 total = low.deposit + high.deposit - low.withdrawn - high.withdrawn;
            uint256 plus = low.deposit + high.given + low.penalty;
            uint256 minus = low.withdrawn + low.given + high.penalty;
            uint256 balance = plus > minus ? plus - minus : 0;
            payLow = uint128(balance < total ? balance : total);
            payHigh = uint128(total - payLow);
        }
    }
}
