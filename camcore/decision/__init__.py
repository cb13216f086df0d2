"""May a network be used: an answer from what evaluation, audit, review, gate and training left; nothing is measured."""
