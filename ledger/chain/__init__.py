"""The chain behind its ports: the embedded engine, any JSON-RPC network, the follower and the bindings."""
