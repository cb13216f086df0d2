"""What a network's layers hold: channels, cells, patches, concepts, stages."""
