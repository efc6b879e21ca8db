// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {Wallet} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

/// @title The attacks that worked against Photon's first contract, and those on signatures.
contract AttacksTest is Story {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    // C-01: a cooperative-settle signature was also a valid balance proof, and whole channels could be stolen with it.
    function test_a_settlement_signature_is_no_balance_proof() external {
        openWith(100, 50);
        bytes memory bySettlement = signedBy(keyHigh, settlementHash(100, 50, LATER));
        refuses(invalidSignature(high));
        closes(low, IPhotonNetwork.BalanceProof(100, 50, bytes32(uint256(LATER)), bySettlement), 0);
    }

    function test_no_signature_of_one_type_verifies_as_another() external {
        openWith(100, 50);
        for (uint256 kind = 0; kind < KINDS; kind++) {
            bytes32 hash = hashOf(kind);
            for (uint256 used = 0; used < KINDS; used++) {
                uint256 before = vm.snapshotState();
                presents(used, signedBy(keyLow, hash), signedBy(keyHigh, hash), used == kind);
                vm.revertToState(before);
            }
        }
    }

    uint256 private constant KINDS = 5;

    /// @notice A claim of each kind, with the same values wherever the fields allow. The payer is high, the payee low.
    function hashOf(uint256 kind) private view returns (bytes32) {
        (bytes32 channel, bytes32[] memory locks) = (id(), new bytes32[](0));
        if (kind == 0) return Claims.balanceProof(channel, 1, high, 50, 100, bytes32(uint256(LATER)));
        if (kind == 1) return Claims.delegation(channel, 1, high, 50, 100, bytes32(uint256(LATER)), stranger);
        if (kind == 2) return Claims.cooperativeSettle(channel, 1, 100, 50, LATER);
        if (kind == 3) return Claims.withdraw(channel, 1, high, 50, LATER);
        return Claims.disposal(channel, 1, high, locks);
    }

    /// @notice Uses the signatures as those of a claim of this kind, and demands that they count exactly if `good`.
    function presents(uint256 kind, bytes memory byLow, bytes memory byHigh, bool good) private {
        IPhotonNetwork.BalanceProof memory proof = IPhotonNetwork.BalanceProof(50, 100, bytes32(uint256(LATER)), byHigh);
        if (kind == 0) {
            if (!good) refuses(invalidSignature(high));
            closes(low, proof, 0);
        } else if (kind == 1) {
            proof = proofBy(high, 50, 100, bytes32(uint256(LATER)));
            closes(high, noProof(), 0);
            if (!good) refuses(invalidSignature(low));
            updates(stranger, high, proof, byLow);
        } else if (kind == 2) {
            if (!good) refuses(invalidSignature(low));
            cooperates(stranger, 100, 50, LATER, byLow, byHigh);
        } else if (kind == 3) {
            if (!good) refuses(invalidSignature(high));
            withdraws(stranger, high, 50, LATER, byHigh, byLow);
        } else {
            presentsDisposal(byLow, good);
        }
    }

    /// @notice The disposal gives up no locks, so a good one gets as far as its list.
    function presentsDisposal(bytes memory byLow, bool good) private {
        if (good) return;
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 1, 1);
        IPhotonNetwork.Balance memory standing = balance(5, rootOf(locks));
        IPhotonNetwork.Disposal memory disposal = disposalOf(high, locks[0]);
        disposal.signature = byLow;
        closes(low, proofBy(high, 1, 5, standing.locksroot), 0);
        refuses(invalidSignature(low));
        punishes(stranger, high, standing, locks[0], new bytes32[](12), disposal);
    }

    // C-03: an attacker opened the pair first, with a timeout too short to answer, and the victim's deposit went in.
    function test_an_opening_never_deposits_into_anothers_timeout() external {
        opens(high, 100, 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.None, IPhotonNetwork.Phase.Open));
        opens(low, TIMEOUT, 40_000);
        assertPaid(WEALTH, WEALTH);
        refuses(abi.encodeWithSelector(IPhotonNetwork.InvalidParticipants.selector, stranger, stranger));
        act(stranger, abi.encodeCall(network.open, (address(token), stranger, TIMEOUT, 0)));
    }

    // C-04: a withdrawal signed and held back was executed much later, and made newer proofs worthless.
    function test_a_withdrawal_held_back_voids_no_proof() external {
        openWith(100, 50);
        bytes32 hash = withdrawalHash(low, 10, START + 50);
        bytes memory byLow = signedBy(keyLow, hash);
        bytes memory byHigh = signedBy(keyHigh, hash);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 9, 40, 0);
        withdraws(high, low, 10, START + 50, byLow, "");
        closes(low, proof, 0);
        skipDispute();
        settles(nothing(), balance(40, 0));
        assertPaid(WEALTH + 40, WEALTH - 40);
        openWith(100, 50);
        refuses(abi.encodeWithSelector(IPhotonNetwork.ClaimExpired.selector, START + 50, block.timestamp));
        withdraws(high, low, 10, START + 50, byLow, byHigh);
    }

    // C-05: the block number of the opening was the epoch, so two lives within a block were one.
    function test_proofs_of_one_life_mean_nothing_in_the_next_even_within_a_second() external {
        openWith(100, 50);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 9, 40, 0);
        bytes memory byHigh = signedBy(keyHigh, settlementHash(0, 50, LATER));
        cooperatesAgreed(100, 50);
        openWith(100, 50);
        refuses(invalidSignature(high));
        closes(low, proof, 0);
        refuses(invalidSignature(high));
        cooperates(low, 0, 50, LATER, "", byHigh);
        closes(low, noProof(), 0);
        refuses(invalidSignature(high));
        updates(high, proof);
    }

    // C-08: the whole deposit was lost for one lock, by a tower that claimed in good faith.
    function test_a_punishment_costs_the_locks_amount_and_not_the_deposit() external {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 1);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        bytes memory delegation = delegationTo(stranger, low, 1, 0, standing.locksroot);
        closes(low, noProof(), 0);
        updates(stranger, low, proofBy(low, 1, 0, standing.locksroot), delegation);
        unlocks(stranger, low, standing, locks, new bytes32[](12), register(locks), delegation);
        punishes(low, low, standing, locks[0], new bytes32[](12), disposalOf(low, locks[0]));
        // The tower goes on; it makes nothing worse.
        unlocks(stranger, low, standing, locks, new bytes32[](12), registrationOf(locks), delegation);
        skipDispute();
        settles(standing, nothing());
        assertPaid(WEALTH + 10, WEALTH - 10);
    }

    // C-11: claims of one life were remembered in the next.
    function test_the_same_lock_is_claimed_again_in_the_next_life() external {
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 1);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        IPhotonNetwork.Registration[] memory shown = register(locks);
        for (uint256 life = 1; life < 3; life++) {
            openWith(500, 1000);
            closes(high, proofBy(low, 1, 0, standing.locksroot), 0);
            unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
            skipDispute();
            settles(standing, nothing());
            assertPaid(WEALTH - 10 * life, WEALTH + 10 * life);
        }
    }

    // C-12: of two who unlocked at once the second was refused.
    function test_the_two_sides_never_invalidate_each_others_calls() external {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 1);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        IPhotonNetwork.Registration[] memory shown = register(locks);
        IPhotonNetwork.BalanceProof memory ofLow = proofBy(low, 1, 0, standing.locksroot);
        IPhotonNetwork.BalanceProof memory ofHigh = proofBy(high, 1, 0, standing.locksroot);
        closes(high, ofLow, 0);
        updates(high, ofHigh);
        unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
        unlocks(low, high, standing, locks, new bytes32[](12), shown, "");
        unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
        skipDispute();
        settles(standing, standing);
        assertPaid(WEALTH, WEALTH);
    }

    // C-13: the chain id was what the deployer said, so claims of one chain counted on another.
    function test_a_claim_of_another_chain_or_contract_means_nothing() external {
        openWith(100, 50);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 9, 40, 0);
        bytes32 before = network.domainSeparator();
        vm.chainId(4242);
        assertTrue(network.domainSeparator() != before, "another domain");
        refuses(invalidSignature(high));
        closes(low, proof, 0);
        closes(low, proofBy(high, 9, 40, 0), 0);
        vm.chainId(31337);
        assertEq(network.domainSeparator(), before, "domain");
        network = new PhotonNetwork(100, 100_000, CHALLENGE);
        enrich(token, low);
        openWith(100, 0);
        refuses(invalidSignature(high));
        closes(low, proof, 0);
    }

    // C-17: registering a secret first made the victim's own call fail.
    function test_a_secret_registered_by_somebody_else_stands_in_nobodys_way() external {
        bytes32[] memory secrets = secretsOf(locksAt(0, 1, 3));
        act(stranger, abi.encodeCall(network.registerSecrets, (secrets)));
        vm.warp(START + 50);
        act(low, abi.encodeCall(network.registerSecrets, (secrets)));
        assertEq(network.registeredAt(network.registerSecrets(secrets)), START, "first time");
    }

    function test_the_mirror_of_a_signature_and_odd_ones_are_refused() external {
        openWith(100, 50);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 9, 40, 0);
        bytes memory good = proof.signature;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyHigh, Claims.digest(network.domainSeparator(), proofHash(high, 9, 40, 0)));
        bytes[6] memory bad = [
            abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27)),
            abi.encodePacked(r, s, uint8(v - 27)),
            abi.encodePacked(r, s, v, uint8(0)),
            abi.encodePacked(r, s),
            bytes(""),
            new bytes(65)
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            proof.signature = bad[i];
            refuses(invalidSignature(high));
            closes(low, proof, 0);
        }
        proof.signature = good;
        closes(low, proof, 0);
    }

    function test_nobody_signs_for_the_zero_address() external {
        openWith(100, 50);
        bytes32 hash = settlementHash(0, 0, LATER);
        // No channel has the zero address; the call is refused before any signature counts.
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        act(stranger, abi.encodeCall(
            network.cooperativeSettle,
            (address(token), address(0), high, 0, 0, LATER, new bytes(65), signedBy(keyHigh, hash))
        ));
    }

    function test_a_contract_wallet_signs_by_erc_1271() external {
        Wallet wallet = new Wallet(high);
        vm.prank(low);
        network.open(address(token), address(wallet), TIMEOUT, 100);
        bytes32 channel = network.channelId(address(token), low, address(wallet));
        bytes memory byOwner = signedBy(keyHigh, Claims.cooperativeSettle(channel, 1, 60, 50, LATER));
        (address first, address second) = low < address(wallet) ? (low, address(wallet)) : (address(wallet), low);
        (bytes memory one, bytes memory two) = low < address(wallet) ? (bytes(""), byOwner) : (byOwner, bytes(""));
        bytes memory call = abi.encodeCall(
            network.cooperativeSettle, (address(token), first, second, 60, 50, LATER, one, two)
        );
        wallet.setWilling(false);
        refuses(invalidSignature(address(wallet)));
        act(low, call);
        wallet.setWilling(true);
        act(low, call);
        assertEq(token.balanceOf(first) + token.balanceOf(second), WEALTH, "paid");
    }

    // EIP-7702: an account may have code and a key.
    function test_an_account_with_code_still_signs_with_its_key() external {
        openWith(100, 50);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 9, 40, 0);
        vm.etch(high, hex"00");
        closes(low, proof, 0);
    }

    function test_a_contract_that_knows_no_signatures_signs_nothing() external {
        openWith(100, 50);
        vm.etch(high, hex"00");
        refuses(invalidSignature(high));
        closes(low, IPhotonNetwork.BalanceProof(9, 40, 0, new bytes(65)), 0);
    }
}
