// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {DepositReceiver} from "../src/DepositReceiver.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {Erc677Token} from "../test-tokens/CallingTokens.sol";
import {AuthorizationToken} from "../test-tokens/SignedTokens.sol";
import {WrappedNative} from "../test-tokens/WrappedNative.sol";
import {Fixture} from "./support/Fixture.sol";
import {Trees} from "./support/Trees.sol";
import {vm} from "./support/Vm.sol";

/// @title What each call costs, as whole transactions in a steady state: `cargo xtask contracts` writes them to
/// docs/gas.md. Reported, never asserted.
contract GasTest is Fixture {
    event log_named_uint(string what, uint256 gas);

    uint128 private constant SUM = 400_000;

    function setUp() public override {
        super.setUp();
        // Steady state: the contract holds tokens already.
        token.mint(address(network), 1);
    }

    function report(string memory what) private {
        emit log_named_uint(what, vm.lastCallGas().gasTotalUsed);
    }

    function test_gas_of_a_cooperative_life() external {
        vm.prank(low);
        token.transfer(high, 1);
        report("token transfer (yardstick)");
        vm.prank(low);
        network.open(address(token), high, TIMEOUT, SUM);
        report("open + deposit");
        vm.prank(high);
        network.deposit(address(token), high, low, 1, SUM / 2);
        report("deposit, other side");
        vm.prank(high);
        network.deposit(address(token), high, low, 1, SUM / 2);
        report("deposit, top-up");
        withdrawing(1000, "withdraw, first");
        withdrawing(2000, "withdraw, again");
        bytes32 hash = settlementHash(20_500, 21_000, LATER);
        bytes memory byLow = signedBy(keyLow, hash);
        vm.prank(high);
        network.cooperativeSettle(address(token), low, high, 20_500, 21_000, LATER, byLow, "");
        report("cooperative settle after withdrawals, by a party");
        vm.prank(low);
        network.open(address(token), high, TIMEOUT, SUM);
        report("open again + deposit");
    }

    function test_gas_of_cooperative_settle_by_a_party() external {
        openWith(SUM, SUM);
        bytes memory byLow = signedBy(keyLow, settlementHash(20_001, 20_000, LATER));
        vm.prank(high);
        network.cooperativeSettle(address(token), low, high, 20_001, 20_000, LATER, byLow, "");
        report("cooperative settle, both paid, by a party");
    }

    function test_gas_of_cooperative_settle_by_a_stranger() external {
        openWith(SUM, SUM);
        bytes32 hash = settlementHash(20_001, 20_000, LATER);
        (bytes memory byLow, bytes memory byHigh) = (signedBy(keyLow, hash), signedBy(keyHigh, hash));
        vm.prank(stranger);
        network.cooperativeSettle(address(token), low, high, 20_001, 20_000, LATER, byLow, byHigh);
        report("cooperative settle, both paid, by a stranger");
    }

    function test_gas_of_an_honest_unilateral_end() external {
        openWith(SUM, SUM);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 5, 123_456, 0);
        vm.prank(low);
        network.close(address(token), high, proof, 234_567);
        report("close with proof and declaration");
        uint256 sum = vm.lastCallGas().gasTotalUsed;
        skipDispute();
        vm.prank(low);
        network.settle(address(token), low, high, nothing(), IPhotonNetwork.Balance(123_456, 0, 234_567));
        report("settle after it");
        emit log_named_uint("honest unilateral end", sum + vm.lastCallGas().gasTotalUsed);
    }

    function test_gas_of_a_dispute_with_two_proofs() external {
        openWith(SUM, SUM);
        bytes32 root = keccak256("root");
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 5, 123_456, root);
        vm.prank(low);
        network.close(address(token), high, proof, 0);
        report("close with proof");
        proof = proofBy(low, 5, 234_567, 0);
        vm.prank(high);
        network.update(address(token), low, high, proof, "");
        report("update, first");
        proof = proofBy(low, 6, 234_568, 0);
        vm.prank(high);
        network.update(address(token), low, high, proof, "");
        report("update, again");
        skipDispute();
        vm.prank(stranger);
        network.settle(address(token), low, high, balance(234_568, 0), balance(123_456, root));
        report("settle after two proofs, one with locks");
    }

    function test_gas_of_a_dispute_without_locks() external {
        openWith(SUM, SUM);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 5, 123_456, 0);
        vm.prank(low);
        network.close(address(token), high, proof, 0);
        proof = proofBy(low, 5, 234_567, 0);
        bytes memory delegation = delegationTo(stranger, low, 5, 234_567, 0);
        vm.prank(stranger);
        network.update(address(token), low, high, proof, delegation);
        report("update, delegated");
        skipDispute();
        vm.prank(stranger);
        network.settle(address(token), low, high, balance(234_567, 0), balance(123_456, 0));
        report("settle after two proofs, no locks");
    }

    function test_gas_of_close_without_proof() external {
        openWith(SUM, SUM);
        vm.prank(low);
        network.close(address(token), high, noProof(), 0);
        report("close without proof");
        skipDispute();
        vm.prank(low);
        network.settle(address(token), low, high, nothing(), nothing());
        report("settle without proofs");
    }

    function test_gas_of_registering() external {
        registering(1);
        registering(10);
        registering(256);
    }

    function test_gas_of_unlocking() external {
        unlocking(1, 1, 1, "unlock 1 of 1");
        unlocking(100, 1, 1, "unlock 1 of 100");
        unlocking(10, 10, 1, "unlock 10 of 10");
        unlocking(100, 10, 1, "unlock 10 of 100, adjacent");
        unlocking(100, 10, 10, "unlock 10 of 100, spread");
        unlocking(100, 100, 1, "unlock 100 of 100");
    }

    function test_gas_of_punishing() external {
        openWith(SUM, SUM);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 100);
        IPhotonNetwork.Registration[] memory shown = register(part(locks, 0, 1));
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 1, 5, rootOf(locks));
        bytes32[] memory siblings = siblingsOf(locks, part(locks, 0, 1));
        vm.prank(high);
        network.close(address(token), low, proof, 0);
        vm.prank(high);
        network.unlock(address(token), low, high, balance(5, rootOf(locks)), part(locks, 0, 1), siblings, shown, "");
        IPhotonNetwork.Disposal memory disposal = disposalOf(low, locks[0]);
        vm.prank(stranger);
        network.punish(address(token), low, high, balance(5, rootOf(locks)), locks[0], siblings, disposal);
        report("punish 1 of 100");
    }

    function test_gas_of_settling_five_channels_of_a_hub() external {
        address hub = high;
        IPhotonNetwork.Settlement[] memory settlements = new IPhotonNetwork.Settlement[](5);
        for (uint256 i = 0; i < 5; i++) {
            address partner = address(uint160(uint256(keccak256(abi.encode(i)))));
            enrich(token, partner);
            vm.prank(partner);
            network.open(address(token), hub, TIMEOUT, SUM / 5);
            vm.prank(hub);
            network.deposit(address(token), hub, partner, 1, SUM / 5);
            vm.prank(hub);
            network.close(address(token), partner, noProof(), 0);
            settlements[i] = IPhotonNetwork.Settlement(partner, nothing(), nothing());
        }
        skipDispute();
        vm.prank(hub);
        network.settleMany(address(token), hub, settlements);
        report("settle five channels of a hub");
    }

    function test_gas_of_opening_for_another_who_gave_an_allowance() external {
        for (uint256 nonce = 0; nonce < 2; nonce++) {
            IPhotonNetwork.OpenAuthorization memory it = opening(SUM / 2, nonce);
            bytes memory byLow = signedBy(keyLow, claimOf(it));
            vm.prank(stranger);
            network.openAuthorized(it, IPhotonNetwork.Means.Allowance, byLow);
            report(nonce == 0 ? "open for another, by allowance" : "open again for another, by allowance");
            if (nonce == 0) endsAgreed();
        }
    }

    function endsAgreed() private {
        bytes32 hash = settlementHash(0, 0, LATER);
        network.cooperativeSettle(address(token), low, high, 0, 0, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash));
    }

    function test_gas_of_opening_for_another_with_one_signature() external {
        AuthorizationToken authorized = new AuthorizationToken();
        token = authorized;
        token.mint(low, SUM * 2);
        token.mint(address(network), 1);
        IPhotonNetwork.OpenAuthorization memory it = opening(SUM, 1);
        bytes32 nonce = Claims.digest(network.domainSeparator(), claimOf(it));
        bytes32 hash = keccak256(abi.encode(
            authorized.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), low, network, SUM, 0, LATER + 1, nonce
        ));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyLow, Claims.digest(authorized.DOMAIN_SEPARATOR(), hash));
        vm.prank(stranger);
        network.openAuthorized(it, IPhotonNetwork.Means.ReceiveWithAuthorization, abi.encodePacked(r, s, v));
        report("open for another, by EIP-3009");
    }

    function test_gas_of_opening_by_a_hook() external {
        Erc677Token odd = new Erc677Token();
        token = odd;
        token.mint(low, SUM * 2);
        token.mint(address(network), 1);
        address receiver = network.receiver();
        vm.prank(low);
        odd.transferAndCall(receiver, SUM, abi.encode(high, TIMEOUT));
        report("open + deposit by ERC-677");
    }

    function test_gas_of_opening_with_the_native_coin() external {
        WrappedNative wrapped = new WrappedNative();
        wrapped.deposit{value: 1}();
        wrapped.transfer(address(network), 1);
        DepositReceiver receiver = DepositReceiver(network.receiver());
        vm.deal(low, SUM);
        vm.prank(low);
        receiver.openWithNative{value: SUM}(address(wrapped), high, TIMEOUT);
        report("open + deposit with the native coin");
    }

    function withdrawing(uint128 total, string memory what) private {
        bytes memory byHigh = signedBy(keyHigh, withdrawalHash(low, total, LATER));
        vm.prank(low);
        network.withdraw(address(token), low, high, total, LATER, "", byHigh);
        report(what);
    }

    function registering(uint256 count) private {
        network.registerSecrets(secretsOf(locksAt(uint16(count) * 8, 1, count)));
        report(string.concat("register ", vm.toString(count)));
    }

    /// @notice Claims `count` of `all` locks, every `step`-th, in a fresh channel; their secrets came in one batch.
    function unlocking(uint256 all, uint256 count, uint256 step, string memory what) private {
        network = new PhotonNetwork(100, 100_000, CHALLENGE);
        vm.prank(low);
        token.approve(address(network), type(uint256).max);
        vm.prank(low);
        network.open(address(token), high, TIMEOUT, 10_000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, all);
        IPhotonNetwork.Lock[] memory some = locksAt(0, uint16(step), count);
        IPhotonNetwork.Registration[] memory shown = register(some);
        bytes32[] memory siblings = siblingsOf(locks, some);
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 1, 5, rootOf(locks));
        vm.prank(high);
        network.close(address(token), low, proof, 0);
        vm.prank(high);
        network.unlock(address(token), low, high, balance(5, proof.locksroot), some, siblings, shown, "");
        report(what);
        vm.prank(low);
        token.mint(low, 10_000);
    }
}
