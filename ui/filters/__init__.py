"""The Filters page: pictures that excite a channel or a class."""
