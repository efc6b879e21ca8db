// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title The hooks of receivers that the tokens of this file call.
interface IReceiverHooks {
    function tokenReceived(address from, uint256 value, bytes calldata data) external returns (bytes4);
    function tokenFallback(address from, uint256 value, bytes calldata data) external;
    function onTransferReceived(address operator, address from, uint256 value, bytes calldata data)
        external returns (bytes4);
    function onTokenTransfer(address from, uint256 value, bytes calldata data) external returns (bool);
    function receiveApproval(address from, uint256 value, address token, bytes calldata data) external;
}

/// @title Asks every receiver with code at each transfer, and knows no allowances. Source: ERC-223.
contract Erc223Token {
    event Transfer(address indexed from, address indexed to, uint256 amount, bytes data);

    error InsufficientBalance(address owner, uint256 balance, uint256 needed);
    error NotReceived(address to, bytes4 answer);

    string public constant name = "Erc223";
    string public constant symbol = "E223";
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    mapping(address owner => uint256) public balanceOf;

    /// @notice Makes tokens, for anyone.
    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount, "");
    }

    function standard() external pure returns (string memory) {
        return "223";
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return send(to, amount, "");
    }

    function transfer(address to, uint256 amount, bytes calldata data) external returns (bool) {
        return send(to, amount, data);
    }

    function send(address to, uint256 amount, bytes memory data) private returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < amount) revert InsufficientBalance(msg.sender, balance, amount);
        balanceOf[msg.sender] = balance - amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount, data);
        if (to.code.length != 0) {
            bytes4 answer = IReceiverHooks(to).tokenReceived(msg.sender, amount, data);
            if (answer != IReceiverHooks.tokenReceived.selector) revert NotReceived(to, answer);
        }
        return true;
    }
}

/// @title Tells a receiver with code of each transfer with data, as ERC-223 was first; an ordinary token beside that.
contract FallbackToken is TestToken("Fallback", "FALL", 18) {
    function transfer(address to, uint256 amount, bytes calldata data) external returns (bool) {
        move(msg.sender, to, amount);
        if (to.code.length != 0) IReceiverHooks(to).tokenFallback(msg.sender, amount, data);
        return true;
    }
}

/// @title Approves a spender and calls it, in one.
contract ApproveAndCallToken is TestToken("ApproveAndCall", "AAC", 18) {
    function approveAndCall(address spender, uint256 amount, bytes calldata data) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        IReceiverHooks(spender).receiveApproval(msg.sender, amount, address(this), data);
        return true;
    }
}

/// @title Transfers, also by allowance, and calls the receiver. Source: ERC-1363.
contract Erc1363Token is TestToken("Erc1363", "E1363", 18) {
    function transferAndCall(address to, uint256 amount, bytes calldata data) external returns (bool) {
        move(msg.sender, to, amount);
        tell(msg.sender, to, amount, data);
        return true;
    }

    function transferFromAndCall(address from, address to, uint256 amount, bytes calldata data) external returns (bool) {
        spend(from, amount);
        move(from, to, amount);
        tell(from, to, amount, data);
        return true;
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0xb0202a11 || id == 0x01ffc9a7;
    }

    function tell(address from, address to, uint256 amount, bytes calldata data) private {
        bytes4 answer = IReceiverHooks(to).onTransferReceived(msg.sender, from, amount, data);
        require(answer == IReceiverHooks.onTransferReceived.selector, "not received");
    }
}

/// @title Transfers and calls the receiver. Source: ERC-677. Told to, it keeps a tenth of each such transfer.
contract Erc677Token is TestToken("Erc677", "E677", 18) {
    bool public greedy;

    function setGreedy(bool greedy_) external {
        greedy = greedy_;
    }

    function transferAndCall(address to, uint256 amount, bytes calldata data) external returns (bool) {
        uint256 fee = greedy ? amount / 10 : 0;
        move(msg.sender, address(this), fee);
        move(msg.sender, to, amount - fee);
        if (to.code.length != 0) require(IReceiverHooks(to).onTokenTransfer(msg.sender, amount, data), "not received");
        return true;
    }
}
