// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {DepositReceiver} from "../src/DepositReceiver.sol";
import {IDepositReceiver} from "../src/interfaces/IDepositReceiver.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {
    ApproveAndCallToken, Erc1363Token, Erc223Token, Erc677Token, FallbackToken
} from "../test-tokens/CallingTokens.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {WrappedNative} from "../test-tokens/WrappedNative.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

contract ReceiverTest is Story {
    DepositReceiver private receiver;

    function setUp() public override {
        super.setUp();
        receiver = DepositReceiver(network.receiver());
    }

    function use(TestToken odd) private {
        token = odd;
        odd.mint(low, WEALTH);
        odd.mint(high, WEALTH);
    }

    /// @notice Makes a call of the token in low's name, or in somebody's, done or refused as announced.
    function calls(address who, bytes memory call) private {
        actOn(address(token), who, 0, call);
    }

    function openingData() private view returns (bytes memory) {
        return abi.encode(high, TIMEOUT);
    }

    function depositData(address participant) private view returns (bytes memory) {
        return abi.encode(participant, partnerOf(participant), uint64(1));
    }

    function assertDeposits(uint256 ofLow, uint256 ofHigh) private view {
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(state.depositLow, ofLow, "deposit of low");
        assertEq(state.depositHigh, ofHigh, "deposit of high");
        assertEq(token.balanceOf(address(network)), ofLow + ofHigh, "the network has");
        assertEq(token.balanceOf(address(receiver)), 0, "the receiver has");
    }

    function test_the_receiver_knows_its_network_and_nobody_else_opens_for_others() external {
        assertTrue(address(receiver.network()) == address(network), "network");
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotTheReceiver.selector, receiver, stranger));
        act(stranger, abi.encodeCall(network.openFromReceiver, (address(token), low, high, TIMEOUT, 1)));
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotTheReceiver.selector, receiver, stranger));
        act(stranger, abi.encodeCall(network.depositFromReceiver, (address(token), low, high, 1, 1)));
        refuses(abi.encodeWithSelector(IDepositReceiver.NotTheNetwork.selector, network, stranger));
        actOn(address(receiver), stranger, 0, abi.encodeCall(receiver.handOver, (address(token), 1)));
    }

    function send223(address who, address to, uint256 amount, bytes memory data) private {
        calls(who, abi.encodeWithSignature("transfer(address,uint256,bytes)", to, amount, data));
    }

    function test_a_token_that_is_of_erc_223_alone_opens_deposits_and_is_paid_out() external {
        Erc223Token odd = new Erc223Token();
        use(TestToken(address(odd)));
        send223(low, address(receiver), 70, openingData());
        send223(low, address(receiver), 5, depositData(high));
        send223(high, address(receiver), 6, depositData(high));
        assertDeposits(70, 11);
        withdrawsAgreed(low, 20);
        cooperatesAgreed(40, 21);
        assertPaid(WEALTH - 15, WEALTH + 15);
    }

    function test_a_payout_of_erc_223_that_a_contract_does_not_take_becomes_a_credit() external {
        use(TestToken(address(new Erc223Token())));
        send223(low, address(receiver), 70, openingData());
        vm.etch(high, hex"fe");
        cooperatesAgreed(40, 30);
        assertEq(network.credit(address(token), high), 30, "credit of high");
        assertEq(token.balanceOf(low), WEALTH - 30, "low has");
        vm.etch(high, "");
        act(high, abi.encodeCall(network.claimCredit, (address(token), high)));
        assertPaid(WEALTH - 30, WEALTH + 30);
    }

    function test_a_plain_transfer_of_erc_223_to_either_contract_is_refused() external {
        use(TestToken(address(new Erc223Token())));
        refuses(abi.encodeWithSelector(IPhotonNetwork.SendToTheReceiver.selector, receiver));
        calls(low, abi.encodeCall(token.transfer, (address(network), 70)));
        refuses(abi.encodeWithSelector(IDepositReceiver.UnknownInstruction.selector, 0));
        calls(low, abi.encodeCall(token.transfer, (address(receiver), 70)));
        use(new FallbackToken());
        refuses(abi.encodeWithSelector(IPhotonNetwork.SendToTheReceiver.selector, receiver));
        send223(low, address(network), 70, openingData());
        assertPaid(WEALTH, WEALTH);
    }

    function test_erc_223_as_it_was_first_opens_and_deposits() external {
        use(new FallbackToken());
        send223(low, address(receiver), 70, openingData());
        send223(high, address(receiver), 7, depositData(low));
        assertDeposits(77, 0);
    }

    function test_erc_1363_opens_and_deposits() external {
        Erc1363Token odd = new Erc1363Token();
        use(odd);
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, openingData())));
        calls(high, abi.encodeCall(odd.transferAndCall, (address(receiver), 5, depositData(high))));
        assertDeposits(70, 5);
    }

    function test_erc_677_opens_and_deposits() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, openingData())));
        calls(high, abi.encodeCall(odd.transferAndCall, (address(receiver), 5, depositData(high))));
        assertDeposits(70, 5);
    }

    function test_approve_and_call_opens_and_deposits() external {
        ApproveAndCallToken odd = new ApproveAndCallToken();
        use(odd);
        calls(low, abi.encodeCall(odd.approveAndCall, (address(receiver), 70, openingData())));
        calls(high, abi.encodeCall(odd.approveAndCall, (address(receiver), 5, depositData(high))));
        assertDeposits(70, 5);
    }

    function test_of_a_hook_that_tells_too_much_only_what_arrives_is_credited() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        odd.setGreedy(true);
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 100, openingData())));
        assertDeposits(90, 0);
    }

    function test_what_lies_in_the_receiver_is_no_prize_for_the_next() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        odd.mint(address(receiver), 1000);
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, openingData())));
        assertEq(network.channel(address(token), low, high).depositLow, 70, "deposit of low");
        assertEq(token.balanceOf(address(receiver)), 1000, "the receiver has");
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 0));
        calls(high, abi.encodeCall(odd.transferAndCall, (address(receiver), 0, depositData(high))));
    }

    function test_a_liar_who_calls_a_hook_touches_no_tokens_of_others() external {
        token.mint(address(receiver), 50);
        bytes memory call = abi.encodeCall(receiver.tokenReceived, (low, 50, openingData()));
        vm.prank(stranger);
        (bool success,) = address(receiver).call(call);
        assertTrue(!success, "a caller without balances");
        assertEq(token.balanceOf(address(receiver)), 50, "the receiver has");
        assertPaid(WEALTH, WEALTH);
    }

    function test_an_instruction_of_another_length_is_refused_with_its_transfer() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        uint8[6] memory lengths = [0, 32, 63, 65, 95, 97];
        for (uint256 i = 0; i < lengths.length; i++) {
            refuses(abi.encodeWithSelector(IDepositReceiver.UnknownInstruction.selector, uint256(lengths[i])));
            calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, new bytes(lengths[i]))));
        }
        assertPaid(WEALTH, WEALTH);
    }

    function test_a_garbled_instruction_is_refused() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        refusesSomehow();
        calls(low, abi.encodeCall(
            odd.transferAndCall, (address(receiver), 70, abi.encode(uint256(uint160(high)) | 1 << 160, TIMEOUT))
        ));
        refusesSomehow();
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, abi.encode(high, uint256(1) << 64))));
    }

    // C-03: whoever may move a part of the tokens of another, or none, would open for him with a timeout too short to answer.
    function test_who_moves_the_tokens_of_another_can_deposit_but_not_open_for_him() external {
        Erc1363Token odd = new Erc1363Token();
        use(odd);
        refuses(abi.encodeWithSelector(IDepositReceiver.NotTheOwner.selector, low, stranger));
        calls(stranger, abi.encodeCall(odd.transferFromAndCall, (low, address(receiver), 0, openingData())));
        calls(low, abi.encodeCall(odd.approve, (stranger, 10)));
        refuses(abi.encodeWithSelector(IDepositReceiver.NotTheOwner.selector, low, stranger));
        calls(stranger, abi.encodeCall(odd.transferFromAndCall, (low, address(receiver), 10, openingData())));
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, openingData())));
        calls(stranger, abi.encodeCall(odd.transferFromAndCall, (low, address(receiver), 10, depositData(high))));
        assertDeposits(70, 10);
    }

    function test_an_opening_of_nothing_by_a_hook_is_refused() external {
        use(new FallbackToken());
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 0));
        send223(low, address(receiver), 0, openingData());
    }

    function test_a_refused_deposit_takes_no_tokens() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, depositData(low))));
        refuses(abi.encodeWithSelector(IPhotonNetwork.SettleTimeoutOutOfBounds.selector, 100, 100_000, 99));
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, abi.encode(high, 99))));
        assertPaid(WEALTH, WEALTH);
        assertEq(token.balanceOf(address(receiver)), 0, "the receiver has");
    }

    function test_more_than_128_bits_are_refused_by_the_receiver() external {
        Erc677Token odd = new Erc677Token();
        use(odd);
        uint256 many = uint256(type(uint128).max) + 1;
        odd.mint(low, many);
        refuses(abi.encodeWithSelector(IPhotonNetwork.AmountTooLarge.selector, many - 1, many));
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), many, openingData())));
        refuses(abi.encodeWithSelector(IPhotonNetwork.AmountTooLarge.selector, (1 << 96) - 1, many - 1));
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), many - 1, openingData())));
    }

    function test_a_token_that_does_not_move_on_is_refused_with_its_transfer() external {
        Immovable odd = new Immovable();
        use(odd);
        refuses(abi.encodeWithSelector(IPhotonNetwork.TransferFailed.selector, odd, receiver, network, 70));
        calls(low, abi.encodeCall(odd.transferAndCall, (address(receiver), 70, openingData())));
        assertPaid(WEALTH, WEALTH);
    }

    function test_the_native_coin_opens_and_deposits() external {
        WrappedNative wrapped = new WrappedNative();
        token = TestToken(address(wrapped));
        vm.deal(low, 1000);
        vm.deal(stranger, 1000);
        actOn(address(receiver), low, 70, abi.encodeCall(receiver.openWithNative, (address(wrapped), high, TIMEOUT)));
        actOn(address(receiver), stranger, 5, abi.encodeCall(
            receiver.depositWithNative, (address(wrapped), high, low, 1)
        ));
        assertDeposits(70, 5);
        assertEq(low.balance, 930, "low's coins");
        assertEq(address(wrapped).balance, 75, "wrapped");
        cooperatesAgreed(60, 15);
        assertEq(wrapped.balanceOf(low), 60, "low has");
    }

    function test_no_coins_open_nothing_and_what_does_not_wrap_is_refused() external {
        WrappedNative wrapped = new WrappedNative();
        vm.deal(low, 1000);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, wrapped, 0));
        actOn(address(receiver), low, 0, abi.encodeCall(receiver.openWithNative, (address(wrapped), high, TIMEOUT)));
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotAToken.selector, stranger));
        actOn(address(receiver), low, 70, abi.encodeCall(receiver.openWithNative, (stranger, high, TIMEOUT)));
        refusesSomehow();
        actOn(address(receiver), low, 70, abi.encodeCall(receiver.openWithNative, (address(token), high, TIMEOUT)));
        assertEq(low.balance, 1000, "low's coins");
    }

    function test_coins_without_an_instruction_are_refused() external {
        vm.deal(low, 1000);
        refusesSomehow();
        actOn(address(receiver), low, 70, "");
        refusesSomehow();
        actOn(address(network), low, 70, "");
    }
}

/// @title Calls receivers, and says no to plain transfers.
contract Immovable is Erc677Token {
    function transfer(address, uint256) external pure override returns (bool) {
        return false;
    }
}
