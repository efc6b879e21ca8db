// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {BlockingToken} from "../test-tokens/OddTokens.sol";
import {Actors} from "./support/Actors.sol";
import {Assertions} from "./support/Assertions.sol";

/// @title What holds after any sequence of calls.
contract SolvencyTest is Assertions {
    Actors private world;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() external {
        world = new Actors();
    }

    /// @notice Tells forge whom to call, and how.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        bytes4[] memory selectors = new bytes4[](16);
        selectors[0] = Actors.open.selector;
        selectors[1] = Actors.deposit.selector;
        selectors[2] = Actors.withdraw.selector;
        selectors[3] = Actors.cooperate.selector;
        selectors[4] = Actors.close.selector;
        selectors[5] = Actors.update.selector;
        selectors[6] = Actors.unlock.selector;
        selectors[7] = Actors.punish.selector;
        selectors[8] = Actors.settle.selector;
        selectors[9] = Actors.block_.selector;
        selectors[10] = Actors.claimCredit.selector;
        selectors[11] = Actors.wait.selector;
        // What makes long stories is drawn more often.
        selectors[12] = Actors.open.selector;
        selectors[13] = Actors.close.selector;
        selectors[14] = Actors.unlock.selector;
        selectors[15] = Actors.punish.selector;
        targets[0] = FuzzSelector(address(world), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    /// @notice To the last unit: so also every settlement paid out exactly what its channel held.
    function invariant_the_contract_has_exactly_what_it_owes() external view {
        (IPhotonNetwork network, BlockingToken token) = world.photon();
        uint256 owed = 0;
        for (uint256 i = 0; i < 3; i++) {
            address actor = world.actors(i);
            owed += network.credit(address(token), actor);
            IPhotonNetwork.ChannelState memory state = network.channel(address(token), actor, world.actors((i + 1) % 3));
            owed += uint256(state.depositLow) + state.depositHigh - state.withdrawnLow - state.withdrawnHigh;
        }
        assertEq(token.balanceOf(address(network)), owed, "the contract has");
    }

    function invariant_the_unlocked_sum_is_that_of_the_set_bits() external view {
        (IPhotonNetwork network, BlockingToken token) = world.photon();
        IPhotonNetwork.Lock[] memory locks = world.slotsAndAmounts();
        for (uint256 i = 0; i < 6; i++) {
            address payer = world.actors(i % 3);
            address payee = world.actors((i + 1 + i / 3) % 3);
            uint256 sum = 0;
            for (uint256 j = 0; j < locks.length; j++) {
                if (network.isClaimed(address(token), payer, payee, locks[j].slot)) sum += locks[j].amount;
            }
            assertEq(network.direction(address(token), payer, payee).unlocked, sum, "unlocked");
        }
    }

    /// @notice The invariants mean nothing if all calls were refused.
    function test_the_actors_get_through_with_every_call() external {
        for (uint256 i = 0; i < 2000; i++) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            step(dice % 16, dice >> 8, dice >> 64);
        }
        string[10] memory calls = [
            "open", "deposit", "withdraw", "cooperativeSettle", "close", "update", "unlock", "punish", "settle",
            "claimCredit"
        ];
        for (uint256 i = 0; i < calls.length; i++) assertTrue(world.done(calls[i]) > 2, calls[i]);
    }

    function step(uint256 kind, uint256 a, uint256 b) private {
        if (kind < 2) world.open(a, uint128(b));
        else if (kind == 2) world.deposit(a, uint128(b));
        else if (kind == 3) world.withdraw(a, uint128(b));
        else if (kind == 4) world.cooperate(a, uint128(b));
        else if (kind < 7) world.close(a, uint64(b), uint128(b), uint128(b >> 9));
        else if (kind == 7) world.update(a, uint64(b), uint128(b));
        else if (kind < 10) world.unlock(a);
        else if (kind < 12) world.punish(a, b);
        else if (kind == 12) world.settle(a);
        else if (kind == 13) world.block_(a, b % 2 == 0);
        else if (kind == 14) world.claimCredit(a);
        else world.wait(b);
    }
}
