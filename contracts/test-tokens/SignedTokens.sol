// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title A token whose owners sign typed data. The domain is that of the present chain.
abstract contract TypedToken is TestToken {
    error WrongSignature(address expected, address got);

    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        bytes32 kind =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this)));
    }

    function checkSigned(address signer, bytes32 structHash, uint8 v, bytes32 r, bytes32 s) internal view {
        address got = ecrecover(keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), structHash)), v, r, s);
        if (got == address(0) || got != signer) revert WrongSignature(signer, got);
    }
}

/// @title Approves by signature. Source: ERC-2612.
contract PermitToken is TypedToken {
    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    mapping(address owner => uint256) public nonces;

    error PermitExpired(uint256 deadline, uint256 timestamp);

    constructor() TestToken("Permit", "PRM", 18) {}

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert PermitExpired(deadline, block.timestamp);
        bytes32 hash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        checkSigned(owner, hash, v, r, s);
        allowance[owner][spender] = value;
        emit Approval(owner, spender, value);
    }
}

/// @title Transfers by signature, with nonces in no order. Source: ERC-3009.
contract AuthorizationToken is TypedToken {
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    error NotThePayee(address payee, address caller);
    error NotValidNow(uint256 validAfter, uint256 validBefore, uint256 timestamp);
    error UsedBefore(address authorizer, bytes32 nonce);

    constructor() TestToken("Authorization", "AUT", 6) {}

    function transferWithAuthorization(
        address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
        uint8 v, bytes32 r, bytes32 s
    ) external {
        moveSigned(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce, v, r, s);
    }

    function receiveWithAuthorization(
        address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
        uint8 v, bytes32 r, bytes32 s
    ) external {
        if (msg.sender != to) revert NotThePayee(to, msg.sender);
        moveSigned(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce, v, r, s);
    }

    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        checkSigned(authorizer, keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)), v, r, s);
        useNonce(authorizer, nonce);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function moveSigned(
        bytes32 kind, address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
        uint8 v, bytes32 r, bytes32 s
    ) private {
        if (block.timestamp <= validAfter || block.timestamp >= validBefore) {
            revert NotValidNow(validAfter, validBefore, block.timestamp);
        }
        checkSigned(from, keccak256(abi.encode(kind, from, to, value, validAfter, validBefore, nonce)), v, r, s);
        useNonce(from, nonce);
        emit AuthorizationUsed(from, nonce);
        move(from, to, value);
    }

    function useNonce(address authorizer, bytes32 nonce) private {
        if (authorizationState[authorizer][nonce]) revert UsedBefore(authorizer, nonce);
        authorizationState[authorizer][nonce] = true;
    }
}
