// What both scripts begin with: where the chain is, and the token that they deploy.

import { readFileSync } from 'node:fs'

export const url = process.env.CHAIN_URL
export const wsUrl = process.env.CHAIN_WS_URL
export const chainId = Number(process.env.CHAIN_ID)
/** True on a chain that takes legacy transactions only. */
export const legacy = process.env.CHAIN_LEGACY === 'true'

const path = new URL('../../../../contracts/artefacts/TestToken.json', import.meta.url)
export const { abi, bytecode } = JSON.parse(readFileSync(path, 'utf8'))

/** The first two accounts of the public test mnemonic. */
export const keys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
]

export const typed = {
  domain: {
    name: 'Payment', version: '1', chainId,
    verifyingContract: '0x00000000000000000000000000000000000A11cE',
  },
  types: {
    Payment: [
      { name: 'to', type: 'address' },
      { name: 'amount', type: 'uint256' },
      { name: 'memo', type: 'string' },
    ],
  },
  message: { to: '0x00000000000000000000000000000000000A11cE', amount: 5n, memo: 'tea' },
}

/** Fails when something does not come within ten seconds. */
export const soon = (what, promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`no ${what} within ten seconds`)), 10_000).unref()
    }),
  ])
