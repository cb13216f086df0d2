"""The Concepts page: what pictures share."""
