// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {IDepositReceiver} from "../src/interfaces/IDepositReceiver.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {ApproveAndCallToken, Erc677Token} from "../test-tokens/CallingTokens.sol";
import {BlockingToken, FeeToken, GreedyToken, HookToken, SilentToken} from "../test-tokens/OddTokens.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {Reenterer} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

/// @title What worked against Photon's first contract, one test for each way, by its number in the list of them.
contract AttacksTest is Story {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function use(TestToken odd) private {
        token = odd;
        enrich(odd, low);
        enrich(odd, high);
    }

    // C-01: a cooperative-settle signature was also a valid balance proof, and whole channels could be stolen with it.
    function test_C_01_a_cooperative_settle_is_no_balance_proof() external {
        openWith(100, 50);
        bytes memory bySettlement = signedBy(keyHigh, settlementHash(100, 50, LATER));
        refuses(invalidSignature(high));
        closes(low, IPhotonNetwork.BalanceProof(100, 50, bytes32(uint256(LATER)), bySettlement), 0);
    }

    // C-02: anyone named a victim to the hook of approve-and-call, and so spent whatever the victim had approved.
    function test_C_02_nobody_spends_what_others_approved() external {
        address receiver = network.receiver();
        ApproveAndCallToken odd = new ApproveAndCallToken();
        use(odd);
        vm.prank(low);
        odd.approve(receiver, type(uint256).max);
        bytes memory data = abi.encode(stranger, uint64(TIMEOUT));
        refuses(abi.encodeWithSelector(IDepositReceiver.NotTheToken.selector, odd, stranger));
        actOn(receiver, stranger, 0, abi.encodeCall(IDepositReceiver.receiveApproval, (low, 50_000, address(odd), data)));
        // A token of the attacker's own that names the victim's token.
        refuses(abi.encodeWithSelector(IDepositReceiver.NotTheToken.selector, odd, token = new ApproveAndCallToken()));
        actOn(receiver, address(token), 0, abi.encodeCall(IDepositReceiver.receiveApproval, (low, 50_000, address(odd), data)));
        // The allowance to the network serves the owner's own calls and his signed word only.
        IPhotonNetwork.OpenAuthorization memory it = opening(50_000, 1);
        (it.token, it.partner) = (address(odd), stranger);
        refuses(invalidSignature(low));
        act(stranger, abi.encodeCall(network.openAuthorized, (it, IPhotonNetwork.Means.Allowance, "")));
        assertEq(odd.balanceOf(low), WEALTH, "low has");
    }

    // C-03: an attacker opened the pair first, with a timeout too short to answer, and the victim's deposit went in.
    function test_C_03_an_opening_never_deposits_into_anothers_timeout() external {
        opens(high, 100, 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.None, IPhotonNetwork.Phase.Open));
        opens(low, TIMEOUT, 40_000);
        assertPaid(WEALTH, WEALTH);
        refuses(abi.encodeWithSelector(IPhotonNetwork.InvalidParticipants.selector, stranger, stranger));
        act(stranger, abi.encodeCall(network.open, (address(token), stranger, TIMEOUT, 0)));
    }

    // C-04: a withdrawal signed and held back was executed much later, and made newer proofs worthless.
    function test_C_04_a_withdrawal_held_back_voids_no_proof() external {
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
    function test_C_05_proofs_of_one_life_mean_nothing_in_the_next_even_within_a_second() external {
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

    // C-06: what was sent was credited and not what arrived, so that the first to leave took all.
    function test_C_06_a_token_with_a_fee_pays_the_last_to_leave_as_well() external {
        use(new FeeToken());
        enrich(token, stranger);
        openWith(1000, 0);
        act(stranger, abi.encodeCall(network.open, (address(token), low, TIMEOUT, 1000)));
        cooperatesAgreed(900, 0);
        assertEq(token.balanceOf(address(network)), 900, "left for the other channel");
        act(stranger, abi.encodeCall(network.close, (address(token), low, noProof(), 0)));
        skipDispute();
        (address first, address second) = low < stranger ? (low, stranger) : (stranger, low);
        act(low, abi.encodeCall(network.settle, (address(token), first, second, nothing(), nothing())));
        assertEq(token.balanceOf(stranger), WEALTH - 100, "the stranger has");
        assertEq(network.credit(address(token), stranger), 0, "credit");
    }

    // C-07: one receiver that is blocked, or a token that returns nothing, held the tokens of both for ever.
    function test_C_07_a_refused_payout_holds_nobody() external {
        BlockingToken odd = new BlockingToken();
        use(odd);
        openWith(100, 50);
        odd.setBlocked(low, true);
        closes(high, noProof(), 0);
        skipDispute();
        settles(nothing(), nothing());
        assertPaid(WEALTH - 100, WEALTH);
        assertEq(network.credit(address(token), low), 100, "credit of low");
        token = TestToken(address(new SilentToken()));
        token.mint(low, 100);
        openWith(100, 0);
        cooperatesAgreed(30, 70);
        assertPaid(30, 70);
    }

    // C-08: the whole deposit was lost for one lock, by a tower that claimed in good faith.
    function test_C_08_a_punishment_costs_the_locks_amount_and_not_the_deposit() external {
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

    // C-09: credited before the tokens came, so that a hook of the payer paid itself out of what others had there.
    function test_C_09_nothing_is_credited_before_it_arrives() external {
        HookToken odd = new HookToken();
        use(odd);
        odd.mint(address(network), 800_000);
        openWith(0, 50);
        Reenterer hook = new Reenterer();
        bytes32 hash = settlementHash(0, 0, LATER);
        hook.plan(address(network), abi.encodeCall(
            network.cooperativeSettle, (address(odd), low, high, 0, 0, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash))
        ));
        vm.prank(low);
        odd.setHook(address(hook));
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        deposits(low, low, 1, 400_000);
        // The settlement in between succeeded, without the deposit; the deposit found no channel, and all was undone.
        assertPaid(WEALTH, WEALTH - 50);
        assertPhase(IPhotonNetwork.Phase.Open);
    }

    // C-10: what a caller said of a proof that he did not bring was told to everybody as if it were proven.
    function test_C_10_a_closing_without_a_proof_tells_nothing_unproven() external {
        openWith(100, 50);
        vm.recordLogs();
        closes(low, IPhotonNetwork.BalanceProof(0, 123_456_789, keccak256("garbage"), "garbage"), 0);
        assertEq(vm.getRecordedLogs().length, 1, "events");
        assertEq(network.direction(address(token), high, low).commitment, 0, "stored");
        skipDispute();
        settles(nothing(), nothing());
        assertPaid(WEALTH, WEALTH);
    }

    // C-11: claims of one life were remembered in the next.
    function test_C_11_the_same_lock_is_claimed_again_in_the_next_life() external {
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
    function test_C_12_the_two_sides_never_invalidate_each_others_calls() external {
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
    function test_C_13_a_claim_of_another_chain_or_contract_means_nothing() external {
        openWith(100, 50);
        IPhotonNetwork.BalanceProof memory proof = proofBy(high, 9, 40, 0);
        (bytes32 before, uint256 chain) = (network.domainSeparator(), vm.getChainId());
        vm.chainId(4242);
        assertTrue(network.domainSeparator() != before, "another domain");
        refuses(invalidSignature(high));
        closes(low, proof, 0);
        closes(low, proofBy(high, 9, 40, 0), 0);
        vm.chainId(chain);
        assertEq(network.domainSeparator(), before, "domain");
        network = new PhotonNetwork(100, 100_000, CHALLENGE);
        enrich(token, low);
        openWith(100, 0);
        refuses(invalidSignature(high));
        closes(low, proof, 0);
    }

    // C-14: timeouts too short to answer, and long enough to hold a partner hostage.
    function test_C_14_settle_timeouts_have_bounds() external {
        uint64[4] memory beyond = [uint64(0), 99, 100_001, type(uint64).max];
        for (uint256 i = 0; i < beyond.length; i++) {
            refuses(abi.encodeWithSelector(IPhotonNetwork.SettleTimeoutOutOfBounds.selector, 100, 100_000, beyond[i]));
            opens(low, beyond[i], 10);
        }
        vm.expectRevert(abi.encodeWithSelector(IPhotonNetwork.InvalidParameters.selector, 1, 401 days, 1));
        new PhotonNetwork(1, 401 days, 1);
    }

    // C-15: a deposit into a channel that was settled meanwhile opened it again.
    function test_C_15_a_deposit_opens_nothing() external {
        openWith(100, 50);
        cooperatesAgreed(100, 50);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        deposits(low, low, 1, 5);
        openWith(0, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongEpoch.selector, 2, 1));
        deposits(low, low, 1, 5);
        assertPaid(WEALTH, WEALTH);
    }

    // C-16: a transaction for each secret and each lock, 118,549 gas together: thirty locks could not be saved in time.
    function test_C_16_thirty_locks_are_saved_in_two_calls_for_a_tenth_of_the_gas() external {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 30);
        closes(high, proofBy(low, 1, 0, rootOf(locks)), 0);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        (bytes32[] memory secrets, bytes32[] memory siblings) = (secretsOf(locks), siblingsOf(locks, locks));
        IPhotonNetwork.Registration[] memory shown = registrationOf(locks);
        uint256 before = gasleft();
        network.registerSecrets(secrets);
        uint256 used = before - gasleft();
        vm.prank(high);
        before = gasleft();
        network.unlock(address(token), low, high, standing, locks, siblings, shown, "");
        used += before - gasleft();
        assertEq(network.direction(address(token), low, high).unlocked, 300, "unlocked");
        assertTrue(used < uint256(30) * 118_549 / 10, "gas");
    }

    // C-17: registering a secret first made the victim's own call fail.
    function test_C_17_a_secret_registered_by_somebody_else_stands_in_nobodys_way() external {
        bytes32[] memory secrets = secretsOf(locksAt(0, 1, 3));
        act(stranger, abi.encodeCall(network.registerSecrets, (secrets)));
        vm.warp(START + 50);
        act(low, abi.encodeCall(network.registerSecrets, (secrets)));
        assertEq(network.registeredAt(network.registerSecrets(secrets)), START, "first time");
    }

    // C-18: a hash cut to 192 bits: a payer who searched 2^96 times had two balances for one proof.
    function test_C_18_a_stored_balance_is_bound_by_207_bits() external {
        openWith(100, 50);
        closes(low, proofBy(high, 9, 40, keccak256("root")), 0);
        uint256 full = uint256(keccak256(abi.encode(uint256(40), keccak256("root"), uint256(0))));
        assertEq(network.direction(address(token), high, low).commitment, full >> 49, "commitment");
    }

    // C-19: the mirror of a signature, and other spellings of v, were taken as well.
    function test_C_19_the_mirror_of_a_signature_and_odd_ones_are_refused() external {
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

    // C-20: instructions were read beyond their end.
    function test_C_20_an_instruction_has_exactly_its_length() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        address receiver = network.receiver();
        bytes memory good = abi.encode(high, TIMEOUT);
        bytes[3] memory bad = [abi.encodePacked(good, uint8(0)), abi.encode(high), bytes("")];
        for (uint256 i = 0; i < bad.length; i++) {
            refuses(abi.encodeWithSelector(IDepositReceiver.UnknownInstruction.selector, bad[i].length));
            actOn(address(odd), low, 0, abi.encodeCall(odd.transferAndCall, (receiver, 70, bad[i])));
        }
        // An address with something above it is no address.
        bytes memory dirty = abi.encode(uint256(uint160(high)) | 1 << 200, TIMEOUT);
        refusesSomehow();
        actOn(address(odd), low, 0, abi.encodeCall(odd.transferAndCall, (receiver, 70, dirty)));
        actOn(address(odd), low, 0, abi.encodeCall(odd.transferAndCall, (receiver, 70, good)));
    }

    // C-21: sums that wrapped around, with a token that says anything of its balances.
    function test_C_21_no_sum_wraps_around() external {
        uint128 most = (1 << 96) - 1;
        token.mint(low, uint256(most) + 1);
        token.mint(high, uint256(most) + 1);
        openWith(most, most);
        refuses(abi.encodeWithSelector(IPhotonNetwork.AmountTooLarge.selector, 0, 1));
        deposits(low, low, 1, 1);
        uint128 all = type(uint128).max;
        refuses(abi.encodeWithSelector(IPhotonNetwork.WithdrawalTooLarge.selector, 2 * uint256(most), all));
        withdrawsAgreed(low, all);
        closes(low, proofBy(high, 1, all, 0), 0);
        updates(low, proofBy(low, 1, all, 0));
        skipDispute();
        settles(balance(all, 0), balance(all, 0));
        assertPaid(WEALTH + uint256(most) + 1, WEALTH + uint256(most) + 1);
    }

    // C-22: proofs of any length, without a mark of what is a leaf.
    function test_C_22_a_lock_is_proven_at_its_place_and_depth_only() external {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 4);
        (bytes32 root, IPhotonNetwork.Lock[] memory one) = (rootOf(locks), part(locks, 0, 1));
        bytes32[] memory siblings = siblingsOf(locks, one);
        IPhotonNetwork.Registration[] memory shown = register(one);
        closes(high, proofBy(low, 1, 0, root), 0);
        bytes32[] memory short = new bytes32[](11);
        bytes32[] memory long = new bytes32[](13);
        for (uint256 i = 0; i < 12; i++) {
            long[i] = siblings[i];
            if (i < 11) short[i] = siblings[i];
        }
        refuses(abi.encodeWithSelector(IPhotonNetwork.MalformedProof.selector, 12, 11));
        unlocks(high, low, balance(0, root), one, short, shown, "");
        refuses(abi.encodeWithSelector(IPhotonNetwork.MalformedProof.selector, 12, 13));
        unlocks(high, low, balance(0, root), one, long, shown, "");
        one[0].slot = 1;
        refusesSomehow();
        unlocks(high, low, balance(0, root), one, siblings, shown, "");
        one[0].slot = 0;
        unlocks(high, low, balance(0, root), one, siblings, shown, "");
    }

    // C-23: the balances were compared with what is there only after they were paid.
    function test_C_23_what_is_agreed_is_checked_before_anything_is_paid() external {
        GreedyToken odd = new GreedyToken();
        use(odd);
        openWith(100, 50);
        odd.setVictim(low, false);
        bytes32 hash = settlementHash(0, 51, LATER);
        bytes memory call = abi.encodeCall(
            network.cooperativeSettle,
            (address(odd), low, high, 0, 51, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash))
        );
        // Too little gas for a payout, enough for the check.
        (bool success, bytes memory answer) = address(network).call{gas: 60_000}(call);
        assertTrue(!success, "refused");
        bytes memory expected = abi.encodeWithSelector(IPhotonNetwork.BalanceOutOfRange.selector, 151, 150);
        assertEq(keccak256(answer), keccak256(expected), "error");
    }

    // C-24: a tower had to wait for the second half of the time.
    function test_C_24_a_delegate_acts_from_the_first_second_to_the_last() external {
        for (uint256 life = 0; life < 2; life++) {
            openWith(500, 1000);
            IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 1);
            IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
            IPhotonNetwork.Registration[] memory shown = register(locks);
            bytes memory delegation = delegationTo(stranger, low, 1, 0, standing.locksroot);
            closes(low, noProof(), 0);
            if (life == 1) vm.warp(block.timestamp + TIMEOUT);
            updates(stranger, low, proofBy(low, 1, 0, standing.locksroot), delegation);
            unlocks(stranger, low, standing, locks, new bytes32[](12), shown, delegation);
            skipDispute();
            settles(standing, nothing());
            assertPaid(WEALTH - 10 * (life + 1), WEALTH + 10 * (life + 1));
        }
    }

    // C-25: a proof under the last of all nonces could never be replaced. Here nonces have a bound; that a payee takes
    // none but the next one is asked of the node: photon-core's
    // `an_update_whose_nonce_jumps_is_refused`.
    function test_C_25_a_nonce_beyond_the_bound_is_refused() external {
        openWith(100, 50);
        uint64 most = (1 << 48) - 1;
        for (uint256 i = 0; i < 2; i++) {
            uint64 nonce = i == 0 ? most + 1 : type(uint64).max;
            IPhotonNetwork.BalanceProof memory proof = proofBy(high, nonce, 40, 0);
            refuses(abi.encodeWithSelector(IPhotonNetwork.NonceTooLarge.selector, most, nonce));
            closes(low, proof, 0);
        }
        closes(low, proofBy(high, most - 1, 30, 0), 0);
        updates(high, proofBy(high, most, 40, 0));
        assertEq(network.direction(address(token), high, low).nonce, most, "nonce");
    }

    // C-26: a lock whose time ends with the time to claim it, or after it, was taken. The contract claims until the last
    // second, and not later, whatever a lock says; that a node takes no lock without room for that is asked there:
    // photon-core's `a_lock_that_ends_too_late_for_the_settle_timeout_is_given_back`.
    function test_C_26_a_lock_is_claimed_in_the_disputes_time_whatever_its_own() external {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 2);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        closes(high, proofBy(low, 1, 0, standing.locksroot), 0);
        uint64 until = network.channel(address(token), low, high).updateUntil;
        assertTrue(locks[0].expiration > until, "the locks live longer");
        vm.warp(until);
        IPhotonNetwork.Lock[] memory one = part(locks, 0, 1);
        unlocks(high, low, standing, one, siblingsOf(locks, one), register(one), "");
        vm.warp(until + 1);
        one = part(locks, 1, 1);
        bytes32[] memory siblings = siblingsOf(locks, one);
        IPhotonNetwork.Registration[] memory shown = register(one);
        refuses(abi.encodeWithSelector(IPhotonNetwork.TooLate.selector, until, until + 1));
        unlocks(high, low, standing, one, siblings, shown, "");
    }
}
