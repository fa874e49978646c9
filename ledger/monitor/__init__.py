"""A standing checker of a log and its anchors, for anyone who holds nothing but a verifier key.

``tree`` and ``evidence`` are pure; ``state`` is what the monitor never forgets; ``watching`` checks one checkpoint
and ``anchoring`` one anchor; ``monitor`` puts them together into a round. See docs/monitor.md.
"""
