"""Witnesses on the wire: asking those of others to cosign our checkpoints, and being one for other logs.

endorser = Witnesses(parse_policy(text), timeout_s=1.0)     # for our own log
serve(Witness(WitnessState.open(folder), cosigner, logs), listener)  # for the logs of others
"""
