"""The generators that `scripts.generate` runs, one module each."""
