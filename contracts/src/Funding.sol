// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ChannelStore} from "./ChannelStore.sol";
import {DepositReceiver} from "./DepositReceiver.sol";
import {Payouts} from "./Payouts.sol";
import {IDepositReceiver} from "./interfaces/IDepositReceiver.sol";
import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {ITokenAuthorizations} from "./interfaces/ITokenAuthorizations.sol";
import {Authorizations} from "./libraries/Authorizations.sol";
import {Channel} from "./libraries/Channel.sol";
import {Claims} from "./libraries/Claims.sol";
import {Tokens} from "./libraries/Tokens.sol";

/// @title How tokens come in: by the caller, by a relayer with the participant's word, or from the deposit receiver.
abstract contract Funding is ChannelStore, Payouts {
    /// @inheritdoc IPhotonNetwork
    address public immutable receiver = address(new DepositReceiver());

    mapping(address participant => mapping(uint256 word => uint256 bits)) private spentNonces;

    /// @inheritdoc IPhotonNetwork
    function open(address token, address partner, uint64 settleTimeout, uint128 amount) external returns (uint64 epoch) {
        uint256 received = amount == 0 ? 0 : pullFromCaller(token, amount);
        return openWith(token, msg.sender, partner, settleTimeout, received);
    }

    /// @inheritdoc IPhotonNetwork
    function openFromReceiver(address token, address participant, address partner, uint64 settleTimeout, uint128 amount)
        external returns (uint64 epoch)
    {
        return openWith(token, participant, partner, settleTimeout, takeFromReceiver(token, amount));
    }

    /// @inheritdoc IPhotonNetwork
    function depositFromReceiver(address token, address participant, address partner, uint64 epoch, uint128 amount)
        external returns (uint128 newDeposit)
    {
        uint256 received = takeFromReceiver(token, amount);
        return creditWith(token, channelId(token, participant, partner), participant, participant > partner, epoch, received);
    }

    /// @inheritdoc IPhotonNetwork
    function openAuthorized(OpenAuthorization calldata authorization, Means means, bytes calldata signature)
        external returns (uint64 epoch)
    {
        Authorizations.Funds memory funds;
        funds.token = authorization.token;
        funds.owner = authorization.participant;
        funds.amount = authorization.amount;
        funds.nonce = authorization.nonce;
        funds.validUntil = authorization.validUntil;
        funds.claim = Claims.openAuthorization(
            authorization.token, authorization.participant, authorization.partner, authorization.settleTimeout,
            authorization.amount, authorization.nonce, authorization.validUntil
        );
        funds.witnessType = Claims.OPEN_WITNESS;
        return openWith(
            authorization.token, authorization.participant, authorization.partner, authorization.settleTimeout,
            collect(funds, means, signature)
        );
    }

    /// @inheritdoc IPhotonNetwork
    function deposit(address token, address participant, address partner, uint64 epoch, uint128 amount)
        external returns (uint128 newDeposit)
    {
        uint256 received = pullFromCaller(token, amount);
        return creditWith(token, channelId(token, participant, partner), participant, participant > partner, epoch, received);
    }

    /// @inheritdoc IPhotonNetwork
    function depositAuthorized(DepositAuthorization calldata authorization, Means means, bytes calldata signature)
        external returns (uint128 newDeposit)
    {
        address participant = authorization.participant;
        bytes32 id = channelId(authorization.token, participant, authorization.partner);
        Authorizations.Funds memory funds;
        funds.token = authorization.token;
        funds.owner = participant;
        funds.amount = authorization.amount;
        funds.nonce = authorization.nonce;
        funds.validUntil = authorization.validUntil;
        funds.claim = Claims.depositAuthorization(
            id, authorization.epoch, participant, authorization.amount, authorization.nonce, authorization.validUntil
        );
        funds.witnessType = Claims.DEPOSIT_WITNESS;
        uint256 received = collect(funds, means, signature);
        if (received == 0) revert NothingReceived(authorization.token, 0);
        return creditWith(
            authorization.token, id, participant, participant > authorization.partner, authorization.epoch, received
        );
    }

    /// @inheritdoc IPhotonNetwork
    function permit(address token, address owner, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // The result is ignored: a front-run permit would else sink the calls after it.
        (bool taken,) = token.call(
            abi.encodeCall(ITokenAuthorizations.permit, (owner, address(this), value, deadline, v, r, s))
        );
        taken;
    }

    /// @inheritdoc IPhotonNetwork
    function cancelAuthorization(uint256 nonce) external {
        spendNonce(msg.sender, nonce);
    }

    /// @inheritdoc IPhotonNetwork
    function isAuthorizationUsed(address participant, uint256 nonce) external view returns (bool) {
        return spentNonces[participant][nonce >> 8] >> (nonce & 255) & 1 != 0;
    }

    /// @inheritdoc IPhotonNetwork
    function tokenReceived(address, uint256, bytes calldata) external view returns (bytes4) {
        if (!isDepositing()) revert SendToTheReceiver(receiver);
        return IPhotonNetwork.tokenReceived.selector;
    }

    /// @inheritdoc IPhotonNetwork
    function tokenFallback(address, uint256, bytes calldata) external view {
        if (!isDepositing()) revert SendToTheReceiver(receiver);
    }

    /// @notice Begins the next life of a pair.
    function openWith(address token, address participant, address partner, uint64 settleTimeout, uint256 received)
        private returns (uint64 epoch)
    {
        if (partner == address(0)) revert InvalidParticipants(participant, partner);
        (address low, address high) = ordered(participant, partner);
        if (settleTimeout < leastSettleTimeout || settleTimeout > greatestSettleTimeout) {
            revert SettleTimeoutOutOfBounds(leastSettleTimeout, greatestSettleTimeout, settleTimeout);
        }
        if (token.code.length == 0) revert NotAToken(token);
        bytes32 id = channelId(token, low, high);
        Channel stored = channelIn(Phase.None, id).opened(settleTimeout).credited(participant == high, received);
        channels[id] = stored;
        epoch = stored.epoch();
        emit ChannelOpened(token, low, high, epoch, settleTimeout, stored.depositOf(false), stored.depositOf(true));
    }

    /// @notice Adds to the deposit of high, or of low, who is `participant`.
    function creditWith(address token, bytes32 id, address participant, bool high, uint64 epoch, uint256 received)
        private returns (uint128 newDeposit)
    {
        Channel stored = channelIn(Phase.Open, id);
        if (epoch != stored.epoch()) revert WrongEpoch(stored.epoch(), epoch);
        stored = stored.credited(high, received);
        channels[id] = stored;
        newDeposit = stored.depositOf(high);
        emit Deposited(id, participant, token, epoch, newDeposit);
    }

    /// @notice Pulls the caller's tokens and tells how many arrived.
    function pullFromCaller(address token, uint256 amount) private depositing returns (uint256 received) {
        return Tokens.pull(token, msg.sender, amount);
    }

    /// @notice Has the receiver, who calls, hand over tokens, and tells how many arrived.
    function takeFromReceiver(address token, uint256 amount) private depositing returns (uint256 received) {
        if (msg.sender != receiver) revert NotTheReceiver(receiver, msg.sender);
        uint256 before = Tokens.held(token);
        IDepositReceiver(receiver).handOver(token, amount);
        return Tokens.arrived(token, before, amount);
    }

    /// @notice Takes the tokens of an owner who authorized it, and tells how many arrived.
    function collect(Authorizations.Funds memory funds, Means means, bytes calldata signature)
        private depositing returns (uint256 received)
    {
        checkNotExpired(funds.validUntil);
        if (means == Means.Allowance) {
            checkSigned(funds.owner, funds.claim, signature);
            spendNonce(funds.owner, funds.nonce);
            return funds.amount == 0 ? 0 : Tokens.pull(funds.token, funds.owner, funds.amount);
        }
        if (means == Means.Permit2) return Authorizations.byPermit2(funds, signature);
        return Authorizations.byToken(funds, Claims.digest(domainSeparator(), funds.claim), signature);
    }

    function spendNonce(address participant, uint256 nonce) private {
        uint256 bit = 1 << (nonce & 255);
        uint256 bits = spentNonces[participant][nonce >> 8];
        if (bits & bit != 0) revert AuthorizationUsed(participant, nonce);
        spentNonces[participant][nonce >> 8] = bits | bit;
        emit AuthorizationSpent(participant, nonce);
    }
}
