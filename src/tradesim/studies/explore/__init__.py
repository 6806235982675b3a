"""An emulator of the model that a page in a browser can run."""
