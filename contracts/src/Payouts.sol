// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {Tokens} from "./libraries/Tokens.sol";

/// @title Paying out so that nobody can hold the other side: what a token refuses becomes a credit.
/// @notice Payouts come last, after everything is stored, so a token that calls back finds finished business.
/// Only deposits, which measure what arrives, must not be entered twice.
abstract contract Payouts is IPhotonNetwork {
    uint256 private constant IDLE = 1;
    uint256 private constant DEPOSITING = 2;

    /// @inheritdoc IPhotonNetwork
    mapping(address token => mapping(address owner => uint256 amount)) public credit;

    uint256 private activity = IDLE;

    /// @notice Around whatever measures how many tokens arrive. Nothing that was read before holds after it.
    modifier depositing() {
        // C-09: a token calls the depositor, who deposits again; both would be credited with the second deposit.
        if (activity != IDLE) revert Reentered();
        activity = DEPOSITING;
        _;
        activity = IDLE;
    }

    /// @inheritdoc IPhotonNetwork
    function claimCredit(address token, address recipient) external {
        uint256 amount = credit[token][msg.sender];
        if (amount == 0) revert NoCredit(token, msg.sender);
        credit[token][msg.sender] = 0;
        emit CreditClaimed(token, msg.sender, recipient, amount);
        Tokens.push(token, recipient, amount);
    }

    function isDepositing() internal view returns (bool) {
        return activity != IDLE;
    }

    /// @notice Pays, or credits what the token refuses.
    function pay(address token, address owner, uint256 amount) internal {
        if (amount == 0 || Tokens.tryPush(token, owner, amount)) return;
        credit[token][owner] += amount;
        emit Credited(token, owner, amount);
    }
}
