"""Use-cases: one verb each, over the ports."""
