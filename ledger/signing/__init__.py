"""Keys at rest and in memory: encrypted files, the signers they open, where the passphrase comes from."""
