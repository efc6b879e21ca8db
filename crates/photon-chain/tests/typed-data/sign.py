"""What eth-account says to typed data: reads a list of { typedData, privateKey, signature } from
standard input and tells for each the digest, its own signature, and who made the given one."""

import json
import sys

from eth_account import Account
from eth_account.messages import encode_typed_data

answers = []
for case in json.load(sys.stdin):
    message = encode_typed_data(full_message=case["typedData"])
    signed = Account.sign_message(message, case["privateKey"])
    answers.append(
        {
            "digest": "0x" + bytes(signed.message_hash).hex(),
            "signature": "0x" + bytes(signed.signature).hex(),
            "signer": Account.recover_message(message, signature=case["signature"]),
        }
    )
print(json.dumps(answers))
