"""The rooms: each is a function from messages to messages, and none imports another."""
