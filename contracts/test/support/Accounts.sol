// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IHook} from "../../test-tokens/OddTokens.sol";
import {vm} from "./Vm.sol";

/// @title A contract wallet that takes signatures of its owner's key, until told otherwise.
contract Wallet {
    address public immutable owner;
    bool public willing = true;

    constructor(address owner_) {
        owner = owner_;
    }

    function setWilling(bool willing_) external {
        willing = willing_;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (!willing || signature.length != 65) return 0xffffffff;
        (bytes32 r, bytes32 s) = (bytes32(signature[0:32]), bytes32(signature[32:64]));
        return ecrecover(digest, uint8(signature[64]), r, s) == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// @title Makes one call, when a token calls it, and keeps what came of it.
contract Reenterer is IHook {
    address public target;
    bytes public call;
    bool public called;
    bool public succeeded;
    bytes public answer;

    function plan(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function onTokens() external {
        if (called) return;
        called = true;
        (succeeded, answer) = target.call(call);
    }

    /// @notice Makes a call as this account.
    function act(address to, bytes calldata data) external {
        (bool success, bytes memory result) = to.call(data);
        if (!success) assembly ("memory-safe") { revert(add(result, 0x20), mload(result)) }
    }
}
