"""Conditions under which an outcome happens."""
