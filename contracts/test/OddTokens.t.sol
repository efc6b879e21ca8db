// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {
    BlockingToken, DenyingToken, FeeToken, GreedyToken, HookToken, HugeToken, SilentToken
} from "../test-tokens/OddTokens.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {Reenterer} from "./support/Accounts.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

contract OddTokensTest is Story {
    function use(TestToken odd) private {
        token = odd;
        enrich(odd, low);
        enrich(odd, high);
    }

    function credited(address owner) private view returns (uint256) {
        return network.credit(address(token), owner);
    }

    function test_a_token_that_returns_nothing_works() external {
        token = TestToken(address(new SilentToken()));
        token.mint(low, 100);
        token.mint(high, 100);
        openWith(100, 50);
        withdrawsAgreed(low, 10);
        cooperatesAgreed(20, 120);
        assertPaid(30, 170);
    }

    // C-06: the first to leave took all, and the last found too little.
    function test_of_a_token_with_a_fee_only_what_arrives_is_credited() external {
        use(new FeeToken());
        openWith(1000, 500);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(state.depositLow, 900, "deposit of low");
        assertEq(state.depositHigh, 450, "deposit of high");
        cooperatesAgreed(0, 1350);
        assertEq(token.balanceOf(address(network)), 0, "the contract has");
    }

    function test_a_token_that_says_no_credits_nothing_and_is_not_believed() external {
        DenyingToken odd = new DenyingToken();
        use(odd);
        odd.deny(true);
        refuses(abi.encodeWithSelector(IPhotonNetwork.TransferFailed.selector, token, low, network, 10));
        opens(low, TIMEOUT, 10);
        odd.deny(false);
        openWith(100, 50);
        odd.deny(true);
        cooperatesAgreed(70, 80);
        assertEq(credited(low), 70, "credit of low");
        assertEq(credited(high), 80, "credit of high");
    }

    // C-07: one blocked receiver held the tokens of both for ever.
    function test_a_blocked_receiver_does_not_hold_the_other() external {
        BlockingToken odd = new BlockingToken();
        use(odd);
        openWith(100, 50);
        odd.setBlocked(low, true);
        closes(high, noProof(), 0);
        skipDispute();
        settles(nothing(), nothing());
        assertPaid(WEALTH - 100, WEALTH);
        assertEq(credited(low), 100, "credit of low");
    }

    function test_a_credit_is_claimed_by_its_owner_once() external {
        BlockingToken odd = new BlockingToken();
        use(odd);
        openWith(100, 50);
        odd.setBlocked(low, true);
        cooperatesAgreed(100, 50);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NoCredit.selector, token, high));
        act(high, abi.encodeCall(network.claimCredit, (address(token), high)));
        refuses(abi.encodeWithSelector(IPhotonNetwork.TransferFailed.selector, token, network, low, 100));
        act(low, abi.encodeCall(network.claimCredit, (address(token), low)));
        act(low, abi.encodeCall(network.claimCredit, (address(token), address(0xF00D))));
        assertEq(token.balanceOf(address(0xF00D)), 100, "the recipient has");
        refuses(abi.encodeWithSelector(IPhotonNetwork.NoCredit.selector, token, low));
        act(low, abi.encodeCall(network.claimCredit, (address(token), low)));
    }

    function test_a_receiver_who_burns_gas_or_babbles_does_not_hold_the_other() external {
        GreedyToken odd = new GreedyToken();
        use(odd);
        for (uint256 i = 0; i < 2; i++) {
            openWith(100, 50);
            odd.setVictim(low, i == 1);
            bytes32 hash = settlementHash(0, 0, LATER);
            bytes memory call = abi.encodeCall(
                network.cooperativeSettle,
                (address(token), low, high, 0, 0, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash))
            );
            (bool success,) = address(network).call{gas: 600_000}(call);
            assertTrue(success, "settled");
            assertEq(credited(low), 100 * (i + 1), "credit of low");
            assertEq(token.balanceOf(high), WEALTH, "high has");
        }
    }

    // With too little gas the token's transfer fails for everybody: that must not make a credit of a payout.
    function test_a_stingy_caller_can_not_turn_payouts_into_credits() external {
        openWith(100, 50);
        closes(low, noProof(), 0);
        skipDispute();
        bytes memory call =
            abi.encodeCall(network.settle, (address(token), low, high, nothing(), nothing()));
        uint256 settledWith = 0;
        for (uint256 gas = 20_000; gas < 400_000 && settledWith == 0; gas += 500) {
            (bool success,) = address(network).call{gas: gas}(call);
            if (success) settledWith = gas;
        }
        assertTrue(settledWith != 0 && settledWith < 200_000, "settled with ordinary gas");
        assertEq(credited(low) + credited(high), 0, "credits");
        assertPaid(WEALTH, WEALTH);
    }

    // C-09: the token calls the depositor before it moves his tokens, and he deposits again.
    function test_a_deposit_within_a_deposit_is_refused() external {
        HookToken odd = new HookToken();
        use(odd);
        (Reenterer hook, uint64 epoch) = (new Reenterer(), 1);
        openWith(100, 50);
        odd.mint(address(hook), 1000);
        hook.act(address(odd), abi.encodeCall(odd.approve, (address(network), type(uint256).max)));
        hook.plan(address(network), abi.encodeCall(network.deposit, (address(odd), high, low, epoch, 7)));
        vm.prank(low);
        odd.setHook(address(hook));
        deposits(low, low, epoch, 10);
        assertTrue(hook.called() && !hook.succeeded(), "refused");
        assertEq(keccak256(hook.answer()), keccak256(abi.encodeWithSelector(IPhotonNetwork.Reentered.selector)), "error");
        assertEq(network.channel(address(token), low, high).depositLow, 110, "deposit of low");
        assertEq(network.channel(address(token), low, high).depositHigh, 50, "deposit of high");
    }

    function test_opening_the_same_pair_within_an_opening_is_refused() external {
        HookToken odd = new HookToken();
        use(odd);
        Reenterer partner = new Reenterer();
        partner.plan(address(network), abi.encodeCall(network.open, (address(odd), low, TIMEOUT, 0)));
        vm.prank(low);
        odd.setHook(address(partner));
        refuses(wrongPhase(IPhotonNetwork.Phase.None, IPhotonNetwork.Phase.Open));
        act(low, abi.encodeCall(network.open, (address(odd), address(partner), TIMEOUT, 10)));
        // The outer opening was undone with all that happened in it.
        assertEq(uint256(network.channel(address(odd), low, address(partner)).phase), 0, "phase");
    }

    function test_settling_again_within_a_payout_finds_nothing_to_settle() external {
        HookToken odd = new HookToken();
        use(odd);
        openWith(100, 50);
        Reenterer hook = new Reenterer();
        hook.plan(
            address(network), abi.encodeCall(network.settle, (address(odd), low, high, nothing(), nothing()))
        );
        vm.prank(low);
        odd.setHook(address(hook));
        closes(low, noProof(), 0);
        skipDispute();
        odd.mint(address(network), 1000);
        settles(nothing(), nothing());
        assertTrue(hook.called() && !hook.succeeded(), "refused");
        assertPaid(WEALTH, WEALTH);
    }

    function test_of_a_token_with_too_many_units_a_whole_one_does_not_fit_and_a_part_of_it_does() external {
        HugeToken odd = new HugeToken();
        use(odd);
        uint128 one = 10 ** 30;
        uint256 most = (1 << 96) - 1;
        odd.mint(low, one);
        refuses(abi.encodeWithSelector(IPhotonNetwork.AmountTooLarge.selector, most, one));
        opens(low, TIMEOUT, one);
        openWith(one / 100, 0);
        cooperatesAgreed(one / 200, one / 200);
        assertPaid(WEALTH + one - one / 200, WEALTH + one / 200);
    }

    function test_a_token_whose_code_is_gone_pays_nobody_and_owes_all() external {
        openWith(100, 50);
        vm.etch(address(token), "");
        cooperatesAgreed(100, 50);
        assertEq(credited(low), 100, "credit of low");
        assertEq(credited(high), 50, "credit of high");
    }
}
