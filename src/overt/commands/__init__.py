"""What the verbs of the command line do, one file a group; imported only when a verb is used."""
