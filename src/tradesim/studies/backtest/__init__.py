"""The reference path held against its own past and against simple benchmarks."""
