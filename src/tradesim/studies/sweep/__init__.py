"""Many assumptions at once: design, execution in chunks, indices."""
