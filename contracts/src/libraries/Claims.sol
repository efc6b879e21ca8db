// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The one place that hashes what participants sign: EIP-712, one type for each meaning.
/// @notice Mirrored in the crate photon-wire; both are held to the same vectors.
library Claims {
    bytes32 internal constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant BALANCE_PROOF_TYPE = keccak256(
        "BalanceProof(bytes32 channelId,uint64 epoch,address payer,uint64 nonce,uint128 transferred,bytes32 locksroot)"
    );
    bytes32 internal constant DELEGATION_TYPE = keccak256(
        "Delegation(bytes32 channelId,uint64 epoch,address payer,uint64 nonce,uint128 transferred,bytes32 locksroot,address delegate)"
    );
    bytes32 internal constant COOPERATIVE_SETTLE_TYPE = keccak256(
        "CooperativeSettle(bytes32 channelId,uint64 epoch,uint128 transferredLow,uint128 transferredHigh,uint64 validUntil)"
    );
    bytes32 internal constant WITHDRAW_TYPE = keccak256(
        "Withdraw(bytes32 channelId,uint64 epoch,address participant,uint128 withdrawn,uint64 validUntil)"
    );
    bytes32 internal constant DISPOSAL_TYPE =
        keccak256("Disposal(bytes32 channelId,uint64 epoch,address payer,bytes32[] locks)");
    bytes32 internal constant OPEN_AUTHORIZATION_TYPE = keccak256(
        "OpenAuthorization(address token,address participant,address partner,uint64 settleTimeout,uint128 amount,uint256 nonce,uint64 validUntil)"
    );
    bytes32 internal constant DEPOSIT_AUTHORIZATION_TYPE = keccak256(
        "DepositAuthorization(bytes32 channelId,uint64 epoch,address participant,uint128 amount,uint256 nonce,uint64 validUntil)"
    );

    /// @notice How Permit2 is told the type of its witness: the rest of its own type's encoding. Source: Permit2's
    /// `permitWitnessTransferFrom`.
    string internal constant OPEN_WITNESS =
        "OpenAuthorization witness)OpenAuthorization(address token,address participant,address partner,uint64 settleTimeout,uint128 amount,uint256 nonce,uint64 validUntil)TokenPermissions(address token,uint256 amount)";
    string internal constant DEPOSIT_WITNESS =
        "DepositAuthorization witness)DepositAuthorization(bytes32 channelId,uint64 epoch,address participant,uint128 amount,uint256 nonce,uint64 validUntil)TokenPermissions(address token,uint256 amount)";

    /// @notice The domain of the contract at `verifyingContract` on the present chain.
    function domainSeparator(address verifyingContract) internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPE, keccak256("Photon"), keccak256("1"), block.chainid, verifyingContract)
        );
    }

    /// @notice What is signed.
    /// In assembly because `abi.encodePacked` takes new memory and copies there: 150 gas more for each signature.
    function digest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let packed := mload(0x40)
            mstore(packed, hex"1901")
            mstore(add(packed, 2), separator)
            mstore(add(packed, 34), structHash)
            result := keccak256(packed, 66)
        }
    }

    /// @notice Signed by the payer.
    function balanceProof(
        bytes32 channelId, uint64 epoch, address payer, uint64 nonce, uint128 transferred, bytes32 locksroot
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(BALANCE_PROOF_TYPE, channelId, epoch, payer, nonce, transferred, locksroot));
    }

    /// @notice Signed by the payee.
    function delegation(
        bytes32 channelId, uint64 epoch, address payer, uint64 nonce, uint128 transferred, bytes32 locksroot, address delegate
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(DELEGATION_TYPE, channelId, epoch, payer, nonce, transferred, locksroot, delegate)
        );
    }

    /// @notice Signed by both.
    /// @param transferredLow all that low transferred to high in the epoch
    /// @param transferredHigh all that high transferred to low
    function cooperativeSettle(
        bytes32 channelId, uint64 epoch, uint128 transferredLow, uint128 transferredHigh, uint64 validUntil
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(COOPERATIVE_SETTLE_TYPE, channelId, epoch, transferredLow, transferredHigh, validUntil)
        );
    }

    /// @notice Signed by both.
    /// @param withdrawn the participant's total, not the increase
    function withdraw(bytes32 channelId, uint64 epoch, address participant, uint128 withdrawn, uint64 validUntil)
        internal pure returns (bytes32)
    {
        return keccak256(abi.encode(WITHDRAW_TYPE, channelId, epoch, participant, withdrawn, validUntil));
    }

    /// @notice Signed by the payee.
    function disposal(bytes32 channelId, uint64 epoch, address payer, bytes32[] memory locks)
        internal pure returns (bytes32)
    {
        return keccak256(abi.encode(DISPOSAL_TYPE, channelId, epoch, payer, keccak256(abi.encodePacked(locks))));
    }

    /// @notice Signed by the participant, for whoever brings it.
    function openAuthorization(
        address token, address participant, address partner, uint64 settleTimeout, uint128 amount, uint256 nonce, uint64 validUntil
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(OPEN_AUTHORIZATION_TYPE, token, participant, partner, settleTimeout, amount, nonce, validUntil)
        );
    }

    /// @notice Signed by the participant, for whoever brings it.
    function depositAuthorization(
        bytes32 channelId, uint64 epoch, address participant, uint128 amount, uint256 nonce, uint64 validUntil
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(DEPOSIT_AUTHORIZATION_TYPE, channelId, epoch, participant, amount, nonce, validUntil)
        );
    }
}
