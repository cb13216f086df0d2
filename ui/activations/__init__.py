"""The Activations page: what each channel of a layer responds to."""
