// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Settlements} from "../src/libraries/Settlements.sol";
import {Assertions} from "./support/Assertions.sol";

contract SettlementsTest is Assertions {
    struct Sums {
        uint96 deposit;
        uint128 withdrawn;
        uint128 transferred;
        uint128 unlocked;
        uint96 penalty;
    }

    function testFuzz_both_payouts_are_the_formulas_and_sum_to_the_total(Sums memory low, Sums memory high) external pure {
        (uint256 total, Settlements.Side memory ofLow, Settlements.Side memory ofHigh) = sides(low, high);
        (uint128 payLow, uint128 payHigh) = Settlements.split(ofLow, ofHigh);
        int256 x = int256(uint256(low.deposit)) - int256(ofLow.withdrawn) + int256(ofHigh.given) - int256(ofLow.given)
            + int256(uint256(low.penalty)) - int256(uint256(high.penalty));
        int256 expected = x < 0 ? int256(0) : x > int256(total) ? int256(total) : x;
        assertEq(payLow, uint256(expected), "low is paid");
        assertEq(uint256(payLow) + payHigh, total, "both are paid");
    }

    /// @notice As in life, where nobody gives more than he has, the clamp changes nothing.
    function testFuzz_who_gave_no_more_than_he_had_gets_exactly_his_balance(
        uint96 depositLow, uint96 depositHigh, uint128 givenByHigh, uint256 share
    ) external pure {
        uint256 total = uint256(depositLow) + depositHigh;
        givenByHigh = uint128(givenByHigh >> 1);
        uint256 balanceLow = within(share, 0, total);
        uint256 givenByLow = uint256(depositLow) + givenByHigh;
        if (givenByLow < balanceLow) return;
        givenByLow -= balanceLow;
        (uint128 payLow,) = Settlements.split(
            Settlements.Side(depositLow, 0, givenByLow, 0), Settlements.Side(depositHigh, 0, givenByHigh, 0)
        );
        assertEq(payLow, balanceLow, "low is paid");
    }

    function test_the_greatest_sums_do_not_overflow() external pure {
        Sums memory most = Sums(
            type(uint96).max, type(uint96).max, type(uint128).max, type(uint128).max, type(uint96).max
        );
        (uint256 total, Settlements.Side memory ofLow, Settlements.Side memory ofHigh) = sides(most, most);
        (uint128 payLow, uint128 payHigh) = Settlements.split(ofLow, ofHigh);
        assertEq(uint256(payLow) + payHigh, total, "both are paid");
    }

    /// @notice Withdrawals of both never exceed deposits of both; the contract sees to that.
    function sides(Sums memory low, Sums memory high)
        private pure returns (uint256 total, Settlements.Side memory ofLow, Settlements.Side memory ofHigh)
    {
        uint256 deposits = uint256(low.deposit) + high.deposit;
        uint256 byLow = within(low.withdrawn, 0, deposits);
        uint256 byHigh = within(high.withdrawn, 0, deposits - byLow);
        total = deposits - byLow - byHigh;
        ofLow = Settlements.Side(low.deposit, byLow, uint256(low.transferred) + low.unlocked, low.penalty);
        ofHigh = Settlements.Side(high.deposit, byHigh, uint256(high.transferred) + high.unlocked, high.penalty);
    }
}
