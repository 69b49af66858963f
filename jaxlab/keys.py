"""From a seed to random keys: the only place that decides which randomness a member gets.

Keys are made by folding numbers in, never by splitting, so that a member's randomness does not
depend on how many members there are or in which order they run.
"""

import zlib

import jax
import jax.numpy as jnp

MAX_SEED = 2**32 - 1
MOST_SEEDS = 10**8  # at once: their list alone takes 800 MB
IMPLEMENTATION = "threefry2x32"  # fixed by name: other generators depend on the batch


STREAMS = ("weights", "data", "order")  # what a member's randomness is used for


def _name_number(name: str) -> int:
    return zlib.crc32(name.encode())


def root_key() -> jax.Array:
    """Return the key that all others descend from: that of the seed 0."""
    # From its words, since jax.random.key adds the environment's JAX_RANDOM_SEED_OFFSET.
    return jax.random.wrap_key_data(jnp.zeros(2, jnp.uint32), impl=IMPLEMENTATION)


def setting_key(setting: str, *, paired: bool = False) -> jax.Array:
    """Return the key of one setting; a paired sweep shares one key among its settings."""
    return root_key() if paired else jax.random.fold_in(root_key(), _name_number(setting))


def member_key(key: jax.Array, seed: jax.Array | int) -> jax.Array:
    """Return a member's key from its setting's key and its seed, 0 <= seed < 2**32."""
    return jax.random.fold_in(key, seed)


def stream(key: jax.Array, name: str) -> jax.Array:
    """Return a key for one use; a member's are the `STREAMS`."""
    return jax.random.fold_in(key, _name_number(name))
