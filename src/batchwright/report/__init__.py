"""What a chain will do, and what its batches did, for people to read."""
