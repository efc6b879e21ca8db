// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Assertions} from "../support/Assertions.sol";
import {World} from "./World.sol";

/// @title What holds after any sequence of calls, with tokens of all manners.
contract InvariantTest is Assertions {
    /// @notice How often a call of this kind was taken and refused.
    event Counted(string what, uint256 succeeded, uint256 refused);

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    World private world;

    function setUp() external {
        world = new World();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(world), selectors());
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function invariant_the_contract_does_what_the_model_says() external view {
        world.checkLast();
    }

    /// @notice After each run of the campaign: no call had an effect elsewhere.
    function afterInvariant() external view {
        world.check();
    }

    /// @notice A campaign means nothing for a call that is always refused.
    function test_every_kind_of_call_is_taken_and_refused() external {
        for (uint256 i = 0; i < 4000; i++) step(keccak256(abi.encode("campaign", i)));
        string[16] memory names = [
            "open", "open by hook", "open by relay", "deposit", "deposit by hook", "deposit by relay", "withdraw",
            "cooperativeSettle", "close", "update", "unlock", "unlock of the last", "punish", "settle",
            "claimCredit", "multicall"
        ];
        for (uint256 i = 0; i < names.length; i++) {
            emit Counted(names[i], world.succeeded(names[i]), world.refused(names[i]));
            assertTrue(world.succeeded(names[i]) > 2, string.concat(names[i], " is taken"));
            assertTrue(world.refused(names[i]) > 2, string.concat(names[i], " is refused"));
        }
        emit Counted("settleMany", world.succeeded("settleMany"), 0);
        emit Counted("update by delegate", world.succeeded("update by delegate"), world.refused("update by delegate"));
        assertTrue(world.succeeded("settleMany") > 2 && world.succeeded("update by delegate") > 2, "all are taken");
        world.check();
    }

    /// @notice One call with arguments from the dice, each within its type.
    function step(bytes32 dice) private {
        (uint256 a, uint256 b, uint256 c) = (uint256(word(dice, 1)), uint256(word(dice, 2)), uint256(word(dice, 3)));
        (bool odd, bool strange) = (c >> 200 & 7 == 0, c >> 210 & 7 == 0);
        uint256 which = uint256(dice) % 19;
        if (which == 0) world.open(a, b, c);
        else if (which == 1) world.deposit(a, b, b >> 8, c, odd);
        else if (which == 2) world.withdraw(a, b, uint128(c), odd, strange);
        else if (which == 3) world.cooperate(a, uint128(c), b & 1 == 0, odd, strange);
        else if (which == 4) world.close(a, b, uint64(b >> 8), uint128(c), uint8(c >> 128), odd);
        else if (which < 7) world.update(a, b, uint64(b >> 8), uint128(c), uint8(c >> 128), odd);
        else if (which < 9) world.unlock(a, b, uint8(b >> 8), odd);
        else if (which < 11) world.punish(a, b, b >> 8, odd);
        else if (which == 11) world.settle(a, odd, b);
        else if (which == 12) world.claimCredit(a, b);
        else if (which == 13) world.turnToken(a, b, odd);
        else if (which == 14) world.wait(c);
        else if (which == 15) world.openRelayed(a, b, c, b >> 8, odd);
        else if (which == 16) world.depositRelayed(a, b, c, b >> 8, odd, strange);
        else if (which == 17) world.registerRest();
        else world.waitLong(a);
    }

    function word(bytes32 dice, uint256 which) private pure returns (bytes32) {
        return keccak256(abi.encode(dice, which));
    }

    /// @dev What makes long stories is drawn more often.
    function selectors() private pure returns (bytes4[] memory all) {
        all = new bytes4[](19);
        all[0] = World.open.selector;
        all[1] = World.deposit.selector;
        all[2] = World.withdraw.selector;
        all[3] = World.cooperate.selector;
        all[4] = World.close.selector;
        all[5] = World.update.selector;
        all[6] = World.unlock.selector;
        all[7] = World.punish.selector;
        all[8] = World.settle.selector;
        all[9] = World.claimCredit.selector;
        all[10] = World.turnToken.selector;
        all[11] = World.wait.selector;
        all[12] = World.waitLong.selector;
        all[13] = World.unlock.selector;
        all[14] = World.punish.selector;
        all[15] = World.update.selector;
        all[16] = World.openRelayed.selector;
        all[17] = World.depositRelayed.selector;
        all[18] = World.registerRest.selector;
    }
}
