"""Files of trade statistics that analysts have, read into the composition of the pair's trade."""
