"""Kinds of lever and shock: from settings to changes of cost, demand and supply."""
