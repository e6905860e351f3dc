"""The checks of samplers, a file for each kind of claim."""
