"""The path without new policy: state space, likelihood, calibration, projection."""
