// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Story} from "./support/Story.sol";
import {Trees} from "./support/Trees.sol";
import {vm} from "./support/Vm.sol";

/// @notice High is the payee of all these locks, and closes with low's proof that contains them.
contract UnlockingTest is Story {
    function setUp() public override {
        super.setUp();
        openWith(1000, 50);
    }

    /// @notice The proof's balance.
    function closedWith(IPhotonNetwork.Lock[] memory locks) private returns (IPhotonNetwork.Balance memory) {
        bytes32 root = rootOf(locks);
        closes(high, proofBy(low, 1, 5, root), 0);
        return balance(5, root);
    }

    function claims(IPhotonNetwork.Balance memory standing, IPhotonNetwork.Lock[] memory all, IPhotonNetwork.Lock[] memory some)
        private
    {
        unlocks(high, low, standing, some, siblingsOf(all, some), registrationOf(some), "");
    }

    function unlocked() private view returns (uint128) {
        return network.direction(address(token), low, high).unlocked;
    }

    function test_locks_all_over_the_tree_are_claimed_with_one_multiproof() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 455, 10);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(locks);
        claims(standing, locks, locks);
        assertEq(unlocked(), 100, "unlocked");
        for (uint256 i = 0; i < 10; i++) {
            assertTrue(network.isClaimed(address(token), low, high, locks[i].slot), "claimed");
        }
        assertTrue(!network.isClaimed(address(token), low, high, 1), "another slot");
        skipDispute();
        settles(standing, nothing());
        assertPaid(WEALTH - 105, WEALTH + 105);
    }

    function test_locks_are_claimed_bit_by_bit_and_claimed_ones_are_skipped() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(125, 1, 8);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(part(locks, 2, 3));
        claims(standing, locks, part(locks, 2, 3));
        assertEq(unlocked(), 30, "unlocked");
        register(locks);
        claims(standing, locks, locks);
        assertEq(unlocked(), 80, "unlocked");
        claims(standing, locks, locks);
        assertEq(unlocked(), 80, "unlocked");
    }

    function test_claiming_tells_which_locks_are_new() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 3);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(part(locks, 1, 1));
        claims(standing, locks, part(locks, 1, 1));
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        uint16[] memory slots = new uint16[](2);
        (slots[0], slots[1]) = (3, 5);
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.Unlocked(channelId, low, address(token), 1, 1, slots, 20);
        unlocks(high, low, standing, locks, siblings, shown, "");
    }

    function test_a_first_claim_below_slot_128_writes_one_word() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(120, 1, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        vm.record();
        unlocks(high, low, standing, locks, siblings, shown, "");
        (, bytes32[] memory writes) = vm.accesses(address(network));
        for (uint256 i = 1; i < writes.length; i++) assertEq(writes[i], writes[0], "the one word");
    }

    function test_a_secret_registered_at_the_last_second_counts_and_later_does_not() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        locks[0].expiration = START + 10;
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        uint256 before = vm.snapshotState();
        vm.warp(START + 11);
        register(locks);
        IPhotonNetwork.Registration[] memory shown = registrationOf(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        refuses(abi.encodeWithSelector(IPhotonNetwork.RegisteredTooLate.selector, START + 10, START + 11));
        unlocks(high, low, standing, locks, siblings, shown, "");
        vm.revertToState(before);
        vm.warp(START + 10);
        register(locks);
        vm.warp(START + TIMEOUT);
        claims(standing, locks, locks);
        assertEq(unlocked(), 10, "unlocked");
    }

    function test_a_lock_without_evidence_is_refused() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        IPhotonNetwork.Registration[] memory shown = registrationOf(locks);
        bytes32 root = Trees.rootOf(Trees.ofSecrets(secretsOf(locks)));
        refuses(abi.encodeWithSelector(IPhotonNetwork.UnknownRegistration.selector, root));
        unlocks(high, low, standing, locks, siblings, shown, "");
        shown = register(part(locks, 0, 1));
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotRegistered.selector, 1));
        unlocks(high, low, standing, locks, siblings, shown, "");
    }

    function test_evidence_out_of_several_registrations_counts_together() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 5);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(part(locks, 0, 3));
        register(part(locks, 3, 2));
        IPhotonNetwork.Registration[] memory shown = new IPhotonNetwork.Registration[](2);
        // Of the batch of three, the first and the third; the fourth lock is the first of the batch of two.
        IPhotonNetwork.Lock[] memory some = new IPhotonNetwork.Lock[](3);
        (some[0], some[1], some[2]) = (locks[0], locks[2], locks[3]);
        shown[0] = evidence(part(locks, 0, 3), hex"000000020001");
        shown[1] = evidence(part(locks, 3, 2), hex"000002");
        unlocks(high, low, standing, some, siblingsOf(locks, some), shown, "");
        assertEq(unlocked(), 30, "unlocked");
    }

    /// @notice Evidence for some members of a batch.
    function evidence(IPhotonNetwork.Lock[] memory batch, bytes memory members)
        private pure returns (IPhotonNetwork.Registration memory)
    {
        bytes32[][] memory levels = Trees.ofSecrets(secretsOf(batch));
        uint256[] memory indices = new uint256[](members.length / 3);
        for (uint256 i = 0; i < indices.length; i++) indices[i] = uint8(members[3 * i]);
        return IPhotonNetwork.Registration(uint8(levels.length - 1), members, Trees.proof(levels, indices));
    }

    function test_malformed_evidence_is_refused() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 3);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        bytes[5] memory malformed = [bytes(""), hex"0000", hex"000003", hex"040000", hex"00000001"];
        IPhotonNetwork.Registration[] memory shown = registrationOf(locks);
        for (uint256 i = 0; i < malformed.length; i++) {
            shown[0].members = malformed[i];
            refuses(abi.encodeWithSelector(IPhotonNetwork.MalformedRegistration.selector, 0));
            unlocks(high, low, standing, locks, siblings, shown, "");
        }
        shown = registrationOf(locks);
        shown[0].members = hex"000000000001020002";
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotAscending.selector, 0, 0));
        unlocks(high, low, standing, locks, siblings, shown, "");
        shown = registrationOf(locks);
        shown[0].depth = 9;
        refuses(abi.encodeWithSelector(IPhotonNetwork.MalformedRegistration.selector, 0));
        unlocks(high, low, standing, locks, siblings, shown, "");
    }

    function test_a_lock_that_is_not_in_the_tree_is_refused() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        IPhotonNetwork.Lock[] memory forged = locksAt(3, 1, 2);
        forged[1].amount++;
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongRoot.selector, standing.locksroot, rootOf(forged)));
        unlocks(high, low, standing, forged, siblings, shown, "");
    }

    function test_slots_must_ascend_and_be_in_range() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        IPhotonNetwork.Lock[] memory wrong = locksAt(3, 0, 2);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotAscending.selector, 3, 3));
        unlocks(high, low, standing, wrong, siblings, shown, "");
        wrong = locksAt(4096, 0, 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.SlotOutOfRange.selector, 4096, 4096));
        unlocks(high, low, standing, wrong, siblings, shown, "");
        refuses(abi.encodeWithSelector(IPhotonNetwork.NoLocks.selector));
        unlocks(high, low, standing, part(locks, 0, 0), siblings, shown, "");
    }

    function test_a_multiproof_with_too_few_or_too_many_siblings_is_refused() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        refuses(abi.encodeWithSelector(IPhotonNetwork.MalformedProof.selector, 12, 11));
        unlocks(high, low, standing, locks, new bytes32[](11), shown, "");
        refuses(abi.encodeWithSelector(IPhotonNetwork.MalformedProof.selector, 12, 13));
        unlocks(high, low, standing, locks, new bytes32[](13), shown, "");
        unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
    }

    function test_locks_are_claimed_under_what_stands_only() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        standing.transferred++;
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongBalance.selector, low));
        unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
    }

    function test_the_payee_or_his_delegate_for_this_proof_claims_and_nobody_else() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes memory delegation = delegationTo(stranger, low, 1, 5, standing.locksroot);
        bytes memory other = delegationTo(stranger, low, 2, 5, standing.locksroot);
        refuses(invalidSignature(high));
        unlocks(low, low, standing, locks, new bytes32[](12), shown, "");
        refuses(invalidSignature(high));
        unlocks(low, low, standing, locks, new bytes32[](12), shown, delegation);
        refuses(invalidSignature(high));
        unlocks(stranger, low, standing, locks, new bytes32[](12), shown, other);
        unlocks(stranger, low, standing, locks, new bytes32[](12), shown, delegation);
        assertEq(unlocked(), 10, "unlocked");
    }

    function test_claims_end_with_the_timeout() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        skipUpdates();
        refuses(abi.encodeWithSelector(IPhotonNetwork.TooLate.selector, START + TIMEOUT, START + TIMEOUT + 1));
        unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
    }

    function test_a_newer_proof_clears_the_claims() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(locks);
        claims(standing, locks, locks);
        // The second lock was paid off the chain: its amount moved to the transferred sum.
        IPhotonNetwork.Lock[] memory left = part(locks, 0, 1);
        updates(low, proofBy(low, 2, 15, rootOf(left)));
        assertEq(unlocked(), 0, "unlocked");
        standing = balance(15, rootOf(left));
        register(left);
        claims(standing, left, left);
        skipDispute();
        settles(standing, nothing());
        assertPaid(WEALTH - 25, WEALTH + 25);
    }

    function test_locks_beyond_128_bits_are_refused() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        (locks[0].amount, locks[1].amount) = (type(uint128).max, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        IPhotonNetwork.Registration[] memory shown = register(locks);
        bytes32[] memory siblings = siblingsOf(locks, locks);
        refuses(abi.encodeWithSelector(IPhotonNetwork.AmountTooLarge.selector, type(uint128).max, uint256(1) << 128));
        unlocks(high, low, standing, locks, siblings, shown, "");
    }

    function test_a_disposed_lock_that_is_claimed_costs_its_amount_once_more() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(locks);
        claims(standing, locks, locks);
        bytes32[] memory siblings = siblingsOf(locks, part(locks, 1, 1));
        IPhotonNetwork.Disposal memory disposal = disposalOf(low, locks[1]);
        bytes32 channelId = id();
        skipUpdates();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.Punished(channelId, low, address(token), 1, 1, 4, 10);
        punishes(stranger, low, standing, locks[1], siblings, disposal);
        assertEq(unlocked(), 10, "unlocked");
        assertEq(network.direction(address(token), low, high).penalty, 10, "penalty");
        assertTrue(network.isPunished(address(token), low, high, Trees.leafOf(locks[1])), "punished");
        vm.warp(START + TIMEOUT + CHALLENGE + 1);
        settles(standing, nothing());
        // 5 transferred, 10 claimed rightly, 10 of penalty.
        assertPaid(WEALTH - 5, WEALTH + 5);
    }

    function test_a_claim_is_punished_once_and_never_comes_back() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(locks);
        claims(standing, locks, locks);
        bytes32[] memory siblings = siblingsOf(locks, part(locks, 0, 1));
        IPhotonNetwork.Disposal memory disposal = disposalOf(low, locks[0]);
        punishes(low, low, standing, locks[0], siblings, disposal);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotClaimed.selector, 3));
        punishes(low, low, standing, locks[0], siblings, disposal);
        claims(standing, locks, locks);
        assertEq(unlocked(), 10, "unlocked");
        // Nor under a newer proof that still contains it; and the penalty stays.
        updates(low, proofBy(low, 2, 5, standing.locksroot));
        claims(standing, locks, locks);
        assertEq(unlocked(), 10, "unlocked");
        assertEq(network.direction(address(token), low, high).penalty, 10, "penalty");
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotClaimed.selector, 3));
        punishes(low, low, standing, locks[0], siblings, disposal);
    }

    function test_punishing_is_refused_without_the_payees_disposal_of_this_claimed_lock() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(part(locks, 0, 1));
        claims(standing, locks, part(locks, 0, 1));
        bytes32[] memory siblings = siblingsOf(locks, part(locks, 0, 1));
        IPhotonNetwork.Disposal memory disposal = disposalOf(low, locks[0]);
        disposal.index = 0;
        bytes32 leaf = Trees.leafOf(locks[0]);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotDisposed.selector, leaf));
        punishes(low, low, standing, locks[0], siblings, disposal);
        disposal.index = 2;
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotDisposed.selector, leaf));
        punishes(low, low, standing, locks[0], siblings, disposal);
        // A disposal that the payer signed of his own locks is nothing.
        disposal = disposalOf(high, locks[0]);
        refuses(invalidSignature(high));
        punishes(low, low, standing, locks[0], siblings, disposal);
        disposal = disposalOf(low, locks[1]);
        bytes32[] memory others = siblingsOf(locks, part(locks, 1, 1));
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotClaimed.selector, 4));
        punishes(low, low, standing, locks[1], others, disposal);
    }

    function test_punishing_ends_with_the_challenge() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = closedWith(locks);
        register(locks);
        claims(standing, locks, locks);
        IPhotonNetwork.Disposal memory disposal = disposalOf(low, locks[0]);
        uint64 until = START + TIMEOUT + CHALLENGE;
        vm.warp(until + 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.TooLate.selector, until, until + 1));
        punishes(low, low, standing, locks[0], new bytes32[](12), disposal);
        vm.warp(until);
        punishes(low, low, standing, locks[0], new bytes32[](12), disposal);
    }

    function test_update_and_unlock_go_in_one_call() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 2);
        closes(low, noProof(), 10);
        IPhotonNetwork.Balance memory standing = balance(5, rootOf(locks));
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(network.registerSecrets, (secretsOf(locks)));
        calls[1] = abi.encodeCall(
            network.update, (address(token), low, high, proofBy(low, 1, 5, standing.locksroot), "")
        );
        calls[2] = abi.encodeCall(
            network.unlock,
            (address(token), low, high, standing, locks, siblingsOf(locks, locks), registrationOf(locks), "")
        );
        act(high, abi.encodeCall(network.multicall, (calls)));
        assertEq(unlocked(), 20, "unlocked");
    }
}
