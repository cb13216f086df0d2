"""Figures that say how good a map is: faithfulness, sanity, localisation, agreement, cost."""
