"""Building the contracts with two drivers of one compiler, and keeping what they agree on."""
