"""What policy changes: the economics as pure functions of arrays."""
