// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Settlements} from "../src/libraries/Settlements.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @title The settlement formula, for all inputs that a channel can have.
/// @notice Bounds: deposits below 2^96 each, withdrawals within the deposits, given below 2^136, penalties below 2^192.
/// Solvers find sums of many terms hard in 256 bits and easy in 128, where the payouts are. So equality is proved modulo
/// 2^128, and beside it that all that is equal is below 2^97.
contract SettlementProofs is Symbolic {
    struct Sums {
        uint96 depositLow;
        uint96 depositHigh;
        uint104 withdrawnLow;
        uint104 withdrawnHigh;
        uint136 givenLow;
        uint136 givenHigh;
        uint192 penaltyLow;
        uint192 penaltyHigh;
    }

    function check_both_payouts_are_everything_that_is_held(Sums memory sums) external pure {
        (uint128 payLow, uint128 payHigh) = split(sums);
        uint256 total = held(sums);
        assert(total < 1 << 97);
        unchecked {
            assert(payLow + payHigh == uint128(total));
        }
    }

    /// @notice What low put in and was given, less what it took out and gave; at least nothing, at most everything.
    /// So more is never worse: the clamped difference grows with each term that is added.
    function check_low_is_paid_by_the_formula_of_the_protocol(Sums memory sums) external pure {
        (uint128 payLow,) = split(sums);
        uint256 plus = uint256(sums.depositLow) + sums.givenHigh + sums.penaltyLow;
        uint256 minus = uint256(sums.withdrawnLow) + sums.givenLow + sums.penaltyHigh;
        uint256 most = held(sums);
        uint256 x = plus <= minus ? 0 : plus - minus;
        assert(payLow == uint128(x < most ? x : most));
    }

    /// @notice A claimed lock that is punished is as if it had been given back twice.
    function check_a_penalty_counts_as_what_its_debtor_gave(Sums memory sums) external pure {
        vm.assume(sums.penaltyHigh < 1 << 130 && sums.givenLow < 1 << 130);
        (uint128 payLow, uint128 payHigh) = split(sums);
        (sums.givenLow, sums.penaltyHigh) = (sums.givenLow + uint136(sums.penaltyHigh), 0);
        (uint128 thenLow, uint128 thenHigh) = split(sums);
        assert(thenLow == payLow && thenHigh == payHigh);
    }

    function split(Sums memory sums) private pure returns (uint128 payLow, uint128 payHigh) {
        held(sums);
        return Settlements.split(
            Settlements.Side(sums.depositLow, sums.withdrawnLow, sums.givenLow, sums.penaltyLow),
            Settlements.Side(sums.depositHigh, sums.withdrawnHigh, sums.givenHigh, sums.penaltyHigh)
        );
    }

    function held(Sums memory sums) private pure returns (uint256) {
        uint256 deposits = uint256(sums.depositLow) + sums.depositHigh;
        vm.assume(sums.withdrawnLow <= deposits && sums.withdrawnHigh <= deposits - sums.withdrawnLow);
        return deposits - sums.withdrawnLow - sums.withdrawnHigh;
    }
}
