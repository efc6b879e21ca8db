// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {FeeToken} from "../test-tokens/OddTokens.sol";
import {PermitToken} from "../test-tokens/SignedTokens.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {Wallet} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

/// @title Openings and deposits that a stranger brings, by the participant's word and allowance.
contract RelayedTest is Story {
    function brings(IPhotonNetwork.OpenAuthorization memory it, bytes memory signature) private {
        act(stranger, abi.encodeCall(network.openAuthorized, (it, IPhotonNetwork.Means.Allowance, signature)));
    }

    function brings(IPhotonNetwork.DepositAuthorization memory it, bytes memory signature) private {
        act(stranger, abi.encodeCall(network.depositAuthorized, (it, IPhotonNetwork.Means.Allowance, signature)));
    }

    function used(uint256 nonce) private view returns (bytes memory) {
        return abi.encodeWithSelector(IPhotonNetwork.AuthorizationUsed.selector, low, nonce);
    }

    function test_a_stranger_opens_with_the_participants_word() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        vm.expectEmit(address(network));
        emit IPhotonNetwork.AuthorizationSpent(low, 5);
        vm.expectEmit(address(network));
        emit IPhotonNetwork.ChannelOpened(address(token), low, high, 1, TIMEOUT, 70, 0);
        brings(it, signedBy(keyLow, claimOf(it)));
        assertPaid(WEALTH - 70, WEALTH);
        assertEq(token.balanceOf(stranger), WEALTH, "the stranger has");
        assertTrue(network.isAuthorizationUsed(low, 5), "spent");
        assertTrue(!network.isAuthorizationUsed(low, 4) && !network.isAuthorizationUsed(high, 5), "others are not");
    }

    function test_a_stranger_deposits_with_the_participants_word() external {
        openWith(100, 50);
        IPhotonNetwork.DepositAuthorization memory it = depositing(30, 0);
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.Deposited(channelId, low, address(token), 1, 130);
        brings(it, signedBy(keyLow, claimOf(it)));
        assertPaid(WEALTH - 130, WEALTH - 50);
        assertEq(network.channel(address(token), low, high).depositHigh, 50, "deposit of high");
    }

    function test_the_higher_participant_is_served_as_well() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        (it.participant, it.partner) = (high, low);
        brings(it, signedBy(keyHigh, claimOf(it)));
        IPhotonNetwork.DepositAuthorization memory more = depositing(30, 6);
        (more.participant, more.partner) = (high, low);
        brings(more, signedBy(keyHigh, claimOf(more)));
        assertEq(network.channel(address(token), low, high).depositHigh, 100, "deposit of high");
        assertEq(network.channel(address(token), low, high).depositLow, 0, "deposit of low");
        assertPaid(WEALTH, WEALTH - 100);
    }

    function test_an_opening_without_a_deposit_needs_no_tokens_and_a_deposit_does() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(0, 5);
        brings(it, signedBy(keyLow, claimOf(it)));
        assertPhase(IPhotonNetwork.Phase.Open);
        IPhotonNetwork.DepositAuthorization memory more = depositing(0, 6);
        bytes memory byLow = signedBy(keyLow, claimOf(more));
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 0));
        brings(more, byLow);
    }

    function test_an_authorization_serves_once_also_after_settling() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        brings(it, byLow);
        IPhotonNetwork.DepositAuthorization memory more = depositing(30, 6);
        bytes memory byLowMore = signedBy(keyLow, claimOf(more));
        brings(more, byLowMore);
        refuses(used(6));
        brings(more, byLowMore);
        cooperatesAgreed(100, 0);
        refuses(used(5));
        brings(it, byLow);
        openWith(10, 0);
        refuses(used(6));
        brings(more, byLowMore);
    }

    function test_one_nonce_serves_either_an_opening_or_a_deposit() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        brings(it, signedBy(keyLow, claimOf(it)));
        IPhotonNetwork.DepositAuthorization memory more = depositing(30, 5);
        bytes memory byLow = signedBy(keyLow, claimOf(more));
        refuses(used(5));
        brings(more, byLow);
    }

    function test_an_unused_deposit_authorization_of_one_epoch_is_worthless_in_the_next() external {
        openWith(100, 50);
        IPhotonNetwork.DepositAuthorization memory it = depositing(30, 0);
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        cooperatesAgreed(100, 50);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        brings(it, byLow);
        openWith(100, 50);
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongEpoch.selector, 2, 1));
        brings(it, byLow);
        it.epoch = 2;
        refuses(invalidSignature(low));
        brings(it, byLow);
    }

    function test_an_authorization_is_good_until_its_last_second() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        vm.warp(LATER + 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.ClaimExpired.selector, LATER, LATER + 1));
        brings(it, byLow);
        vm.warp(LATER);
        brings(it, byLow);
    }

    function test_a_cancelled_authorization_is_refused() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 1000);
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        act(stranger, abi.encodeCall(network.cancelAuthorization, (1000)));
        act(low, abi.encodeCall(network.cancelAuthorization, (1001)));
        vm.expectEmit(address(network));
        emit IPhotonNetwork.AuthorizationSpent(low, 1000);
        act(low, abi.encodeCall(network.cancelAuthorization, (1000)));
        refuses(used(1000));
        brings(it, byLow);
        refuses(used(1000));
        act(low, abi.encodeCall(network.cancelAuthorization, (1000)));
        assertTrue(!network.isAuthorizationUsed(low, 1002) && !network.isAuthorizationUsed(low, 1000 - 256), "others are not spent");
    }

    function test_nothing_of_an_opening_can_be_changed_by_who_brings_it() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        for (uint256 field = 0; field < 6; field++) {
            it = opening(70, 5);
            if (field == 0) it.token = address(new TestToken("Other", "OTH", 18));
            if (field == 1) it.partner = stranger;
            if (field == 2) it.settleTimeout = 100;
            if (field == 3) it.amount = 71;
            if (field == 4) it.nonce = 6;
            if (field == 5) it.validUntil = LATER + 1;
            refuses(invalidSignature(low));
            brings(it, byLow);
        }
        brings(opening(70, 5), byLow);
    }

    function test_nothing_of_a_deposit_can_be_changed_by_who_brings_it() external {
        openWith(100, 50);
        bytes memory byLow = signedBy(keyLow, claimOf(depositing(30, 0)));
        for (uint256 field = 0; field < 6; field++) {
            IPhotonNetwork.DepositAuthorization memory it = depositing(30, 0);
            if (field == 0) it.token = address(new TestToken("Other", "OTH", 18));
            if (field == 1) it.partner = stranger;
            if (field == 2) it.epoch = 2;
            if (field == 3) it.amount = 31;
            if (field == 4) it.nonce = 1;
            if (field == 5) it.validUntil = LATER + 1;
            refuses(invalidSignature(low));
            brings(it, byLow);
        }
        brings(depositing(30, 0), byLow);
    }

    function test_only_the_participant_authorizes() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byHigh = signedBy(keyHigh, claimOf(it));
        refuses(invalidSignature(low));
        brings(it, byHigh);
        // A caller who is the participant must sign as well: nothing is assumed here.
        refuses(invalidSignature(low));
        act(low, abi.encodeCall(network.openAuthorized, (it, IPhotonNetwork.Means.Allowance, "")));
        it.participant = address(0);
        refuses(invalidSignature(address(0)));
        brings(it, new bytes(65));
    }

    function test_an_authorization_for_another_chain_is_refused() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        vm.chainId(4242);
        refuses(invalidSignature(low));
        brings(it, byLow);
    }

    function test_a_refused_opening_leaves_the_nonce_unspent() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        it.settleTimeout = 99;
        bytes memory byLow = signedBy(keyLow, claimOf(it));
        refuses(abi.encodeWithSelector(IPhotonNetwork.SettleTimeoutOutOfBounds.selector, 100, 100_000, 99));
        brings(it, byLow);
        assertTrue(!network.isAuthorizationUsed(low, 5), "unspent");
    }

    function test_a_contract_wallet_authorizes_by_erc_1271() external {
        Wallet wallet = new Wallet(high);
        token.mint(address(wallet), 100);
        vm.prank(address(wallet));
        token.approve(address(network), 100);
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        it.participant = address(wallet);
        bytes memory byOwner = signedBy(keyHigh, claimOf(it));
        wallet.setWilling(false);
        refuses(invalidSignature(address(wallet)));
        brings(it, byOwner);
        wallet.setWilling(true);
        brings(it, byOwner);
        assertEq(token.balanceOf(address(wallet)), 30, "the wallet has");
    }

    function test_what_arrives_is_credited_also_when_relayed() external {
        token = new FeeToken();
        enrich(token, low);
        IPhotonNetwork.OpenAuthorization memory it = opening(100, 5);
        brings(it, signedBy(keyLow, claimOf(it)));
        assertEq(network.channel(address(token), low, high).depositLow, 90, "deposit of low");
    }

    /// @notice Low, who has no coin for gas, and gave no allowance, opens by two signatures.
    function gasless(PermitToken permitted) private returns (bytes[] memory calls) {
        token = permitted;
        token.mint(low, WEALTH);
        bytes32 hash = keccak256(
            abi.encode(permitted.PERMIT_TYPEHASH(), low, address(network), 70, permitted.nonces(low), LATER)
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(keyLow, keccak256(abi.encodePacked(hex"1901", permitted.DOMAIN_SEPARATOR(), hash)));
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        calls = new bytes[](2);
        calls[0] = abi.encodeCall(network.permit, (address(token), low, 70, LATER, v, r, s));
        calls[1] = abi.encodeCall(
            network.openAuthorized, (it, IPhotonNetwork.Means.Allowance, signedBy(keyLow, claimOf(it)))
        );
    }

    function test_a_permit_and_an_opening_in_one_call_need_no_gas_coin() external {
        bytes[] memory calls = gasless(new PermitToken());
        act(stranger, abi.encodeCall(network.multicall, (calls)));
        assertEq(network.channel(address(token), low, high).depositLow, 70, "deposit of low");
        assertEq(token.balanceOf(low), WEALTH - 70, "low has");
        assertEq(token.allowance(low, address(network)), 0, "allowance");
    }

    function test_a_permit_used_first_by_somebody_else_does_not_sink_the_opening() external {
        bytes[] memory calls = gasless(new PermitToken());
        act(high, calls[0]);
        act(stranger, abi.encodeCall(network.multicall, (calls)));
        assertEq(network.channel(address(token), low, high).depositLow, 70, "deposit of low");
    }

    function test_a_permit_alone_moves_nothing() external {
        bytes[] memory calls = gasless(new PermitToken());
        act(stranger, calls[0]);
        assertEq(token.allowance(low, address(network)), 70, "allowance");
        assertEq(token.balanceOf(low), WEALTH, "low has");
    }

    function test_a_permit_for_what_is_no_token_does_nothing() external {
        act(stranger, abi.encodeCall(network.permit, (address(0xF00D), low, 70, LATER, 27, 0, 0)));
        act(stranger, abi.encodeCall(network.permit, (address(token), low, 70, LATER, 27, 0, 0)));
        assertEq(token.allowance(low, address(network)), type(uint256).max, "allowance");
    }
}
