"""The same networks in Keras and PyTorch themselves, held against jaxlab member by member."""
