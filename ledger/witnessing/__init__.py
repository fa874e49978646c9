"""Witnesses on the wire: asking those of others to cosign our checkpoints, and being one for other logs.

endorser = Witnesses(parse_policy(text), timeout_s=1.0)     # for our own log
serve(Witness.open(folder, cosigner, logs), "127.0.0.1", 0)  # for the logs of others
"""
