// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Story} from "./support/Story.sol";
import {Vm, vm} from "./support/Vm.sol";

contract DisputeTest is Story {
    function setUp() public override {
        super.setUp();
        openWith(100, 50);
    }

    function test_closing_begins_the_dispute() external {
        closes(low, noProof(), 0);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(uint256(state.phase), uint256(IPhotonNetwork.Phase.Closed), "phase");
        assertEq(state.updateUntil, START + TIMEOUT, "update until");
        assertEq(state.settleTimeout, 0, "settle timeout");
        assertEq(state.depositLow, 100, "deposit of low");
        assertEq(state.epoch, 1, "epoch");
    }

    function test_only_a_participant_closes_and_only_once() external {
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        act(stranger, abi.encodeCall(network.close, (address(token), high, noProof(), 0)));
        closes(low, noProof(), 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.Closed));
        closes(high, noProof(), 0);
    }

    function test_closing_with_a_proof_that_the_partner_did_not_sign_is_refused() external {
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 1, 10, 0);
        refuses(invalidSignature(high));
        closes(low, proof, 0);
        proof = proofBy(high, 1, 10, 0);
        proof.transferred = 11;
        refuses(invalidSignature(high));
        closes(low, proof, 0);
    }

    function test_a_close_without_answer_pays_by_the_closers_proof() external {
        closes(low, proofBy(high, 1, 10, 0), 0);
        skipDispute();
        settles(nothing(), balance(10, 0));
        assertPaid(WEALTH + 10, WEALTH - 10);
    }

    function test_a_declaration_spares_the_partner_an_answer() external {
        closes(low, proofBy(high, 1, 10, 0), 25);
        skipDispute();
        settles(nothing(), IPhotonNetwork.Balance(10, 0, 25));
        assertPaid(WEALTH - 15, WEALTH + 15);
    }

    function test_a_declaration_without_a_proof_counts() external {
        closes(high, noProof(), 25);
        skipDispute();
        settles(IPhotonNetwork.Balance(0, 0, 25), nothing());
        assertPaid(WEALTH + 25, WEALTH - 25);
    }

    function test_a_declaration_must_be_told_at_settling() external {
        closes(low, proofBy(high, 1, 10, 0), 25);
        skipDispute();
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, high));
        settles(nothing(), balance(10, 0));
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, high));
        settles(nothing(), IPhotonNetwork.Balance(10, 0, 24));
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, low));
        settles(balance(25, 0), IPhotonNetwork.Balance(10, 0, 25));
    }

    function test_any_signed_proof_overrides_a_declaration() external {
        closes(low, proofBy(high, 1, 10, 0), 5);
        updates(low, proofBy(low, 1, 40, 0));
        skipDispute();
        settles(balance(40, 0), IPhotonNetwork.Balance(10, 0, 5));
        assertPaid(WEALTH - 30, WEALTH + 30);
    }

    function test_who_declares_can_not_update_what_he_is_paid() external {
        closes(low, proofBy(high, 1, 10, 0), 5);
        IPhotonNetwork.BalanceProof memory newer = proofBy(high, 2, 20, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.SealedByDeclaration.selector, high));
        updates(high, newer);
        assertTrue(network.direction(address(token), high, low).sealedByDeclaration, "sealed");
    }

    function test_closing_tells_the_proof_and_the_declaration() external {
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 3, 10, keccak256("root"));
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.ChannelClosed(channelId, low, address(token), 1, START + TIMEOUT);
        vm.expectEmit(address(network));
        emit IPhotonNetwork.BalanceUpdated(channelId, high, address(token), 1, 3, 10, keccak256("root"));
        vm.expectEmit(address(network));
        emit IPhotonNetwork.BalanceUpdated(channelId, low, address(token), 1, 0, 25, 0);
        closes(low, proof, 25);
    }

    function test_an_honest_close_writes_two_words() external {
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 3, 10, 0);
        vm.record();
        closes(low, proof, 25);
        (, bytes32[] memory writes) = vm.accesses(address(network));
        assertEq(writes.length, 2, "words written");
    }

    function test_the_payee_updates_with_a_newer_proof() external {
        closes(low, noProof(), 0);
        updates(low, proofBy(low, 1, 10, 0));
        updates(low, proofBy(low, 7, 40, 0));
        assertEq(network.direction(address(token), low, high).nonce, 7, "nonce");
        skipDispute();
        settles(balance(40, 0), nothing());
        assertPaid(WEALTH - 40, WEALTH + 40);
    }

    function test_the_closer_updates_too() external {
        closes(low, proofBy(high, 1, 10, 0), 0);
        updates(high, proofBy(high, 2, 30, 0));
        skipDispute();
        settles(nothing(), balance(30, 0));
        assertPaid(WEALTH + 30, WEALTH - 30);
    }

    function test_a_proof_that_is_not_newer_is_refused() external {
        closes(low, proofBy(high, 4, 10, 0), 0);
        IPhotonNetwork.BalanceProof memory same = proofBy(high, 4, 11, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.StaleNonce.selector, 4, 4));
        updates(high, same);
        IPhotonNetwork.BalanceProof memory older = proofBy(high, 3, 99, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.StaleNonce.selector, 4, 3));
        updates(high, older);
        refuses(abi.encodeWithSelector(IPhotonNetwork.StaleNonce.selector, 0, 0));
        updates(low, noProof());
    }

    function test_a_nonce_beyond_48_bits_is_refused() external {
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 1 << 48, 10, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NonceTooLarge.selector, (1 << 48) - 1, 1 << 48));
        closes(low, proof, 0);
        closes(low, proofBy(high, (1 << 48) - 1, 10, 0), 0);
    }

    function test_updates_end_with_the_timeout() external {
        closes(low, noProof(), 0);
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 1, 10, 0);
        vm.warp(START + TIMEOUT + 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.TooLate.selector, START + TIMEOUT, START + TIMEOUT + 1));
        updates(low, proof);
        vm.warp(START + TIMEOUT);
        updates(low, proof);
    }

    function test_an_update_is_refused_unless_closed() external {
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 1, 10, 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.Closed, IPhotonNetwork.Phase.Open));
        updates(low, proof);
    }

    function test_a_delegate_updates_with_exactly_the_proof_he_was_given() external {
        closes(low, noProof(), 0);
        bytes memory delegation = delegationTo(stranger, low, 5, 40, 0);
        IPhotonNetwork.BalanceProof memory other = proofBy(low, 4, 40, 0);
        refuses(invalidSignature(high));
        updates(stranger, low, other, delegation);
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 5, 40, 0);
        refuses(invalidSignature(high));
        updates(low, low, proof, delegation);
        refuses(invalidSignature(high));
        updates(stranger, low, proof, "");
        updates(stranger, low, proof, delegation);
    }

    function test_nobody_else_updates() external {
        closes(low, noProof(), 0);
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 5, 40, 0);
        // The payer himself must not: a newer proof makes the payee claim his locks anew.
        refuses(invalidSignature(high));
        updates(low, low, proof, "");
    }

    function test_settling_waits_for_the_challenge_to_end() external {
        closes(low, noProof(), 0);
        uint64 until = START + TIMEOUT + CHALLENGE;
        vm.warp(until);
        refuses(abi.encodeWithSelector(IPhotonNetwork.TooEarly.selector, until, until));
        settles(nothing(), nothing());
        vm.warp(until + 1);
        settles(nothing(), nothing());
        assertPaid(WEALTH, WEALTH);
        refuses(wrongPhase(IPhotonNetwork.Phase.Closed, IPhotonNetwork.Phase.None));
        settles(nothing(), nothing());
    }

    function test_settling_with_balances_that_do_not_stand_is_refused() external {
        closes(low, proofBy(high, 1, 10, keccak256("root")), 0);
        skipDispute();
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, high));
        settles(nothing(), balance(11, keccak256("root")));
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, high));
        settles(nothing(), balance(10, 0));
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, low));
        settles(balance(1, 0), balance(10, keccak256("root")));
    }

    function test_settling_clears_all_but_the_epoch() external {
        withdrawsAgreed(low, 5);
        closes(low, proofBy(high, 1, 10, keccak256("root")), 0);
        updates(low, proofBy(low, 1, 20, 0));
        skipDispute();
        settles(balance(20, 0), balance(10, keccak256("root")));
        assertPaid(WEALTH - 10, WEALTH + 10);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(uint256(state.phase), uint256(IPhotonNetwork.Phase.None), "phase");
        assertEq(state.epoch, 1, "epoch");
        assertEq(uint256(state.depositLow) + state.depositHigh + state.withdrawnLow + state.updateUntil, 0, "the rest");
        assertEq(network.direction(address(token), high, low).commitment, 0, "commitment of high");
        assertEq(network.direction(address(token), low, high).nonce, 0, "nonce of low");
    }

    function test_a_payer_who_signed_more_than_there_is_gives_all_and_no_more() external {
        closes(low, proofBy(high, 1, type(uint128).max, 0), 0);
        skipDispute();
        settles(nothing(), balance(type(uint128).max, 0));
        assertPaid(WEALTH + 50, WEALTH - 50);
    }

    function test_settling_many_pays_the_participant_once_and_skips_what_can_not_be_settled() external {
        closes(low, noProof(), 10);
        IPhotonNetwork.Settlement[] memory settlements = new IPhotonNetwork.Settlement[](4);
        settlements[0] = IPhotonNetwork.Settlement(low, IPhotonNetwork.Balance(0, 0, 10), nothing());
        address[3] memory partners = [address(0xA11CE), address(0xB0B), address(0xCA401)];
        for (uint256 i = 0; i < 3; i++) {
            act(high, abi.encodeCall(network.open, (address(token), partners[i], TIMEOUT, uint128(100 + i))));
            settlements[i + 1] = IPhotonNetwork.Settlement(partners[i], nothing(), nothing());
        }
        act(high, abi.encodeCall(network.close, (address(token), partners[0], noProof(), 7)));
        settlements[1].ofPartner.declared = 7;
        act(partners[1], abi.encodeCall(network.close, (address(token), high, noProof(), 0)));
        skipDispute();
        // The third is closed only now, and so can not be settled yet.
        act(high, abi.encodeCall(network.close, (address(token), partners[2], noProof(), 0)));
        vm.recordLogs();
        act(stranger, abi.encodeCall(network.settleMany, (address(token), high, settlements)));
        assertPaid(WEALTH - 10, WEALTH + 10 - 7 - 102);
        assertEq(token.balanceOf(partners[0]), 7, "first partner has");
        assertEq(transfersTo(high), 1, "payouts to the participant");
        act(stranger, abi.encodeCall(network.settleMany, (address(token), high, settlements)));
        assertPaid(WEALTH - 10, WEALTH + 10 - 7 - 102);
    }

    function transfersTo(address owner) private returns (uint256 count) {
        bytes32 topic = keccak256("Transfer(address,address,uint256)");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            bytes32[] memory topics = logs[i].topics;
            if (topics[0] == topic && topics[2] == bytes32(uint256(uint160(owner)))) count++;
        }
    }
}
