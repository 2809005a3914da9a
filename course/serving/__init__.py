"""The inference service as its users have it: a process and an address (Lecture 10, *Services: the contract first*)."""
