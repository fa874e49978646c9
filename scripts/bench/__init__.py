"""Every figure that the project states, measured by a module of its own; ``python -m scripts.bench`` runs them all."""
