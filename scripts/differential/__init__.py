"""The same question put to three verifiers of RFC 6962 proofs: our Python, our Solidity, and Go's of others."""
