// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IDepositReceiver} from "./interfaces/IDepositReceiver.sol";
import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";
import {Tokens} from "./libraries/Tokens.sol";

/// @title Takes tokens that call their receiver, and the native coin, and passes them on. See `IDepositReceiver`.
/// @notice Not a part of the network: a hook tells an amount that can not be measured where others' tokens lie. Here
/// nothing lies, so the balance shows what arrived, and the network measures once more what it gets.
contract DepositReceiver is IDepositReceiver {
    uint256 private constant OPENING = 64;
    uint256 private constant DEPOSIT = 96;

    /// @inheritdoc IDepositReceiver
    IPhotonNetwork public immutable network;

    /// @notice Created by the network.
    constructor() {
        network = IPhotonNetwork(msg.sender);
    }

    /// @inheritdoc IDepositReceiver
    function tokenReceived(address from, uint256 value, bytes calldata data) external returns (bytes4) {
        follow(msg.sender, from, from, value, data);
        return IDepositReceiver.tokenReceived.selector;
    }

    /// @inheritdoc IDepositReceiver
    function tokenFallback(address from, uint256 value, bytes calldata data) external {
        follow(msg.sender, from, from, value, data);
    }

    /// @inheritdoc IDepositReceiver
    function onTransferReceived(address operator, address from, uint256 value, bytes calldata data)
        external returns (bytes4)
    {
        follow(msg.sender, operator, from, value, data);
        return IDepositReceiver.onTransferReceived.selector;
    }

    /// @inheritdoc IDepositReceiver
    function onTokenTransfer(address from, uint256 value, bytes calldata data) external returns (bool success) {
        follow(msg.sender, from, from, value, data);
        return true;
    }

    /// @inheritdoc IDepositReceiver
    function receiveApproval(address from, uint256 value, address token, bytes calldata data) external {
        // C-02: anyone could else spend what others approved.
        if (msg.sender != token) revert NotTheToken(token, msg.sender);
        Tokens.pull(token, from, value);
        follow(token, from, from, value, data);
    }

    /// @inheritdoc IDepositReceiver
    function openWithNative(address wrapped, address partner, uint64 settleTimeout)
        external payable returns (uint64 epoch)
    {
        return network.openFromReceiver(wrapped, msg.sender, partner, settleTimeout, wrap(wrapped));
    }

    /// @inheritdoc IDepositReceiver
    function depositWithNative(address wrapped, address participant, address partner, uint64 epoch)
        external payable returns (uint128 newDeposit)
    {
        return network.depositFromReceiver(wrapped, participant, partner, epoch, wrap(wrapped));
    }

    /// @inheritdoc IDepositReceiver
    function handOver(address token, uint256 amount) external {
        if (msg.sender != address(network)) revert NotTheNetwork(address(network), msg.sender);
        Tokens.push(token, address(network), amount);
    }

    /// @notice Does with the tokens what the instruction says.
    function follow(address token, address operator, address from, uint256 value, bytes calldata data) private {
        if (data.length == OPENING) {
            (address partner, uint64 settleTimeout) = abi.decode(data, (address, uint64));
            // C-03: who may move another's tokens, if only none of them, would open for him with any timeout.
            if (operator != from) revert NotTheOwner(from, operator);
            network.openFromReceiver(token, from, partner, settleTimeout, arrived(token, value));
        } else if (data.length == DEPOSIT) {
            (address participant, address partner, uint64 epoch) = abi.decode(data, (address, address, uint64));
            network.depositFromReceiver(token, participant, partner, epoch, arrived(token, value));
        } else {
            revert UnknownInstruction(data.length);
        }
    }

    function wrap(address wrapped) private returns (uint128 amount) {
        if (wrapped.code.length == 0) revert IPhotonNetwork.NotAToken(wrapped);
        IWrappedNative(wrapped).deposit{value: msg.value}();
        return arrived(wrapped, msg.value);
    }

    /// @param value what the token says came; a token with a fee brings less. Never more than that is passed on, so what
    /// somebody sends here without instruction is no prize for whoever calls next.
    function arrived(address token, uint256 value) private view returns (uint128) {
        uint256 balance = Tokens.held(token);
        uint256 amount = balance < value ? balance : value;
        if (amount > type(uint128).max) revert IPhotonNetwork.AmountTooLarge(type(uint128).max, amount);
        return uint128(amount);
    }
}
