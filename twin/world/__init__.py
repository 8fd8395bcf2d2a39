"""The running site: calendar, roster, pairing, and the conductor that drives the engines."""
