"""The `quanze` command: thin functions over the use-cases."""
