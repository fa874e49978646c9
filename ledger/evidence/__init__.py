"""Evidence files and the steps that verify them; pure."""
