// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPermit2} from "../interfaces/IPermit2.sol";
import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";
import {ITokenAuthorizations} from "../interfaces/ITokenAuthorizations.sol";
import {Tokens} from "./Tokens.sol";

/// @title Taking tokens by a signature of their owner that the token itself, or Permit2, verifies.
library Authorizations {
    /// @notice Where Permit2 is on every chain that has it. Source: Uniswap's Permit2.
    address internal constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    /// @notice Tokens that an owner lets be taken for one purpose.
    /// @param claim the struct hash of the purpose, which his signature binds
    /// @param witnessType how Permit2 is told the type of `claim`
    struct Funds {
        address token;
        address owner;
        uint256 amount;
        uint256 nonce;
        uint64 validUntil;
        bytes32 claim;
        string witnessType;
    }

    /// @notice By EIP-3009. The token's nonce is the digest of the purpose, so the signature serves nothing else, once.
    function byToken(Funds memory funds, bytes32 digest, bytes calldata signature) internal returns (uint256 received) {
        if (signature.length != 65) revert IPhotonNetwork.InvalidSignature(funds.owner);
        bytes memory call = abi.encodeCall(
            ITokenAuthorizations.receiveWithAuthorization,
            (
                funds.owner, address(this), funds.amount, 0, uint256(funds.validUntil) + 1, digest,
                uint8(signature[64]), bytes32(signature[0:32]), bytes32(signature[32:64])
            )
        );
        return taken(funds, IPhotonNetwork.Means.ReceiveWithAuthorization, funds.token, call);
    }

    /// @notice By Permit2. The purpose is the witness, so the signature serves nothing else; Permit2 spends the nonce.
    function byPermit2(Funds memory funds, bytes calldata signature) internal returns (uint256 received) {
        if (PERMIT2.code.length == 0) revert IPhotonNetwork.NoPermit2(PERMIT2);
        bytes memory call = abi.encodeCall(
            IPermit2.permitWitnessTransferFrom,
            (
                IPermit2.PermitTransferFrom(
                    IPermit2.TokenPermissions(funds.token, funds.amount), funds.nonce, funds.validUntil
                ),
                IPermit2.SignatureTransferDetails(address(this), funds.amount),
                funds.owner, funds.claim, funds.witnessType, signature
            )
        );
        return taken(funds, IPhotonNetwork.Means.Permit2, PERMIT2, call);
    }

    function taken(Funds memory funds, IPhotonNetwork.Means means, address target, bytes memory call)
        private returns (uint256 received)
    {
        bool success;
        (success, received) = Tokens.pullBy(target, call, funds.token, funds.amount);
        if (!success) revert IPhotonNetwork.AuthorizationRefused(means, funds.token, funds.owner, funds.amount);
    }
}
