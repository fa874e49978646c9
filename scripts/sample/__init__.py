"""Sample inputs of the demonstration, their sources named in each file."""
