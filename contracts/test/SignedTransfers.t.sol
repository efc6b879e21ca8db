// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {Permit2Double} from "../test-tokens/Permit2Double.sol";
import {AuthorizationToken} from "../test-tokens/SignedTokens.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {Wallet} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

/// @title Openings and deposits with one signature, which the token itself (EIP-3009) or Permit2 verifies.
contract SignedTransfersTest is Story {
    Permit2Double private constant PERMIT2 = Permit2Double(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    AuthorizationToken private authorized;

    function setUp() public override {
        super.setUp();
        vm.etch(address(PERMIT2), type(Permit2Double).runtimeCode);
        vm.prank(low);
        token.approve(address(PERMIT2), type(uint256).max);
        vm.prank(low);
        token.approve(address(network), 0);
        authorized = new AuthorizationToken();
        authorized.mint(low, WEALTH);
    }

    function brings(IPhotonNetwork.OpenAuthorization memory it, IPhotonNetwork.Means means, bytes memory signature) private {
        act(stranger, abi.encodeCall(network.openAuthorized, (it, means, signature)));
    }

    function brings(IPhotonNetwork.DepositAuthorization memory it, IPhotonNetwork.Means means, bytes memory signature) private {
        act(stranger, abi.encodeCall(network.depositAuthorized, (it, means, signature)));
    }

    function byToken() private pure returns (IPhotonNetwork.Means) {
        return IPhotonNetwork.Means.ReceiveWithAuthorization;
    }

    function byPermit2() private pure returns (IPhotonNetwork.Means) {
        return IPhotonNetwork.Means.Permit2;
    }

    function refused(IPhotonNetwork.Means means, uint256 amount) private view returns (bytes memory) {
        return abi.encodeWithSelector(IPhotonNetwork.AuthorizationRefused.selector, means, token, low, amount);
    }

    /// @notice Over the token's own typed data, with the digest of our claim as nonce.
    function signedForToken(uint256 key, bytes32 claim, uint256 amount) private view returns (bytes memory) {
        bytes32 nonce = Claims.digest(network.domainSeparator(), claim);
        bytes32 hash = keccak256(abi.encode(
            authorized.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), vm.addr(key), network, amount, 0, LATER + 1, nonce
        ));
        return signedIn(authorized.DOMAIN_SEPARATOR(), key, hash);
    }

    /// @notice Over Permit2's own typed data, with our claim as witness.
    function signedForPermit2(uint256 key, string memory witnessType, bytes32 claim, uint256 amount, uint256 nonce)
        private view returns (bytes memory)
    {
        bytes32 kind = keccak256(abi.encodePacked(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,",
            witnessType
        ));
        bytes32 permitted =
            keccak256(abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), token, amount));
        bytes32 hash = keccak256(abi.encode(kind, permitted, network, nonce, LATER, claim));
        return signedIn(PERMIT2.DOMAIN_SEPARATOR(), key, hash);
    }

    function signedIn(bytes32 separator, uint256 key, bytes32 structHash) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, Claims.digest(separator, structHash));
        return abi.encodePacked(r, s, v);
    }

    function test_one_signature_for_the_token_opens_and_another_deposits() external {
        token = authorized;
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        brings(it, byToken(), signedForToken(keyLow, claimOf(it), 70));
        IPhotonNetwork.DepositAuthorization memory more = depositing(30, 6);
        brings(more, byToken(), signedForToken(keyLow, claimOf(more), 30));
        assertEq(network.channel(address(token), low, high).depositLow, 100, "deposit of low");
        assertEq(token.balanceOf(low), WEALTH - 100, "low has");
        assertTrue(!network.isAuthorizationUsed(low, 5), "the token spends its own nonces");
    }

    function test_a_signature_for_the_token_serves_once_also_after_settling() external {
        token = authorized;
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForToken(keyLow, claimOf(it), 70);
        brings(it, byToken(), byLow);
        cooperatesAgreed(70, 0);
        refuses(refused(byToken(), 70));
        brings(it, byToken(), byLow);
    }

    function test_a_signature_for_the_token_serves_exactly_what_it_names() external {
        token = authorized;
        bytes memory byLow = signedForToken(keyLow, claimOf(opening(70, 5)), 70);
        for (uint256 field = 0; field < 5; field++) {
            IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
            if (field == 0) it.partner = stranger;
            if (field == 1) it.settleTimeout = 100;
            if (field == 2) it.amount = 71;
            if (field == 3) it.nonce = 6;
            if (field == 4) it.validUntil = LATER + 1;
            refuses(refused(byToken(), it.amount));
            brings(it, byToken(), byLow);
        }
        brings(opening(70, 5), byToken(), byLow);
    }

    function test_a_signature_for_the_token_is_refused_of_anybody_else_and_cut_short() external {
        token = authorized;
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byHigh = signedForToken(keyHigh, claimOf(it), 70);
        refuses(refused(byToken(), 70));
        brings(it, byToken(), byHigh);
        refuses(invalidSignature(low));
        brings(it, byToken(), new bytes(64));
    }

    function test_a_signature_for_the_token_is_good_until_its_last_second() external {
        token = authorized;
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForToken(keyLow, claimOf(it), 70);
        vm.warp(LATER + 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.ClaimExpired.selector, LATER, LATER + 1));
        brings(it, byToken(), byLow);
        vm.warp(LATER);
        brings(it, byToken(), byLow);
    }

    function test_the_last_of_all_seconds_overflows_nothing() external {
        token = authorized;
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        it.validUntil = type(uint64).max;
        bytes32 nonce = Claims.digest(network.domainSeparator(), claimOf(it));
        bytes32 hash = keccak256(abi.encode(
            authorized.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), low, network, 70, 0, uint256(1) << 64, nonce
        ));
        brings(it, byToken(), signedIn(authorized.DOMAIN_SEPARATOR(), keyLow, hash));
    }

    function test_a_token_without_signatures_is_refused_as_one() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForToken(keyLow, claimOf(it), 70);
        refuses(refused(byToken(), 70));
        brings(it, byToken(), byLow);
        it.token = address(0xF00D);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotAToken.selector, address(0xF00D)));
        brings(it, byToken(), byLow);
    }

    function test_by_the_token_or_permit2_nothing_can_be_opened_without_a_deposit() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(0, 5);
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 0, 5);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 0));
        brings(it, byPermit2(), byLow);
        token = authorized;
        it = opening(0, 5);
        byLow = signedForToken(keyLow, claimOf(it), 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 0));
        brings(it, byToken(), byLow);
    }

    function test_one_signature_for_permit2_opens_and_another_deposits() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        brings(it, byPermit2(), signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 70, 5));
        IPhotonNetwork.DepositAuthorization memory more = depositing(30, 6);
        brings(more, byPermit2(), signedForPermit2(keyLow, Claims.DEPOSIT_WITNESS, claimOf(more), 30, 6));
        assertEq(network.channel(address(token), low, high).depositLow, 100, "deposit of low");
        assertPaid(WEALTH - 100, WEALTH);
    }

    function test_a_signature_for_permit2_serves_once_also_after_settling() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 70, 5);
        brings(it, byPermit2(), byLow);
        cooperatesAgreed(70, 0);
        refuses(refused(byPermit2(), 70));
        brings(it, byPermit2(), byLow);
    }

    function test_a_signature_for_permit2_serves_exactly_what_it_names() external {
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(opening(70, 5)), 70, 5);
        for (uint256 field = 0; field < 5; field++) {
            IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
            if (field == 0) it.partner = stranger;
            if (field == 1) it.settleTimeout = 100;
            if (field == 2) it.amount = 69;
            if (field == 3) it.nonce = 6;
            if (field == 4) it.validUntil = LATER + 1;
            refuses(refused(byPermit2(), it.amount));
            brings(it, byPermit2(), byLow);
        }
        brings(opening(70, 5), byPermit2(), byLow);
    }

    function test_a_signature_for_permit2_names_its_network() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 70, 5);
        network = new PhotonNetwork(100, 100_000, CHALLENGE);
        refuses(refused(byPermit2(), 70));
        brings(it, byPermit2(), byLow);
    }

    function test_a_nonce_cancelled_in_permit2_is_refused() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 70, 5);
        vm.prank(low);
        PERMIT2.invalidateUnorderedNonces(0, 1 << 5);
        refuses(refused(byPermit2(), 70));
        brings(it, byPermit2(), byLow);
    }

    function test_a_signature_for_permit2_is_good_until_its_last_second() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 70, 5);
        vm.warp(LATER + 1);
        refuses(abi.encodeWithSelector(IPhotonNetwork.ClaimExpired.selector, LATER, LATER + 1));
        brings(it, byPermit2(), byLow);
        vm.warp(LATER);
        brings(it, byPermit2(), byLow);
    }

    function test_a_contract_wallet_signs_for_permit2_by_erc_1271() external {
        Wallet wallet = new Wallet(high);
        token.mint(address(wallet), 100);
        vm.prank(address(wallet));
        token.approve(address(PERMIT2), 100);
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        (it.participant, it.partner) = (address(wallet), low);
        brings(it, byPermit2(), signedForPermit2(keyHigh, Claims.OPEN_WITNESS, claimOf(it), 70, 5));
        assertEq(token.balanceOf(address(wallet)), 30, "the wallet has");
    }

    function test_where_there_is_no_permit2_it_is_said() external {
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes memory byLow = signedForPermit2(keyLow, Claims.OPEN_WITNESS, claimOf(it), 70, 5);
        vm.etch(address(PERMIT2), "");
        refuses(abi.encodeWithSelector(IPhotonNetwork.NoPermit2.selector, PERMIT2));
        brings(it, byPermit2(), byLow);
    }

    function test_no_signature_for_one_means_serves_another() external {
        token = authorized;
        token.mint(low, WEALTH);
        vm.prank(low);
        token.approve(address(network), type(uint256).max);
        vm.prank(low);
        token.approve(address(PERMIT2), type(uint256).max);
        IPhotonNetwork.OpenAuthorization memory it = opening(70, 5);
        bytes32 claim = claimOf(it);
        bytes[3] memory signatures = [
            signedBy(keyLow, claim), signedForToken(keyLow, claim, 70),
            signedForPermit2(keyLow, Claims.OPEN_WITNESS, claim, 70, 5)
        ];
        for (uint256 signed = 0; signed < 3; signed++) {
            for (uint256 used = 0; used < 3; used++) {
                uint256 before = vm.snapshotState();
                if (signed != used) {
                    refuses(used == 0 ? invalidSignature(low) : refused(IPhotonNetwork.Means(used), 70));
                }
                brings(it, IPhotonNetwork.Means(used), signatures[signed]);
                vm.revertToState(before);
            }
        }
    }
}
