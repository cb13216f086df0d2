"""From a request to its maps: checked, planned, answered, drawn."""
