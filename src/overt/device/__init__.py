"""The desktop agent: a program that a person starts, sees and controls on their own computer."""
