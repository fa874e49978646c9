"""``make demo``: the whole path on sample records, told as a short story with times.

    python -m scripts.demo             # stays up until Ctrl-C
    CI=true python -m scripts.demo     # exits after the last step, 1 if any failed

Everything is done with the ``quanze`` command against a running ``quanze up``. The home and the files that are
made lie in ``build/demo``; a second run starts from what the first left.
"""
