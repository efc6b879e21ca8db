// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Permit2's transfers by signature with a witness, to be put at its canonical address on test chains.
/// @notice Written after its interface and documentation: same domain, types, nonces, errors and order of checks. It has
/// no immutables, so its deployed code works at any address.
contract Permit2Double {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    error SignatureExpired(uint256 signatureDeadline);
    error InvalidAmount(uint256 maxAmount);
    error InvalidNonce();
    error InvalidSignatureLength();
    error InvalidSignature();
    error InvalidSigner();
    error InvalidContractSignature();

    event UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask);

    mapping(address owner => mapping(uint256 word => uint256 bits)) public nonceBitmap;

    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        bytes32 kind = keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256("Permit2"), block.chainid, address(this)));
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permitted, SignatureTransferDetails calldata details, address owner, bytes32 witness,
        string calldata witnessType, bytes calldata signature
    ) external {
        if (block.timestamp > permitted.deadline) revert SignatureExpired(permitted.deadline);
        if (details.requestedAmount > permitted.permitted.amount) revert InvalidAmount(permitted.permitted.amount);
        useNonce(owner, permitted.nonce);
        verify(owner, digestOf(permitted, witness, witnessType), signature);
        (bool success, bytes memory answer) = permitted.permitted.token.call(
            abi.encodeWithSignature("transferFrom(address,address,uint256)", owner, details.to, details.requestedAmount)
        );
        require(success && (answer.length == 0 || abi.decode(answer, (bool))), "TRANSFER_FROM_FAILED");
    }

    function invalidateUnorderedNonces(uint256 word, uint256 mask) external {
        nonceBitmap[msg.sender][word] |= mask;
        emit UnorderedNonceInvalidation(msg.sender, word, mask);
    }

    function digestOf(PermitTransferFrom calldata permitted, bytes32 witness, string calldata witnessType)
        private view returns (bytes32)
    {
        bytes32 kind = keccak256(
            abi.encodePacked(
                "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,",
                witnessType
            )
        );
        bytes32 permissions = keccak256(
            abi.encode(
                keccak256("TokenPermissions(address token,uint256 amount)"),
                permitted.permitted.token, permitted.permitted.amount
            )
        );
        bytes32 structHash =
            keccak256(abi.encode(kind, permissions, msg.sender, permitted.nonce, permitted.deadline, witness));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), structHash));
    }

    function useNonce(address owner, uint256 nonce) private {
        uint256 bit = 1 << (nonce & 255);
        uint256 bits = nonceBitmap[owner][nonce >> 8] ^= bit;
        if (bits & bit == 0) revert InvalidNonce();
    }

    function verify(address owner, bytes32 digest, bytes calldata signature) private view {
        if (owner.code.length != 0) {
            (bool success, bytes memory answer) =
                owner.staticcall(abi.encodeWithSignature("isValidSignature(bytes32,bytes)", digest, signature));
            bool good = success && answer.length == 32 && abi.decode(answer, (bytes32)) == bytes32(bytes4(0x1626ba7e));
            if (!good) revert InvalidContractSignature();
            return;
        }
        if (signature.length != 65) revert InvalidSignatureLength();
        address got =
            ecrecover(digest, uint8(signature[64]), bytes32(signature[0:32]), bytes32(signature[32:64]));
        if (got == address(0)) revert InvalidSignature();
        if (got != owner) revert InvalidSigner();
    }
}
