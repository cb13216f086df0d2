"""The features of a network's layers: channels, cells, patches, concepts, stages."""
