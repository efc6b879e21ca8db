// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

contract CooperationTest is Story {
    function test_a_withdrawal_pays_the_increase_of_the_total() external {
        openWith(100, 50);
        withdrawsAgreed(low, 30);
        withdrawsAgreed(low, 45);
        withdrawsAgreed(high, 5);
        assertPaid(WEALTH - 100 + 45, WEALTH - 50 + 5);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(state.withdrawnLow, 45, "withdrawn by low");
        assertEq(state.withdrawnHigh, 5, "withdrawn by high");
        assertEq(state.depositLow, 100, "deposit of low");
    }

    function test_a_withdrawal_tells_the_new_total() external {
        openWith(100, 50);
        bytes32 channelId = id();
        withdrawsAgreed(low, 30);
        bytes memory byHigh = signedBy(keyHigh, withdrawalHash(low, 31, LATER));
        vm.expectEmit(address(network));
        emit IPhotonNetwork.Withdrawn(channelId, low, address(token), 1, 31);
        withdraws(low, low, 31, LATER, "", byHigh);
    }

    function test_either_party_withdraws_with_the_others_signature_alone() external {
        openWith(100, 50);
        withdraws(low, low, 30, LATER, "", signedBy(keyHigh, withdrawalHash(low, 30, LATER)));
        withdraws(high, low, 40, LATER, signedBy(keyLow, withdrawalHash(low, 40, LATER)), "");
        assertPaid(WEALTH - 60, WEALTH - 50);
    }

    function test_a_withdrawal_needs_both() external {
        openWith(100, 50);
        bytes32 hash = withdrawalHash(low, 30, LATER);
        refuses(invalidSignature(high));
        withdraws(low, low, 30, LATER, "", "");
        refuses(invalidSignature(low));
        withdraws(stranger, low, 30, LATER, "", signedBy(keyHigh, hash));
        refuses(invalidSignature(high));
        withdraws(stranger, low, 30, LATER, signedBy(keyLow, hash), signedBy(keyLow, hash));
        refuses(invalidSignature(high));
        withdraws(low, low, 31, LATER, "", signedBy(keyHigh, hash));
    }

    function test_a_withdrawal_replayed_is_refused_and_changes_nothing() external {
        openWith(100, 50);
        withdrawsAgreed(low, 30);
        refuses(abi.encodeWithSelector(IPhotonNetwork.StaleWithdrawal.selector, 30, 30));
        withdrawsAgreed(low, 30);
        refuses(abi.encodeWithSelector(IPhotonNetwork.StaleWithdrawal.selector, 30, 29));
        withdrawsAgreed(low, 29);
        assertPaid(WEALTH - 70, WEALTH - 50);
    }

    function test_withdrawals_of_both_reach_everything_and_no_more() external {
        openWith(100, 50);
        withdrawsAgreed(low, 120);
        refuses(abi.encodeWithSelector(IPhotonNetwork.WithdrawalTooLarge.selector, 150, 151));
        withdrawsAgreed(high, 31);
        withdrawsAgreed(high, 30);
        assertEq(token.balanceOf(address(network)), 0, "the contract has");
    }

    function test_a_withdrawal_is_refused_after_its_time() external {
        openWith(100, 50);
        bytes32 hash = withdrawalHash(low, 30, START + 5);
        bytes memory byHigh = signedBy(keyHigh, hash);
        vm.warp(START + 6);
        refuses(abi.encodeWithSelector(IPhotonNetwork.ClaimExpired.selector, START + 5, START + 6));
        withdraws(low, low, 30, START + 5, "", byHigh);
        vm.warp(START + 5);
        withdraws(low, low, 30, START + 5, "", byHigh);
    }

    function test_a_withdrawal_is_refused_unless_open() external {
        openWith(100, 50);
        closes(low, noProof(), 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.Closed));
        withdrawsAgreed(low, 30);
    }

    function test_a_withdrawal_of_one_epoch_has_no_effect_in_the_next() external {
        openWith(100, 50);
        bytes memory byHigh = signedBy(keyHigh, withdrawalHash(low, 30, LATER));
        withdrawsAgreed(low, 10);
        cooperatesAgreed(100, 40);
        openWith(100, 50);
        assertEq(network.channel(address(token), low, high).withdrawnLow, 0, "withdrawn by low");
        refuses(invalidSignature(high));
        withdraws(low, low, 30, LATER, "", byHigh);
    }

    function test_cooperative_settle_pays_both_by_what_they_transferred() external {
        openWith(100, 50);
        bytes32 hash = settlementHash(1090, 1010, LATER);
        cooperates(stranger, 1090, 1010, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash));
        assertPaid(WEALTH - 80, WEALTH + 80);
        assertPhase(IPhotonNetwork.Phase.None);
    }

    function test_cooperative_settle_tells_what_it_paid() external {
        openWith(100, 50);
        bytes memory byHigh = signedBy(keyHigh, settlementHash(80, 0, LATER));
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.ChannelSettled(channelId, address(token), 1, 20, 130);
        cooperates(low, 80, 0, LATER, "", byHigh);
    }

    // A deposit of one unit, by anybody, between signing and settling, made balances that summed up before worthless.
    function test_a_deposit_in_between_goes_to_whom_it_was_made_and_sinks_no_cooperative_settle() external {
        openWith(100, 50);
        bytes memory byHigh = signedBy(keyHigh, settlementHash(80, 0, LATER));
        deposits(stranger, high, 1, 1);
        cooperates(low, 80, 0, LATER, "", byHigh);
        assertPaid(WEALTH - 80, WEALTH + 81);
        assertEq(token.balanceOf(address(network)), 0, "the contract has");
    }

    function test_a_withdrawal_in_between_is_counted_and_sinks_no_cooperative_settle() external {
        openWith(100, 50);
        bytes memory byHigh = signedBy(keyHigh, settlementHash(80, 10, LATER));
        withdrawsAgreed(high, 40);
        withdrawsAgreed(low, 30);
        cooperates(low, 80, 10, LATER, "", byHigh);
        assertPaid(WEALTH - 70, WEALTH + 70);
        assertEq(token.balanceOf(address(network)), 0, "the contract has");
    }

    function test_cooperative_settle_pays_nobody_less_than_nothing_and_nobody_more_than_there_is() external {
        openWith(100, 50);
        withdrawsAgreed(low, 30);
        refuses(abi.encodeWithSelector(IPhotonNetwork.BalanceOutOfRange.selector, -1, 120));
        cooperatesNet(71, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.BalanceOutOfRange.selector, 121, 120));
        cooperatesNet(0, 51);
        uint128 most = type(uint128).max;
        refuses(abi.encodeWithSelector(IPhotonNetwork.BalanceOutOfRange.selector, int256(uint256(most)) + 70, 120));
        cooperatesNet(0, most);
        refuses(abi.encodeWithSelector(IPhotonNetwork.BalanceOutOfRange.selector, 70 - int256(uint256(most)), 120));
        cooperatesNet(most, 0);
        cooperatesNet(most, most - 70);
        assertPaid(WEALTH - 70, WEALTH + 70);
    }

    function testFuzz_cooperative_settle_pays_out_exactly_what_is_there(
        uint96 depositLow, uint96 depositHigh, uint96 withdrawnLow, uint96 withdrawnHigh, uint128 given, uint96 balanceLow
    ) external {
        token.mint(low, depositLow);
        token.mint(high, depositHigh);
        (uint256 before, uint256 held) = (token.balanceOf(low), uint256(depositLow) + depositHigh);
        opens(low, TIMEOUT, depositLow);
        if (depositHigh != 0) deposits(high, high, 1, depositHigh);
        withdrawnLow = uint96(within(withdrawnLow, 0, held / 2 < type(uint96).max ? held / 2 : type(uint96).max));
        withdrawnHigh = uint96(within(withdrawnHigh, 0, held / 2 < type(uint96).max ? held / 2 : type(uint96).max));
        if (withdrawnLow != 0) withdrawsAgreed(low, withdrawnLow);
        if (withdrawnHigh != 0) withdrawsAgreed(high, withdrawnHigh);
        held -= uint256(withdrawnLow) + withdrawnHigh;
        balanceLow = uint96(within(balanceLow, 0, held < type(uint96).max ? held : type(uint96).max));
        given = uint128(within(given, 0, type(uint128).max >> 1));
        (uint128 transferredLow, uint128 transferredHigh) = transfersFor(balanceLow);
        cooperatesNet(transferredLow + given, transferredHigh + given);
        assertEq(token.balanceOf(low), before - depositLow + withdrawnLow + balanceLow, "low has");
        assertEq(token.balanceOf(address(network)), 0, "the contract has");
    }

    /// @notice With the signatures of both.
    function cooperatesNet(uint128 transferredLow, uint128 transferredHigh) private {
        bytes32 hash = settlementHash(transferredLow, transferredHigh, LATER);
        cooperates(stranger, transferredLow, transferredHigh, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash));
    }

    function test_cooperative_settle_needs_both() external {
        openWith(100, 50);
        bytes32 hash = settlementHash(0, 50, LATER);
        refuses(invalidSignature(high));
        cooperates(low, 0, 50, LATER, "", "");
        refuses(invalidSignature(low));
        cooperates(stranger, 0, 50, LATER, "", signedBy(keyHigh, hash));
        refuses(invalidSignature(high));
        cooperates(low, 0, 50, LATER, "", signedBy(keyLow, hash));
        refuses(invalidSignature(high));
        cooperates(low, 0, 49, LATER, "", signedBy(keyHigh, hash));
        cooperates(high, 0, 50, LATER, signedBy(keyLow, hash), "");
    }

    function test_cooperative_settle_is_refused_after_its_time() external {
        openWith(100, 50);
        bytes memory byHigh = signedBy(keyHigh, settlementHash(0, 50, START));
        vm.warp(START + 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.ClaimExpired.selector, START, START + 1));
        cooperates(low, 0, 50, START, "", byHigh);
    }

    function test_cooperative_settle_is_refused_unless_open_and_in_order() external {
        openWith(100, 50);
        closes(low, noProof(), 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.Closed));
        cooperatesNet(0, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.InvalidParticipants.selector, high, low));
        act(low, abi.encodeCall(network.cooperativeSettle, (address(token), high, low, 1, 2, LATER, "", "")));
    }

    function test_a_multicall_does_all_or_nothing_in_the_callers_name() external {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(network.open, (address(token), high, TIMEOUT, 10));
        calls[1] = abi.encodeCall(network.deposit, (address(token), high, low, 1, 20));
        act(low, abi.encodeCall(network.multicall, (calls)));
        assertPaid(WEALTH - 30, WEALTH);
        calls[0] = abi.encodeCall(network.deposit, (address(token), low, high, 1, 5));
        calls[1] = abi.encodeCall(network.deposit, (address(token), low, high, 2, 5));
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongEpoch.selector, 1, 2));
        act(low, abi.encodeCall(network.multicall, (calls)));
        assertPaid(WEALTH - 30, WEALTH);
    }
}
