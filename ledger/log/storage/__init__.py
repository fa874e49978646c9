"""Where the log's tiles and checkpoints are kept."""
