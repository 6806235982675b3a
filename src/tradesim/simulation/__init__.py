"""One run: draws, the model, results on disk, summary, provenance."""
