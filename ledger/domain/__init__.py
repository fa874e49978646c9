"""The rules, pure: no input or output, no clock, no settings, and nothing else of ours."""
