// viem, as one writes it against any Ethereum node.

import assert from 'node:assert/strict'
import {
  BaseError, ContractFunctionRevertedError, createPublicClient, createTestClient,
  createWalletClient, defineChain, getAddress, http, parseEther, recoverTypedDataAddress,
  verifyTypedData, webSocket,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { abi, bytecode, chainId, keys, legacy, soon, typed, url, wsUrl } from './common.mjs'

const chain = defineChain({
  id: chainId, name: 'development',
  nativeCurrency: { name: 'Coin', symbol: 'COIN', decimals: 18 },
  rpcUrls: { default: { http: [url], webSocket: [wsUrl] } },
})
const [owner, friend] = keys.map((key) => privateKeyToAccount(key))
const options = { chain, pollingInterval: 50, cacheTime: 0 }
const client = createPublicClient({ ...options, transport: http(url, { batch: true }) })
const socket = createPublicClient({ ...options, transport: webSocket(wsUrl) })
const wallet = createWalletClient({ ...options, account: owner, transport: http(url) })
const test = createTestClient({ ...options, mode: 'anvil', transport: http(url) })

// Where the chain is.
assert.equal(await client.getChainId(), chainId)
assert.equal(await client.getBalance({ address: owner.address }), parseEther('10000'))
const accounts = await createWalletClient({ ...options, transport: http(url) }).getAddresses()
assert.ok(accounts.includes(owner.address))

// Deploy.
const deployed = await wallet.deployContract({ abi, bytecode, args: ['Tea', 'TEA', 18] })
const { contractAddress: token, status } = await client.waitForTransactionReceipt({ hash: deployed })
assert.equal(status, 'success')
assert.ok((await client.getCode({ address: token })).length > 2)
const contract = { address: token, abi }

// Call, several at once: they go as one batch.
const read = (functionName, ...args) => client.readContract({ ...contract, functionName, args })
assert.deepEqual(
  await Promise.all([read('name'), read('symbol'), read('decimals')]), ['Tea', 'TEA', 18])

// Subscribe over a WebSocket before anything happens.
const heads = []
const logs = []
const unwatch = []
const headsCame = new Promise((done) => {
  unwatch.push(socket.watchBlocks({
    onBlock: (block) => { heads.push(block); if (heads.length === 3) done() },
  }))
})
const logsCame = new Promise((done) => {
  unwatch.push(socket.watchContractEvent({
    ...contract, eventName: 'Transfer',
    onLogs: (found) => { logs.push(...found); if (logs.length >= 3) done() },
  }))
})
// Both have been answered once a later request on the same socket is.
await new Promise((done) => setTimeout(done, 200))
await socket.getBlockNumber()

// Send: with the fees of the chain's kind, and a legacy transaction on every chain.
const { request } = await client.simulateContract({
  ...contract, account: owner, functionName: 'mint', args: [owner.address, 1_000n],
})
const minted = await client.waitForTransactionReceipt({ hash: await wallet.writeContract(request) })
assert.equal(minted.type, legacy ? 'legacy' : 'eip1559')
const gas = await client.estimateContractGas({
  ...contract, account: owner, functionName: 'transfer', args: [friend.address, 10n],
})
assert.ok(gas > 21_000n && gas < 100_000n)
const old = await wallet.writeContract({
  ...contract, functionName: 'transfer', args: [friend.address, 10n],
  gas, gasPrice: await client.getGasPrice(), type: 'legacy',
})
const paid = await client.waitForTransactionReceipt({ hash: old })
assert.deepEqual([paid.status, paid.type], ['success', 'legacy'])
assert.equal(await read('balanceOf', friend.address), 10n)
const coins = { to: '0x00000000000000000000000000000000000A11cE', value: 7n }
if (legacy) {
  await assert.rejects(
    wallet.sendTransaction({ ...coins, type: 'eip1559', maxFeePerGas: 9n ** 10n, maxPriorityFeePerGas: 1n }),
    /transaction type not supported/)
} else {
  const fees = await client.estimateFeesPerGas()
  assert.ok(fees.maxFeePerGas > fees.maxPriorityFeePerGas)
  const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [25, 75] })
  assert.equal(history.baseFeePerGas.length, 3)
}
const hash = await wallet.sendTransaction(coins)
assert.equal((await client.waitForTransactionReceipt({ hash })).gasUsed, 21_000n)
const third = await wallet.writeContract({
  ...contract, functionName: 'transfer', args: [friend.address, 1n],
})
await client.waitForTransactionReceipt({ hash: third })

// Filter.
const transfers = { ...contract, eventName: 'Transfer', fromBlock: 0n }
const all = await client.getContractEvents(transfers)
assert.deepEqual(all.map(({ args }) => args.amount), [1_000n, 10n, 1n])
const some = await client.getContractEvents({ ...transfers, args: { to: friend.address } })
assert.equal(some.length, 2)
const ofBlock = await client.getLogs({ address: token, blockHash: paid.blockHash })
assert.deepEqual(ofBlock.map((log) => log.transactionHash), [old])
const filter = await client.createContractEventFilter({ ...contract, eventName: 'Transfer' })
await client.waitForTransactionReceipt({
  hash: await wallet.writeContract({ ...contract, functionName: 'transfer', args: [friend.address, 2n] }),
})
assert.equal((await client.getFilterChanges({ filter })).length, 1)
assert.equal((await client.getFilterChanges({ filter })).length, 0)
assert.ok(await client.uninstallFilter({ filter }))

// What was subscribed to has come.
await soon('heads', headsCame)
await soon('logs', logsCame)
assert.deepEqual(logs.slice(0, 3).map(({ args }) => args.amount), [1_000n, 10n, 1n])
assert.ok(heads.every(({ hash }) => /^0x[0-9a-f]{64}$/.test(hash)))
unwatch.forEach((stop) => stop())

// Reverts, decoded, from a call, an estimate, and a transaction that was mined all the same.
const tooMuch = { ...contract, account: friend, functionName: 'transfer', args: [owner.address, 99n] }
for (const attempt of [client.simulateContract, client.estimateContractGas]) {
  const failure = await attempt(tooMuch).then(() => assert.fail('no revert'), (error) => error)
  const revert = failure.walk((error) => error instanceof ContractFunctionRevertedError)
  assert.equal(revert.data.errorName, 'InsufficientBalance')
  assert.deepEqual(revert.data.args, [friend.address, 13n, 99n])
}
const reverted = await wallet.writeContract({ ...tooMuch, account: friend, gas: 100_000n })
assert.equal((await client.waitForTransactionReceipt({ hash: reverted })).status, 'reverted')
const poor = await wallet.sendTransaction({ ...coins, value: parseEther('20000') }).catch((error) => error)
assert.ok(poor instanceof BaseError)
assert.match(poor.details, /insufficient funds for gas \* price \+ value/)
assert.ok(poor.walk((error) => error.name === 'InsufficientFundsError'))
const stale = await wallet.sendTransaction({ ...coins, nonce: 0, gas: 21_000n }).catch((error) => error)
assert.ok(stale.walk((error) => error.name === 'NonceTooLowError'), stale.message)

// Overrides of state and block, access lists, proofs.
const overridden = await client.readContract({
  ...contract, functionName: 'balanceOf', args: [owner.address],
  stateOverride: [{ address: token, stateDiff: [] }],
})
assert.equal(overridden, 987n)
if (!legacy) {
  const { accessList: [item] } = await client.createAccessList({
    account: owner, to: token,
    data: '0x70a08231' + owner.address.slice(2).toLowerCase().padStart(64, '0'),
  })
  assert.equal(getAddress(item.address), getAddress(token))
  assert.equal(item.storageKeys.length, 1)
  const proof = await client.getProof({ address: token, storageKeys: item.storageKeys })
  assert.equal(proof.storageProof[0].value, 987n)
}

// Typed data, signed here and by the node.
const payment = { ...typed, primaryType: 'Payment' }
const mine = await wallet.signTypedData(payment)
assert.ok(await verifyTypedData({ ...payment, address: owner.address, signature: mine }))
const ofNode = await createWalletClient({ ...options, account: owner.address, transport: http(url) })
  .signTypedData(payment)
assert.equal(ofNode, mine)
assert.equal(await recoverTypedDataAddress({ ...payment, signature: ofNode }), owner.address)

// What only a development chain does.
const snapshot = await test.snapshot()
await test.setBalance({ address: coins.to, value: 1n })
assert.equal(await client.getBalance({ address: coins.to }), 1n)
await test.revert({ id: snapshot })
assert.equal(await client.getBalance({ address: coins.to }), 7n)
const before = await client.getBlock()
await test.increaseTime({ seconds: 1_000 })
await test.mine({ blocks: 2, interval: 10 })
const after = await client.getBlock()
assert.equal(after.number, before.number + 2n)
assert.ok(after.timestamp >= before.timestamp + 900n)
await test.impersonateAccount({ address: token })
await test.setBalance({ address: token, value: parseEther('1') })
const asContract = await createWalletClient({ ...options, account: token, transport: http(url) })
  .sendTransaction({ ...coins, ...(legacy ? { type: 'legacy' } : {}) })
const sent = await client.waitForTransactionReceipt({ hash: asContract })
assert.equal(getAddress(sent.from), getAddress(token))
await test.stopImpersonatingAccount({ address: token })
const dump = await test.dumpState()
await test.mine({ blocks: 1 })
await test.loadState({ state: dump })
assert.equal(await client.getBlockNumber(), sent.blockNumber)

console.log('viem is content')
process.exit(0)
