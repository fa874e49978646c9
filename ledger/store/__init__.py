"""The durable stores behind their ports: the index and the vault of private documents."""
