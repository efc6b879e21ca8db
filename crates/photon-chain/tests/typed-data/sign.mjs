// What viem says to typed data: reads a list of { typedData, privateKey, signature } from standard
// input and tells for each the digest, its own signature, and who made the given one.
import { readFileSync } from "node:fs";
import { hashTypedData, recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const answers = [];
for (const { typedData, privateKey, signature } of JSON.parse(readFileSync(0, "utf8"))) {
  answers.push({
    digest: hashTypedData(typedData),
    signature: await privateKeyToAccount(privateKey).signTypedData(typedData),
    signer: await recoverTypedDataAddress({ ...typedData, signature }),
  });
}
console.log(JSON.stringify(answers));
