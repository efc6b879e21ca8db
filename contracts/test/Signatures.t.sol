// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {Wallet} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

/// @title Whose signature counts, and for what.
contract SignaturesTest is Story {
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

    uint256 private constant KINDS = 7;

    /// @notice A claim of each kind, with the same values wherever the fields allow. The payer is high, the payee low.
    function hashOf(uint256 kind) private view returns (bytes32) {
        (bytes32 channel, bytes32[] memory locks) = (id(), new bytes32[](0));
        if (kind == 0) return Claims.balanceProof(channel, 1, high, 50, 100, bytes32(uint256(LATER)));
        if (kind == 1) return Claims.delegation(channel, 1, high, 50, 100, bytes32(uint256(LATER)), stranger);
        if (kind == 2) return Claims.cooperativeSettle(channel, 1, 100, 50, LATER);
        if (kind == 3) return Claims.withdraw(channel, 1, high, 50, LATER);
        if (kind == 4) return Claims.disposal(channel, 1, high, locks);
        if (kind == 5) return claimOf(opening(100, 50));
        return claimOf(depositing(100, 50));
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
        } else if (kind == 4) {
            presentsDisposal(byLow, good);
        } else {
            presentsAuthorization(kind == 5, byLow, good);
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

    /// @notice A good opening gets as far as finding the channel open.
    function presentsAuthorization(bool ofOpening, bytes memory byLow, bool good) private {
        IPhotonNetwork.Means means = IPhotonNetwork.Means.Allowance;
        if (!good) refuses(invalidSignature(low));
        else if (ofOpening) refuses(wrongPhase(IPhotonNetwork.Phase.None, IPhotonNetwork.Phase.Open));
        bytes memory call = ofOpening
            ? abi.encodeCall(network.openAuthorized, (opening(100, 50), means, byLow))
            : abi.encodeCall(network.depositAuthorized, (depositing(100, 50), means, byLow));
        act(stranger, call);
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
