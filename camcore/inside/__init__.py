"""What a network holds inside: channels, cells, patches, concepts, the plan of its layers."""
