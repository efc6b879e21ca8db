// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {TestToken} from "../test-tokens/TestToken.sol";
import {Story} from "./support/Story.sol";
import {vm} from "./support/Vm.sol";

contract OpeningTest is Story {
    function test_opening_stores_the_timeout_and_the_first_deposit() external {
        opens(high, TIMEOUT, 70);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), high, low);
        assertEq(uint256(state.phase), uint256(IPhotonNetwork.Phase.Open), "phase");
        assertEq(state.epoch, 1, "epoch");
        assertEq(state.settleTimeout, TIMEOUT, "settle timeout");
        assertEq(state.updateUntil, 0, "update until");
        assertEq(state.depositLow, 0, "deposit of low");
        assertEq(state.depositHigh, 70, "deposit of high");
        assertEq(state.channelId, keccak256(abi.encode(token, low, high)), "channel id");
        assertPaid(WEALTH, WEALTH - 70);
    }

    function test_opening_writes_one_word() external {
        vm.record();
        opens(low, TIMEOUT, 0);
        (, bytes32[] memory writes) = vm.accesses(address(network));
        assertEq(writes.length, 1, "words written");
    }

    function test_opening_tells_what_it_stored() external {
        vm.expectEmit(address(network));
        emit IPhotonNetwork.ChannelOpened(address(token), low, high, 1, TIMEOUT, 5, 0);
        opens(low, TIMEOUT, 5);
    }

    function test_opening_needs_no_deposit() external {
        opens(low, TIMEOUT, 0);
        assertPhase(IPhotonNetwork.Phase.Open);
        assertPaid(WEALTH, WEALTH);
    }

    function test_opening_is_refused_while_open_or_closed() external {
        opens(low, TIMEOUT, 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.None, IPhotonNetwork.Phase.Open));
        opens(high, TIMEOUT, 10);
        closes(low, noProof(), 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.None, IPhotonNetwork.Phase.Closed));
        opens(high, TIMEOUT, 10);
        assertPaid(WEALTH, WEALTH);
    }

    function test_opening_is_refused_with_oneself_and_with_nobody() external {
        refuses(abi.encodeWithSelector(IPhotonNetwork.InvalidParticipants.selector, low, low));
        act(low, abi.encodeCall(network.open, (address(token), low, TIMEOUT, 0)));
        refuses(abi.encodeWithSelector(IPhotonNetwork.InvalidParticipants.selector, low, address(0)));
        act(low, abi.encodeCall(network.open, (address(token), address(0), TIMEOUT, 0)));
    }

    function test_opening_is_refused_beyond_the_bounds_of_the_timeout() external {
        refuses(abi.encodeWithSelector(IPhotonNetwork.SettleTimeoutOutOfBounds.selector, 100, 100_000, 99));
        opens(low, 99, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.SettleTimeoutOutOfBounds.selector, 100, 100_000, 100_001));
        opens(low, 100_001, 0);
        opens(low, 100, 0);
    }

    function test_opening_is_refused_for_what_is_no_contract() external {
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotAToken.selector, stranger));
        act(low, abi.encodeCall(network.open, (stranger, high, TIMEOUT, 0)));
        refuses(abi.encodeWithSelector(IPhotonNetwork.NotAToken.selector, stranger));
        act(low, abi.encodeCall(network.open, (stranger, high, TIMEOUT, 1)));
    }

    function test_opening_without_the_tokens_is_refused() external {
        refuses(abi.encodeWithSelector(
            IPhotonNetwork.TransferFailed.selector, token, low, address(network), WEALTH + 1
        ));
        opens(low, TIMEOUT, WEALTH + 1);
    }

    function test_anyone_deposits_for_either_participant() external {
        openWith(10, 20);
        deposits(stranger, low, 1, 5);
        deposits(high, low, 1, 6);
        deposits(low, high, 1, 7);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        assertEq(state.depositLow, 21, "deposit of low");
        assertEq(state.depositHigh, 27, "deposit of high");
    }

    function test_a_deposit_tells_the_new_total() external {
        openWith(10, 20);
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.Deposited(channelId, high, address(token), 1, 25);
        deposits(stranger, high, 1, 5);
    }

    function test_a_deposit_into_another_epoch_is_refused() external {
        openWith(10, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongEpoch.selector, 1, 2));
        deposits(low, low, 2, 5);
        cooperatesAgreed(10, 0);
        openWith(10, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongEpoch.selector, 2, 1));
        deposits(low, low, 1, 5);
    }

    function test_a_deposit_of_nothing_is_refused() external {
        openWith(10, 0);
        refuses(abi.encodeWithSelector(IPhotonNetwork.NothingReceived.selector, token, 0));
        deposits(low, low, 1, 0);
    }

    function test_a_deposit_is_refused_unless_open() external {
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.None));
        deposits(low, low, 0, 5);
        openWith(10, 0);
        closes(low, noProof(), 0);
        refuses(wrongPhase(IPhotonNetwork.Phase.Open, IPhotonNetwork.Phase.Closed));
        deposits(low, low, 1, 5);
    }

    function test_a_deposit_that_does_not_fit_is_refused() external {
        uint256 most = (1 << 96) - 1;
        token.mint(low, most + 1);
        opens(low, TIMEOUT, uint128(most - 3));
        refuses(abi.encodeWithSelector(IPhotonNetwork.AmountTooLarge.selector, 3, 4));
        deposits(low, low, 1, 4);
        deposits(low, low, 1, 3);
        deposits(high, high, 1, 9);
        assertEq(network.channel(address(token), low, high).depositLow, most, "deposit of low");
        assertEq(network.channel(address(token), low, high).depositHigh, 9, "deposit of high");
    }

    function test_the_epoch_grows_at_each_opening_only() external {
        for (uint64 epoch = 1; epoch < 4; epoch++) {
            openWith(10, 5);
            assertEq(epochNow(), epoch, "epoch when open");
            cooperatesAgreed(15, 0);
            assertEq(epochNow(), epoch, "epoch when settled");
            assertPhase(IPhotonNetwork.Phase.None);
        }
    }

    function test_opening_is_refused_when_the_epochs_are_used_up() external {
        openWith(10, 0);
        cooperatesAgreed(10, 0);
        // The channel's word keeps only the epoch now: set it to the last one.
        vm.record();
        network.channel(address(token), low, high);
        (bytes32[] memory reads,) = vm.accesses(address(network));
        vm.store(address(network), reads[0], bytes32(uint256(type(uint24).max) << 192));
        refuses(abi.encodeWithSelector(IPhotonNetwork.EpochsExhausted.selector, type(uint24).max));
        opens(low, TIMEOUT, 0);
    }

    function test_channels_of_different_tokens_do_not_touch() external {
        TestToken other = new TestToken("Other", "OTH", 0);
        enrich(other, low);
        openWith(10, 0);
        openIn(other, 33, 0);
        closes(low, noProof(), 0);
        assertEq(uint256(network.channel(address(other), low, high).phase), uint256(IPhotonNetwork.Phase.Open), "other phase");
        assertEq(network.channel(address(other), low, high).depositLow, 33, "other deposit");
    }

    function test_senseless_parameters_are_refused_at_deployment() external {
        uint64[3][5] memory senseless =
            [[uint64(0), 1, 1], [uint64(2), 1, 1], [uint64(1), 401 days, 1], [uint64(1), 1, 0], [uint64(1), 1, 401 days]];
        for (uint256 i = 0; i < senseless.length; i++) {
            uint64[3] memory it = senseless[i];
            vm.expectRevert(abi.encodeWithSelector(IPhotonNetwork.InvalidParameters.selector, it[0], it[1], it[2]));
            new PhotonNetwork(it[0], it[1], it[2]);
        }
        assertEq(network.leastSettleTimeout(), 100, "least");
        assertEq(network.greatestSettleTimeout(), 100_000, "greatest");
        assertEq(network.challenge(), CHALLENGE, "challenge");
    }
}
