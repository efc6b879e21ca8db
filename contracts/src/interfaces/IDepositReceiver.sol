// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "./IPhotonNetwork.sol";

/// @title Where to send tokens that call their receiver, and the native coin, to open a channel or to deposit.
/// @notice It belongs to one `IPhotonNetwork` and has no rights but to open for whom a token said the tokens were.
/// It passes on what arrived, at most what the token said, and keeps nothing; do not send to it without instruction.
///
/// The instruction `data` is either `abi.encode(address partner, uint64 settleTimeout)`, 64 bytes: the owner of the tokens
/// opens a channel with `partner`; or `abi.encode(address participant, address partner, uint64 epoch)`, 96 bytes: a deposit for
/// `participant`. Any other length is refused, and so the whole transfer.
///
/// Whoever calls a hook is taken for the token; only his own tokens are touched.
interface IDepositReceiver {
    /// @notice The instruction has none of the two lengths.
    error UnknownInstruction(uint256 length);
    /// @notice Only the network may ask for tokens.
    error NotTheNetwork(address network, address caller);
    /// @notice Only the token itself may say that its owner approved.
    error NotTheToken(address token, address caller);
    /// @notice Only the owner of the tokens opens a channel with them; anyone else can deposit only.
    error NotTheOwner(address owner, address operator);

    /// @notice ERC-223: the token moved `value` here.
    /// @return `0x8943ec02`
    function tokenReceived(address from, uint256 value, bytes calldata data) external returns (bytes4);

    /// @notice ERC-223 as it was first: the token moved `value` here.
    function tokenFallback(address from, uint256 value, bytes calldata data) external;

    /// @notice ERC-1363: the token moved `value` of `from` here, as `operator` asked.
    /// @return `0x88a7ca5c`
    function onTransferReceived(address operator, address from, uint256 value, bytes calldata data)
        external returns (bytes4);

    /// @notice ERC-677: the token moved `value` here.
    /// @return success true
    function onTokenTransfer(address from, uint256 value, bytes calldata data) external returns (bool success);

    /// @notice Approve-and-call: the token lets this contract spend `value` of `from`.
    /// @param token must be the caller
    function receiveApproval(address from, uint256 value, address token, bytes calldata data) external;

    /// @notice Wraps the coins that come with the call, and opens a channel of the caller with them.
    /// @param wrapped the token of the wrapped native coin, with `deposit()` as WETH9 has it
    function openWithNative(address wrapped, address partner, uint64 settleTimeout)
        external payable returns (uint64 epoch);

    /// @notice Wraps the coins that come with the call, and deposits them for `participant`.
    /// @param wrapped as in `openWithNative`
    function depositWithNative(address wrapped, address participant, address partner, uint64 epoch)
        external payable returns (uint128 newDeposit);

    /// @notice Gives tokens to the network, which measures what it gets. Only the network, while it deposits. By a plain
    /// transfer, because a token that is of ERC-223 alone knows no allowances.
    function handOver(address token, uint256 amount) external;

    /// @notice The contract that deposits go to.
    function network() external view returns (IPhotonNetwork);
}
