"""The explorer: one page that holds the emulator and computes in the reader's browser."""
