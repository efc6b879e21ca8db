// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {IDepositReceiver} from "../src/interfaces/IDepositReceiver.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Erc223Token} from "../test-tokens/CallingTokens.sol";
import {HookToken} from "../test-tokens/OddTokens.sol";
import {Permit2Double} from "../test-tokens/Permit2Double.sol";
import {PermitToken} from "../test-tokens/SignedTokens.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {Reenterer} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

/// @title Needs much gas for each transfer, but less than a payout may use.
contract ThirstyToken is TestToken("Thirsty", "DRY", 18) {
    function transfer(address to, uint256 amount) external override returns (bool) {
        uint256 before = gasleft();
        while (before - gasleft() < 150_000) {}
        move(msg.sender, to, amount);
        return true;
    }
}

/// @title Takes every call that it does not know, as WETH9 does.
contract OpenDoorToken is TestToken("OpenDoor", "DOOR", 18) {
    fallback() external {}
}

/// @title Makes any call in its own name, for anyone. Source: ERC-827.
contract ForwardingToken is TestToken("Forwarding", "FWD", 18) {
    function forward(address to, bytes calldata data) external {
        (bool success, bytes memory result) = to.call(data);
        if (!success) assembly ("memory-safe") { revert(add(result, 0x20), mload(result)) }
    }
}

/// @title Tells receivers of transfers and does not mind when they refuse.
contract CarelessToken is TestToken("Careless", "CARE", 18) {
    function transferAndCall(address to, uint256 amount, bytes calldata data) external returns (bool) {
        move(msg.sender, to, amount);
        (bool taken,) = to.call(abi.encodeCall(IDepositReceiver.onTokenTransfer, (msg.sender, amount, data)));
        taken;
        return true;
    }
}

/// @title What somebody tried against this contract, and what he got by it.
contract StoriesTest is Story {
    function use(TestToken odd) private {
        token = odd;
        enrich(odd, low);
        enrich(odd, high);
    }

    function hookOf(address who) private returns (Reenterer hook) {
        hook = new Reenterer();
        vm.prank(who);
        HookToken(address(token)).setHook(address(hook));
    }

    /// @notice What the contract owes for the channel of low and high is there.
    function assertSolvent() private view {
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        uint256 owed = uint256(state.depositLow) + state.depositHigh - state.withdrawnLow - state.withdrawnHigh;
        owed += network.credit(address(token), low) + network.credit(address(token), high);
        assertTrue(token.balanceOf(address(network)) >= owed, "what is owed is there");
    }

    // A depositor whose token calls him deposits again, by every other way in, to be credited with the same tokens twice.
    function test_no_way_in_leads_into_a_deposit() external {
        use(new HookToken());
        openWith(100, 50);
        Reenterer hook = hookOf(low);
        HookToken(address(token)).mint(address(hook), 1000);
        hook.act(address(token), abi.encodeCall(token.approve, (address(network), type(uint256).max)));
        bytes memory plain = abi.encodeCall(network.deposit, (address(token), low, high, 1, 70));
        bytes[] memory calls = new bytes[](1);
        calls[0] = plain;
        address receiver = network.receiver();
        bytes[3] memory ways = [
            plain, abi.encodeCall(network.multicall, (calls)),
            abi.encodeCall(network.open, (address(token), stranger, TIMEOUT, 70))
        ];
        for (uint256 i = 0; i < ways.length; i++) {
            uint256 before = vm.snapshotState();
            hook.plan(address(network), ways[i]);
            deposits(low, low, 1, 100);
            assertTrue(hook.called() && !hook.succeeded(), "refused");
            assertEq(bytes32(hook.answer()), bytes32(IPhotonNetwork.Reentered.selector), "as reentered");
            assertEq(network.channel(address(token), low, high).depositLow, 200, "deposit of low");
            vm.revertToState(before);
        }
        hook.plan(receiver, abi.encodeCall(
            IDepositReceiver.receiveApproval, (address(hook), 70, address(token), abi.encode(stranger, TIMEOUT))
        ));
        deposits(low, low, 1, 100);
        assertTrue(!hook.succeeded(), "only the token calls the receiver");
        assertSolvent();
    }

    // A depositor takes tokens out while his deposit is measured, so that the measure is wrong.
    function test_who_withdraws_within_his_own_deposit_loses_by_it() external {
        use(new HookToken());
        openWith(100, 50);
        Reenterer hook = hookOf(low);
        bytes32 hash = withdrawalHash(low, 40, LATER);
        hook.plan(address(network), abi.encodeCall(
            network.withdraw, (address(token), low, high, 40, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash))
        ));
        deposits(low, low, 1, 100);
        assertTrue(hook.succeeded(), "withdrawn");
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(state.depositLow, 160, "credited is what the contract has more");
        assertEq(state.withdrawnLow, 40, "withdrawn");
        assertSolvent();
        cooperatesAgreed(120, 50);
        assertPaid(WEALTH - 40, WEALTH);
    }

    // While any deposit runs, tokens of another kind get in by a plain transfer. They are their sender's loss alone.
    function test_tokens_sent_in_the_middle_of_a_deposit_of_others_credit_nobody() external {
        use(new HookToken());
        openWith(100, 50);
        Reenterer hook = hookOf(low);
        Erc223Token other = new Erc223Token();
        other.mint(address(hook), 70);
        hook.plan(address(other), abi.encodeWithSignature("transfer(address,uint256)", network, 70));
        deposits(low, low, 1, 100);
        assertTrue(hook.succeeded(), "taken");
        assertEq(network.channel(address(token), low, high).depositLow, 200, "deposit of low");
        assertEq(uint256(network.channel(address(other), low, high).phase), 0, "phase");
    }

    // `permit` lets anyone have the network call any contract with that one function: itself, the receiver, Permit2.
    function test_permit_gives_nobody_the_networks_name() external {
        PermitToken signed = new PermitToken();
        signed.mint(address(network), 1000);
        address permit2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
        vm.etch(permit2, type(Permit2Double).runtimeCode);
        openWith(100, 50);
        address[6] memory targets =
            [address(network), network.receiver(), permit2, address(signed), address(token), stranger];
        address[4] memory owners = [address(network), address(signed), low, address(0)];
        for (uint256 i = 0; i < targets.length; i++) {
            for (uint256 j = 0; j < owners.length; j++) {
                act(stranger, abi.encodeCall(
                    network.permit, (targets[i], owners[j], type(uint256).max, type(uint256).max, 27, 0, 0)
                ));
                assertEq(signed.allowance(owners[j], address(network)), 0, "allowance");
            }
        }
        assertEq(signed.balanceOf(address(network)), 1000, "the network has");
        assertEq(signed.allowance(address(network), stranger), 0, "allowance of the network");
    }

    // A token that swallows unknown calls seems to take any authorization. Nothing arrives, so nothing is opened.
    function test_a_token_that_takes_every_call_opens_for_nobody() external {
        use(new OpenDoorToken());
        token.mint(address(network), 1000);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 50));
        act(stranger, abi.encodeCall(
            network.openAuthorized, (opening(50, 1), IPhotonNetwork.Means.ReceiveWithAuthorization, new bytes(65))
        ));
        act(stranger, abi.encodeCall(network.permit, (address(token), low, 50, LATER, 27, 0, 0)));
        refuses(invalidSignature(low));
        act(stranger, abi.encodeCall(
            network.openAuthorized, (opening(50, 1), IPhotonNetwork.Means.Allowance, new bytes(65))
        ));
        assertPhase(IPhotonNetwork.Phase.None);
        refusesSomehow();
        actOn(network.receiver(), stranger, 0, abi.encodeCall(
            IDepositReceiver.openWithNative, (address(token), high, TIMEOUT)
        ));
    }

    // A token that makes any call for anyone is "the token" to the receiver. It still finds nothing there to take.
    function test_a_token_that_speaks_for_anybody_takes_nothing_through_the_receiver() external {
        use(new ForwardingToken());
        ForwardingToken odd = ForwardingToken(address(token));
        address receiver = network.receiver();
        openWith(100, 50);
        bytes memory data = abi.encode(high, low, uint64(1));
        bytes[4] memory calls = [
            abi.encodeCall(IDepositReceiver.tokenReceived, (low, 50, data)),
            abi.encodeCall(IDepositReceiver.onTransferReceived, (high, low, 50, data)),
            abi.encodeCall(IDepositReceiver.receiveApproval, (low, 50, address(odd), data)),
            abi.encodeCall(IDepositReceiver.receiveApproval, (address(network), 50, address(odd), data))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            refusesSomehow();
            actOn(address(odd), high, 0, abi.encodeCall(odd.forward, (receiver, calls[i])));
        }
        refusesSomehow();
        actOn(address(odd), high, 0, abi.encodeCall(
            odd.forward, (address(network), abi.encodeCall(network.depositFromReceiver, (address(odd), high, low, 1, 50)))
        ));
        assertPaid(WEALTH - 100, WEALTH - 50);
    }

    // A careless token leaves tokens in the receiver when the instruction is refused. Whoever calls next gets none.
    function test_tokens_left_in_the_receiver_are_no_prize_for_nothing() external {
        use(new CarelessToken());
        CarelessToken odd = CarelessToken(address(token));
        address receiver = network.receiver();
        actOn(address(odd), low, 0, abi.encodeCall(odd.transferAndCall, (receiver, 500, "")));
        assertEq(odd.balanceOf(receiver), 500, "the receiver has");
        bytes memory data = abi.encode(low, TIMEOUT);
        actOn(address(odd), high, 0, abi.encodeCall(odd.transferAndCall, (receiver, 0, data)));
        assertPhase(IPhotonNetwork.Phase.None);
        actOn(address(odd), high, 0, abi.encodeCall(odd.transferAndCall, (receiver, 30, data)));
        assertEq(network.channel(address(odd), low, high).depositHigh, 30, "deposit of high");
        assertEq(odd.balanceOf(receiver), 500, "the receiver has");
    }

    // Whoever settles gives just so much gas that the token runs out of it, to turn payouts into credits.
    function test_no_amount_of_gas_turns_a_payout_into_a_credit() external {
        use(new ThirstyToken());
        openWith(100, 50);
        closes(low, noProof(), 0);
        skipDispute();
        bytes memory call =
            abi.encodeCall(network.settle, (address(token), low, high, nothing(), nothing()));
        uint256 paid = 0;
        uint256 start = vm.snapshotState();
        for (uint256 gas = 150_000; gas < 900_000; gas += 6_151) {
            vm.prank(stranger);
            (bool success,) = address(network).call{gas: gas}(call);
            if (success) {
                paid++;
                assertPaid(WEALTH, WEALTH);
            } else {
                assertPhase(IPhotonNetwork.Phase.Closed);
            }
            vm.revertToState(start);
        }
        assertTrue(paid > 0, "paid with enough gas");
    }

    // The partner, whom the token calls, settles another channel of the batch, which also names one twice.
    function test_a_batch_of_settlements_pays_each_channel_once_whatever_happens_in_between() external {
        use(new HookToken());
        enrich(token, stranger);
        openWith(100, 50);
        act(stranger, abi.encodeCall(network.open, (address(token), low, TIMEOUT, 30)));
        uint64 epoch = network.channel(address(token), low, stranger).epoch;
        act(low, abi.encodeCall(network.deposit, (address(token), low, stranger, epoch, 7)));
        closes(low, noProof(), 0);
        act(low, abi.encodeCall(network.close, (address(token), stranger, noProof(), 0)));
        skipDispute();
        (address first, address second) = low < stranger ? (low, stranger) : (stranger, low);
        Reenterer hook = hookOf(high);
        hook.plan(address(network), abi.encodeCall(
            network.settle, (address(token), first, second, nothing(), nothing())
        ));
        IPhotonNetwork.Settlement[] memory batch = new IPhotonNetwork.Settlement[](3);
        batch[0] = IPhotonNetwork.Settlement(high, nothing(), nothing());
        batch[1] = IPhotonNetwork.Settlement(stranger, nothing(), nothing());
        batch[2] = batch[0];
        act(high, abi.encodeCall(network.settleMany, (address(token), low, batch)));
        assertTrue(hook.succeeded(), "settled in between");
        assertPaid(WEALTH, WEALTH);
        assertEq(token.balanceOf(stranger), WEALTH, "the stranger has");
        assertEq(token.balanceOf(address(network)), 0, "the network has");
    }

    /// @notice An unlock of three locks of 10 of low by high, as calldata; the channel is closed with their proof.
    function unlockOfThree() private returns (bytes memory) {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(3, 200, 3);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        closes(high, proofBy(low, 1, 0, standing.locksroot), 0);
        return abi.encodeCall(network.unlock, (
            address(token), low, high, standing, locks, siblingsOf(locks, locks), register(locks), ""
        ));
    }

    function word(bytes memory data, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") { value := mload(add(add(data, 0x20), place)) }
    }

    function putWord(bytes memory data, uint256 place, uint256 value) private pure {
        assembly ("memory-safe") { mstore(add(add(data, 0x20), place), value) }
    }

    function unlocked() private view returns (uint256) {
        return network.direction(address(token), low, high).unlocked;
    }

    // Bits beyond a field's width, which assembly would shift into its neighbour, and lengths and places out of the world.
    function test_an_unlock_with_dirty_bits_or_mad_lengths_is_refused() external {
        bytes memory call = unlockOfThree();
        uint256 locksAt_ = 4 + word(call, 4 + 6 * 32);
        uint256 siblingsAt = 4 + word(call, 4 + 7 * 32);
        uint256 shownAt = 4 + word(call, 4 + 8 * 32) + 32;
        uint256 depthAt = shownAt + word(call, shownAt);
        uint256[12] memory places = [
            locksAt_, locksAt_ + 32, locksAt_ + 64, locksAt_ + 96, locksAt_ + 128, siblingsAt, depthAt,
            depthAt + word(call, depthAt + 32), depthAt + word(call, depthAt + 64), 4 + 6 * 32, 4 + 7 * 32, 4 + 8 * 32
        ];
        uint256[5] memory bits = [uint256(1), 1 << 16, 1 << 64, 1 << 128, 1 << 255];
        for (uint256 i = 0; i < places.length; i++) {
            for (uint256 j = 0; j < bits.length; j++) {
                uint256 good = word(call, places[i]);
                putWord(call, places[i], good ^ bits[j]);
                refusesSomehow();
                act(high, call);
                putWord(call, places[i], good);
            }
        }
        // The siblings are read out of the locks.
        uint256 offset = word(call, 4 + 7 * 32);
        putWord(call, 4 + 7 * 32, word(call, 4 + 6 * 32));
        refusesSomehow();
        act(high, call);
        putWord(call, 4 + 7 * 32, offset);
        assertEq(unlocked(), 0, "unlocked");
        act(high, call);
        assertEq(unlocked(), 30, "unlocked");
    }

    // Whatever word of an honest claim is bent, nothing but the three locks can come of it.
    function testFuzz_a_bent_unlock_claims_what_is_proven_or_nothing(uint256 place, uint256 value, bool bit) external {
        bytes memory call = unlockOfThree();
        place = within(place, 4, call.length - 32);
        putWord(call, place, bit ? word(call, place) ^ (1 << (value & 255)) : within(value, 0, 5000));
        vm.prank(high);
        (bool success,) = address(network).call(call);
        assertEq(unlocked(), success ? 30 : 0, "unlocked");
        for (uint16 slot = 3; slot < 600; slot += 200) {
            assertTrue(network.isClaimed(address(token), low, high, slot) == success, "claimed");
        }
    }

    // A registration shown deeper or shallower than it is, so that a root or an inner node passes for a secret.
    function test_a_registration_of_another_shape_shows_nothing() external {
        openWith(500, 1000);
        IPhotonNetwork.Lock[] memory locks = locksAt(0, 1, 1);
        IPhotonNetwork.Balance memory standing = balance(0, rootOf(locks));
        closes(high, proofBy(low, 1, 0, standing.locksroot), 0);
        IPhotonNetwork.Registration[] memory good = register(locks);
        bytes memory unlocking = abi.encodePacked(uint8(0), uint16(0));
        bytes memory second = abi.encodePacked(uint8(1), uint16(0));
        IPhotonNetwork.Registration[6] memory bad = [
            IPhotonNetwork.Registration(1, unlocking, new bytes32[](1)),
            IPhotonNetwork.Registration(8, unlocking, new bytes32[](8)),
            IPhotonNetwork.Registration(9, unlocking, new bytes32[](9)),
            IPhotonNetwork.Registration(0, second, new bytes32[](0)),
            IPhotonNetwork.Registration(0, abi.encodePacked(unlocking, second), new bytes32[](0)),
            IPhotonNetwork.Registration(0, abi.encodePacked(unlocking, unlocking), new bytes32[](0))
        ];
        IPhotonNetwork.Registration[] memory shown = new IPhotonNetwork.Registration[](1);
        for (uint256 i = 0; i < bad.length; i++) {
            shown[0] = bad[i];
            refusesSomehow();
            unlocks(high, low, standing, locks, new bytes32[](12), shown, "");
        }
        unlocks(high, low, standing, locks, new bytes32[](12), good, "");
    }

    // Absurd amounts, which only both together can sign: the sums pass 128 bits, and still all is paid, and no more.
    function test_penalties_beyond_128_bits_settle_and_pay_what_is_there() external {
        openWith(500, 1000);
        closes(low, proofBy(high, 1, type(uint128).max, 0), 0);
        for (uint64 nonce = 1; nonce < 4; nonce++) {
            IPhotonNetwork.Lock[] memory locks = new IPhotonNetwork.Lock[](1);
            locks[0] = lockAt(uint16(nonce), type(uint128).max);
            IPhotonNetwork.Balance memory standing = balance(type(uint128).max, rootOf(locks));
            bytes32[] memory siblings = siblingsOf(locks, locks);
            updates(low, proofBy(low, nonce, type(uint128).max, standing.locksroot));
            unlocks(high, low, standing, locks, siblings, register(locks), "");
            punishes(low, low, standing, locks[0], siblings, disposalOf(low, locks[0]));
            if (nonce < 3) continue;
            skipDispute();
            settles(standing, balance(type(uint128).max, 0));
        }
        assertPaid(WEALTH + 1000, WEALTH - 1000);
        assertEq(token.balanceOf(address(network)), 0, "the network has");
    }

    // A tower that still has the payee's word for an old proof overrides what the closer rightly declared.
    // The payee's own latest proof comes before it.
    function test_an_old_delegation_does_not_hold_against_the_latest_proof() external {
        openWith(500, 1000);
        bytes memory old = delegationTo(stranger, low, 1, 5, 0);
        IPhotonNetwork.BalanceProof memory oldest = proofBy(low, 1, 5, 0);
        closes(low, noProof(), 300);
        updates(stranger, low, oldest, old);
        updates(low, proofBy(low, 9, 300, 0));
        refuses(abi.encodeWithSelector(IPhotonNetwork.StaleNonce.selector, 9, 1));
        updates(stranger, low, oldest, old);
        skipDispute();
        settles(balance(300, 0), IPhotonNetwork.Balance(0, 0, 300));
        assertPaid(WEALTH - 300, WEALTH + 300);
    }

    // A chain that counts milliseconds, or nanoseconds: deadlines would not fit the channel's clock, and disputes would
    // be over at once.
    function test_the_contract_is_not_deployed_where_time_is_not_in_seconds() external {
        vm.warp(uint256(START) * 1000);
        vm.expectRevert(abi.encodeWithSelector(IPhotonNetwork.InvalidParameters.selector, 100, 100_000, CHALLENGE));
        new PhotonNetwork(100, 100_000, CHALLENGE);
    }
}
