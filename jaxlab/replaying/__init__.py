"""One network of a sweep again, step by step: what it did, why, and a picture of it."""
