// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Erc1363Token, Erc677Token} from "../../test-tokens/CallingTokens.sol";
import {
    BlockingToken, DenyingToken, FeeToken, GreedyToken, HookToken, HugeToken, IHook
} from "../../test-tokens/OddTokens.sol";
import {TestToken} from "../../test-tokens/TestToken.sol";

/// @title Makes, when a token calls it, the call that is under way once more.
contract Mischief is IHook {
    address private target;
    bytes private call;
    uint256 public tried;
    uint256 public succeeded;

    function plan(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function onTokens() external {
        tried++;
        (bool success,) = target.call(call);
        if (success) succeeded++;
    }
}

/// @title The kinds of tokens of the campaign, and what each does with a transfer.
abstract contract Tokens {
    enum Kind { Plain, Fee, Blocking, Denying, Greedy, Hook, Calling, Passing, Huge }

    uint256 internal constant KINDS = 9;
    TestToken[KINDS] internal tokens;
    Mischief internal mischief = new Mischief();

    function makeTokens() internal {
        tokens = [
            new TestToken("Test", "TST", 18), new FeeToken(), new BlockingToken(), new DenyingToken(), new GreedyToken(),
            new HookToken(), new Erc1363Token(), new Erc677Token(), new HugeToken()
        ];
    }

    /// @notice What arrives of a deposit; nothing if the token refuses it.
    function arriving(uint256 kind, uint256 amount) internal view returns (uint256) {
        if (kind == uint256(Kind.Denying) && DenyingToken(address(tokens[kind])).denying()) return 0;
        return kind == uint256(Kind.Fee) ? amount - amount / 10 : amount;
    }

    /// @notice Whether deposits go through the receiver: both kinds have the same `transferAndCall`.
    function callsReceiver(uint256 kind) internal pure returns (bool) {
        return kind == uint256(Kind.Calling) || kind == uint256(Kind.Passing);
    }

    /// @notice Whether the token refuses to pay this account.
    function refuses(uint256 kind, address to) internal view returns (bool) {
        address token = address(tokens[kind]);
        if (kind == uint256(Kind.Blocking)) return BlockingToken(token).blocked(to);
        if (kind == uint256(Kind.Denying)) return DenyingToken(token).denying();
        if (kind == uint256(Kind.Greedy)) return GreedyToken(token).victim() == to;
        return false;
    }

    /// @notice Makes the token refuse what it did not, or the other way round.
    function turn(uint256 kind, address who, bool how) internal {
        address token = address(tokens[kind]);
        if (kind == uint256(Kind.Blocking)) BlockingToken(token).setBlocked(who, !BlockingToken(token).blocked(who));
        if (kind == uint256(Kind.Denying)) DenyingToken(token).deny(!DenyingToken(token).denying());
        if (kind == uint256(Kind.Greedy)) {
            GreedyToken(token).setVictim(GreedyToken(token).victim() == who ? address(0) : who, how);
        }
    }
}
