"""Batch orders: every epoch of every member gets its own, and nothing is sorted for it.

A bank of uniformly random permutations is drawn once. An epoch of a member picks one of them and
a rotation, both at random: every order is exactly uniform, and its rows are one contiguous piece
of the bank's doubled row. Given the bank, members and epochs are independent of each other; that
all share one bank (512 permutations, in 512 x rows orders) is an assumption, stated in the README.
"""

import jax
import jax.numpy as jnp
from jax.extend.random import threefry_2x32

from jaxlab import keys, surroundings

BANK_SIZE = 512
MAX_BANK_ENTRIES = 2**24  # 64 MiB of 32-bit integers; fewer permutations where rows are many


@surroundings.pinned()
def bank(rows: int, number: int = 0) -> jax.Array:
    """Return permutations of `rows` rows, each written twice in a row: (permutations, 2 rows).

    Members use bank 0. Banks of other numbers are independent of it and of each other.
    """
    size = max(1, min(BANK_SIZE, MAX_BANK_ENTRIES // (2 * rows)))
    key = jax.random.fold_in(keys.stream(keys.root_key(), "bank"), number)
    draw = jax.vmap(lambda i: jax.random.permutation(jax.random.fold_in(key, i), rows))
    orders = draw(jnp.arange(size))
    return jnp.concatenate([orders, orders], axis=1).astype(jnp.int32)


def place(size: int, rows: int, key: jax.Array, epoch: jax.Array) -> jax.Array:
    """Return where in a bank of `size` permutations one member's epoch begins.

    `key` (2,) is the data of the member's key. The result is a row of the bank whose permutations,
    doubled, are laid end to end; that epoch's rows are this one and those after it.
    """
    # The two words of a Threefry hash are uniform: one picks the permutation, one the rotation.
    # They are those of jax.random.fold_in(key, epoch).
    words = threefry_2x32(key, jnp.stack([jnp.uint32(0), epoch.astype(jnp.uint32)]))
    choice = jax.lax.rem(words[0], jnp.uint32(size))
    rotation = jax.lax.rem(words[1], jnp.uint32(rows))
    return (choice * (2 * rows) + rotation).astype(jnp.int32)


def epoch_entries(doubled: jax.Array, key: jax.Array, epoch: jax.Array) -> jax.Array:
    """Return the entries of `doubled` (permutations, 2 rows, ...) for one member's epoch.

    The result (rows, ...) is the order itself for a bank of row numbers, and the rows in that
    order for a bank that holds the data.
    """
    size, twice = doubled.shape[:2]
    first = place(size, twice // 2, key, epoch)
    flat = doubled.reshape(size * twice, *doubled.shape[2:])
    return jax.lax.dynamic_slice_in_dim(flat, first, twice // 2)
