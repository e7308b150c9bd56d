"""The transparency log: what happened, provable later, without saying to whom.

```
signer      writes   signs checkpoints and documents (Ed25519)
journal     writes   appends entries, durable before they are acknowledged
bundle      writes   one JSON file that an outsider can verify offline
merkle      reads    RFC 6962 tree: roots, inclusion and consistency proofs
checkpoint  reads    C2SP tlog-checkpoint in a signed note
document    reads    signed JSON documents: receipts and certificates
entry       reads    what a log entry is
opening     reads    salted commitments: what a person can open and nobody else
verify      reads    the verifier; imports only the reading half
```
"""
