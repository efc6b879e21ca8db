// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title Returns nothing from transfers and approvals, as some old tokens do. Asks for no allowance.
contract SilentToken {
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title Says false instead of reverting, once told to.
contract DenyingToken is TestToken("Denying", "NO", 18) {
    bool public denying;

    function deny(bool on) external {
        denying = on;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (denying) return false;
        move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        if (denying) return false;
        spend(from, amount);
        move(from, to, amount);
        return true;
    }
}

/// @title Keeps a tenth of each transfer.
contract FeeToken is TestToken("Fee", "FEE", 18) {
    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        spend(from, amount);
        move(from, address(this), amount / 10);
        move(from, to, amount - amount / 10);
        return true;
    }
}

/// @title Refuses transfers to the addresses on its list.
contract BlockingToken is TestToken("Blocking", "BLK", 18) {
    mapping(address owner => bool) public blocked;

    function setBlocked(address owner, bool on) external {
        blocked[owner] = on;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        require(!blocked[to], "blocked");
        move(msg.sender, to, amount);
        return true;
    }
}

/// @title Burns all gas, or answers endlessly, when it pays the address it was told.
contract GreedyToken is TestToken("Greedy", "GRD", 18) {
    address public victim;
    bool public babbling;

    function setVictim(address victim_, bool babbling_) external {
        victim = victim_;
        babbling = babbling_;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (to == victim) {
            if (babbling) assembly ("memory-safe") { return(0, 200000) }
            while (true) {}
        }
        move(msg.sender, to, amount);
        return true;
    }
}

/// @title Calls the holder before it moves his tokens, and the receiver after, where they asked for it.
contract HookToken is TestToken("Hook", "HOOK", 18) {
    mapping(address owner => address) public hookOf;

    function setHook(address hook) external {
        hookOf[msg.sender] = hook;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        move(msg.sender, to, amount);
        if (hookOf[to] != address(0)) IHook(hookOf[to]).onTokens();
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        if (hookOf[from] != address(0)) IHook(hookOf[from]).onTokens();
        spend(from, amount);
        move(from, to, amount);
        return true;
    }
}

/// @title Who wants to be called by a `HookToken`.
interface IHook {
    function onTokens() external;
}

/// @title One token of it is more than a channel can hold of one participant.
contract HugeToken is TestToken("Huge", "HUGE", 30) {}
