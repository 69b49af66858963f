"""How fast jaxlab is, against other ways to train the same networks and against the machine."""
