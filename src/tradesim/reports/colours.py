"""Colours of the cases, in figures and in charts of a workbook."""

REFERENCE, SCENARIO, IMPLEMENTED = "#4d4d4d", "#0072B2", "#C04F00"
