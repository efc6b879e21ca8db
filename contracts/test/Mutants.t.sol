// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {HookToken} from "../test-tokens/OddTokens.sol";
import {Reenterer} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {Trees} from "./support/Trees.sol";
import {Vm, vm} from "./support/Vm.sol";

/// @title What mutation testing found that no other test asked for.
contract MutantsTest is Story {
    function test_an_update_tells_channel_payer_token_and_proof() external {
        openWith(100, 100);
        closes(low, noProof(), 0);
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 7, 30, 0);
        vm.expectEmit(address(network));
        emit IPhotonNetwork.BalanceUpdated(id(), low, address(token), 1, 7, 30, 0);
        updates(low, proof);
    }

    function test_claiming_a_single_lock_tells_epoch_and_nonce_each_in_its_place() external {
        openWith(100, 100);
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = balance(5, rootOf(locks));
        closes(high, proofBy(low, 7, 5, standing.locksroot), 0);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        uint16[] memory slots = new uint16[](1);
        slots[0] = 3;
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.Unlocked(channelId, low, address(token), 1, 7, slots, locks[0].amount);
        unlocks(high, low, standing, locks, siblings, shown, "");
    }

    function test_a_declaration_of_one_unit_counts_and_is_told() external {
        openWith(100, 100);
        vm.recordLogs();
        closes(low, noProof(), 1);
        assertEq(vm.getRecordedLogs().length, 2, "closed, and declared");
        skipDispute();
        settles(nothing(), IPhotonNetwork.Balance(0, 0, 1));
        assertPaid(WEALTH - 1, WEALTH + 1);
    }

    function test_who_declares_nothing_tells_nothing_and_stores_nothing() external {
        openWith(100, 100);
        vm.recordLogs();
        closes(low, noProof(), 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "closed");
        assertEq(network.direction(address(token), high, low).commitment, 0, "commitment");
    }

    // Without the epoch in the key, what is kept beyond the end (claimed bits but for those beside the sum, punished
    // locks) would hold in the pair's next life.
    function test_claims_and_punishments_of_one_life_mean_nothing_in_the_next() external {
        IPhotonNetwork.Lock[] memory locks = new IPhotonNetwork.Lock[](2);
        (locks[0], locks[1]) = (lockAt(200, 10), lockAt(4000, 20));
        IPhotonNetwork.Balance memory standing = balance(5, rootOf(locks));
        bytes32[] memory siblings = siblingsOf(locks, locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        for (uint256 life = 0; life < 2; life++) {
            openWith(100, 100);
            closes(low, noProof(), 0);
            assertTrue(!network.isPunished(address(token), low, high, Trees.leafOf(locks[1])), "not punished yet");
            assertTrue(!network.isClaimed(address(token), low, high, 200), "not claimed yet");
            updates(low, proofBy(low, 1, 5, standing.locksroot));
            unlocks(high, low, standing, locks, siblings, shown, "");
            assertEq(network.direction(address(token), low, high).unlocked, 30, "unlocked");
            punishes(
                low, low, standing, locks[1], siblingsOf(locks, part(locks, 1, 1)), disposalOf(low, locks[1])
            );
            skipDispute();
            settles(standing, nothing());
            // Each time 5 transferred and 10 claimed, less 20 of penalty.
            assertPaid(WEALTH + 5 * (life + 1), WEALTH - 5 * (life + 1));
        }
    }

    // Paid before it was stored, a withdrawal would pay twice: both signed it, so anyone may bring it again.
    function test_a_withdrawal_within_its_own_payout_finds_it_stored() external {
        HookToken odd = new HookToken();
        token = odd;
        enrich(odd, low);
        enrich(odd, high);
        openWith(100, 50);
        bytes32 hash = withdrawalHash(low, 30, LATER);
        bytes memory call = abi.encodeCall(
            network.withdraw,
            (address(odd), low, high, 30, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash))
        );
        Reenterer hook = new Reenterer();
        hook.plan(address(network), call);
        vm.prank(low);
        odd.setHook(address(hook));
        act(stranger, call);
        assertTrue(hook.called() && !hook.succeeded(), "refused");
        bytes memory wanted = abi.encodeWithSelector(IPhotonNetwork.StaleWithdrawal.selector, 30, 30);
        assertEq(keccak256(hook.answer()), keccak256(wanted), "error");
        assertPaid(WEALTH - 100 + 30, WEALTH - 50);
        assertEq(network.channel(address(token), low, high).withdrawnLow, 30, "withdrawn by low");
    }

    // As above, with what ends a channel.
    function test_a_cooperative_settlement_within_its_own_payout_finds_no_channel() external {
        HookToken odd = new HookToken();
        token = odd;
        enrich(odd, low);
        enrich(odd, high);
        openWith(100, 50);
        bytes32 hash = settlementHash(10, 0, LATER);
        bytes memory call = abi.encodeCall(
            network.cooperativeSettle,
            (address(odd), low, high, 10, 0, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash))
        );
        Reenterer hook = new Reenterer();
        hook.plan(address(network), call);
        vm.prank(low);
        odd.setHook(address(hook));
        odd.mint(address(network), 1000);
        act(stranger, call);
        assertTrue(hook.called() && !hook.succeeded(), "refused");
        bytes memory wanted = wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None);
        assertEq(keccak256(hook.answer()), keccak256(wanted), "error");
        assertPaid(WEALTH - 10, WEALTH + 10);
    }

    // The channel is the same either way round, so without this each would be paid what is the other's.
    function test_settling_names_the_participants_in_order() external {
        openWith(100, 30);
        closes(low, noProof(), 0);
        skipDispute();
        refuses(abi.encodeWithSelector(IPhotonNetwork.InvalidParticipants.selector, high, low));
        act(stranger, abi.encodeCall(network.settle, (address(token), high, low, nothing(), nothing())));
        settles(nothing(), nothing());
        assertPaid(WEALTH, WEALTH);
    }
}
