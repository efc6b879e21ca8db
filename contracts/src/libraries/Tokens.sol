// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "../interfaces/IERC20.sol";
import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Moving tokens of all manners: those that return nothing, return false, revert, take fees, or eat gas.
library Tokens {
    /// @notice What a token may use for a payout before it counts as refused. Ordinary ones need 15,000 to 60,000.
    uint256 internal constant PAYOUT_GAS = 200_000;
    /// @notice Gas beside the payout's own: what is left of it must cover the call, and the rest of the transaction.
    uint256 private constant RESERVE = 40_000;

    /// @notice Pulls tokens from `from` by its allowance, and tells how many arrived.
    function pull(address token, address from, uint256 amount) internal returns (uint256 received) {
        uint256 before = held(token);
        if (!called(token, gasleft(), abi.encodeCall(IERC20.transferFrom, (from, address(this), amount)))) {
            revert IPhotonNetwork.TransferFailed(token, from, address(this), amount);
        }
        received = arrived(token, before, amount);
    }

    /// @notice Makes a call that shall bring tokens here.
    /// @return success whether it was taken
    /// @return received how many tokens arrived
    function pullBy(address target, bytes memory call, address token, uint256 amount)
        internal returns (bool success, uint256 received)
    {
        uint256 before = held(token);
        success = called(target, gasleft(), call);
        if (success) received = arrived(token, before, amount);
    }

    /// @notice Pays out, without regard to gas, or refuses.
    function push(address token, address to, uint256 amount) internal {
        if (!called(token, gasleft(), abi.encodeCall(IERC20.transfer, (to, amount)))) {
            revert IPhotonNetwork.TransferFailed(token, address(this), to, amount);
        }
    }

    /// @notice Pays out, if the token does it within its gas. Refuses to judge when the caller gave too little for that.
    /// @return whether it was paid
    function tryPush(address token, address to, uint256 amount) internal returns (bool) {
        uint256 available = gasleft();
        if (called(token, PAYOUT_GAS, abi.encodeCall(IERC20.transfer, (to, amount)))) return true;
        // A caller passes on at most 63/64 of its gas (EIP-150). Whoever settles with just too little could else turn
        // the payouts of others into credits.
        uint256 needed = PAYOUT_GAS + PAYOUT_GAS / 63 + RESERVE;
        if (available < needed) revert IPhotonNetwork.GasTooLow(needed, available);
        return false;
    }

    /// @notice Calls the token; true when it has code, does not revert, and returns nothing or true.
    /// In assembly because it must read at most one word of the answer: a Solidity call copies all of it at our cost,
    /// so a token could burn the gas of the other side's payout by a long answer.
    function called(address token, uint256 gasLimit, bytes memory data) private returns (bool success) {
        assembly ("memory-safe") {
            mstore(0, 0)
            success := call(gasLimit, token, 0, add(data, 0x20), mload(data), 0, 0x20)
            switch returndatasize()
            case 0 { success := and(success, gt(extcodesize(token), 0)) }
            default { success := and(success, and(gt(returndatasize(), 0x1f), eq(mload(0), 1))) }
        }
    }

    /// @notice What this contract has of a token, which must be one.
    function held(address token) internal view returns (uint256) {
        if (token.code.length == 0) revert IPhotonNetwork.NotAToken(token);
        return IERC20(token).balanceOf(address(this));
    }

    /// @notice What this contract has more than `before`, which must be something.
    function arrived(address token, uint256 before, uint256 amount) internal view returns (uint256 received) {
        received = IERC20(token).balanceOf(address(this)) - before;
        if (received == 0) revert IPhotonNetwork.NothingReceived(token, amount);
    }
}
