"""Scans of buckets of 64-bit keys, sixteen keys at a time.

All kernels stand in one file, since kept machine code is made anew only when the file of the called kernel changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 16
"""Keys compared at once. A table's keys are followed by as many that belong to no bucket."""
SLOT_BITS = 32
FIRST_ROOM = 1024
"""Pairs there is room for before the first enlargement."""
GROUPS_A_TILE = 128
"""Groups of keys that stay in the innermost cache while many queries are compared with them."""


class Table(NamedTuple):
    """All keys of a segment, ordered by a part of their bits: the address.

    Parameters
    ----------
    keys
        ``uint64``, shape (n + LANES,).
    slots
        The place of each key in the segment's first table, ``uint32``, shape (n,); empty for the first table itself.
    starts
        Where the bucket of each address begins, ``uint32``, shape (2 ** address bits + 1,).
    shift
        Bits below the address.
    """

    keys: NDArray[np.uint64]
    slots: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    shift: np.uint64


class Rule(NamedTuple):
    """What to look into, and which of the pairs found there to report.

    Parameters
    ----------
    flips
        Differences between a query's address and those of the buckets to look into, ``uint64``; the first is 0.
    radius_bits
        Largest distance of a pair.
    chunks
        Masks of the bits that each table up to this one stands for, ``uint64``, shape (tables,); this one's is last.
    radii_bits
        Within how many differing bits of its chunk each table finds a pair, ``int64``; -1 where it is left out.
    """

    flips: NDArray[np.uint64]
    radius_bits: np.uint64
    chunks: NDArray[np.uint64]
    radii_bits: NDArray[np.int64]


def _near_lanes(_: Any, keys: types.Array, at: types.Integer, query: types.Integer, radius: types.Integer) -> Any:
    """Compare sixteen keys with a query; bit i of the result tells whether key ``at + i`` is within the radius."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        lanes = ir.VectorType(ir.IntType(64), LANES)

        def everywhere(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            return builder.shuffle_vector(one, ir.Constant(lanes, ir.Undefined), places)

        first = builder.bitcast(builder.gep(array.data, [arguments[1]]), lanes.as_pointer())
        differing = builder.xor(builder.load(first, align=8), everywhere(arguments[2]))
        count = builder.module.declare_intrinsic(f"llvm.ctpop.v{LANES}i64", (), ir.FunctionType(lanes, [lanes]))
        is_near = builder.icmp_unsigned("<=", builder.call(count, [differing]), everywhere(arguments[3]))
        return builder.zext(builder.bitcast(is_near, ir.IntType(LANES)), ir.IntType(64))

    return types.uint64(keys, types.int64, types.uint64, types.uint64), generate


near_lanes: Any = intrinsic(_near_lanes)


def _fetch(_: Any, keys: types.Array, at: types.Integer) -> Any:
    """Have the processor read keys ahead of their use, so that the ways to the memory overlap."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        read = builder.module.declare_intrinsic(
            "llvm.prefetch", (pointer,), ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        )
        first = builder.bitcast(builder.gep(array.data, [arguments[1]]), pointer)
        builder.call(read, [first, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(keys, types.int64), generate


fetch: Any = intrinsic(_fetch)


@compiled
def count_bits(bits: np.uint64) -> int:
    """Return how many bits are set; few are."""
    count = 0
    while bits:
        bits &= bits - np.uint64(1)
        count += 1
    return count


@compiled
def is_first(differing: np.uint64, chunks: NDArray[np.uint64], radii_bits: NDArray[np.int64]) -> bool:
    """Tell whether a pair belongs to the last of the tables: no earlier one finds it."""
    last = chunks.size - 1
    for table in range(last):
        if count_bits(differing & chunks[table]) <= radii_bits[table]:
            return False
    return bool(count_bits(differing & chunks[last]) <= radii_bits[last])


@compiled
def with_room(pairs: NDArray[np.uint64], n_pairs: int, more: int) -> NDArray[np.uint64]:
    """Return the array, or a larger copy of what is in it if it cannot take some more."""
    if n_pairs + more <= pairs.size:
        return pairs
    larger = np.empty(2 * (n_pairs + more), np.uint64)
    larger[:n_pairs] = pairs[:n_pairs]
    return larger


@compiled
def scan(
    query: np.uint64,
    keys: NDArray[np.uint64],
    radius_bits: np.uint64,
    buckets: NDArray[np.int64],
    near: NDArray[np.int64],
) -> int:
    """Note which groups of keys hold near ones, without a branch that depends on it, and return how many do.

    Parameters
    ----------
    query, keys, radius_bits
        What is compared.
    buckets
        Begin and end of each bucket, shape (buckets, 2).
    near
        Filled with begin of the group and end of its bucket, shape (room for all groups and one, 2).
    """
    n_near = np.uint64(0)
    for j in range(len(buckets)):
        at, end = buckets[j]
        while True:
            near[n_near, 0] = at
            near[n_near, 1] = end
            n_near += np.uint64(near_lanes(keys, at, query, radius_bits) != 0)
            at += LANES
            if at >= end:
                break
    return int(n_near)


@compiled
def report(
    name: np.uint64, query: np.uint64, near: NDArray[np.int64], table: Table, rule: Rule, pairs: NDArray[np.uint64]
) -> int:
    """Write the pairs that groups of keys hold, and return how many there are."""
    n_pairs = 0
    for at, end in near:
        for place in range(at, min(at + LANES, end)):
            differing = query ^ table.keys[place]
            if count_bits(differing) <= rule.radius_bits and is_first(differing, rule.chunks, rule.radii_bits):
                slot = np.uint64(table.slots[place] if table.slots.size else place)
                pairs[n_pairs] = name << np.uint64(SLOT_BITS) | slot
                n_pairs += 1
    return n_pairs


@compiled
def groups(buckets: NDArray[np.int64]) -> int:
    """Return how many groups of keys some buckets have, and one."""
    n_groups = 1
    for begin, end in buckets:
        n_groups += max(1, (end - begin + LANES - 1) // LANES)
    return n_groups


@compiled
def probe(queries: NDArray[np.uint64], names: NDArray[np.uint64], table: Table, rule: Rule) -> NDArray[np.uint64]:
    """Look queries up in one table.

    Parameters
    ----------
    queries
        Shape (n,); fastest in the order of their addresses.
    names
        What to call each query, ``uint64`` below 2³², shape (n,).
    table, rule
        Where to look, and for what.

    Returns
    -------
    numpy.ndarray
        A pair each: the query's name in the upper half, the slot of the key in the lower one.
    """
    last_address = np.uint64(table.starts.size - 2)
    buckets = np.empty((rule.flips.size, 2), np.int64)
    near = np.empty((FIRST_ROOM, 2), np.int64)
    pairs = np.empty(FIRST_ROOM, np.uint64)
    n_pairs = 0
    for i in range(queries.size):
        address = (queries[i] >> table.shift) & last_address
        for j in range(rule.flips.size):
            bucket = address ^ rule.flips[j]
            buckets[j, 0] = table.starts[bucket]
            buckets[j, 1] = table.starts[bucket + np.uint64(1)]
            fetch(table.keys, buckets[j, 0])
        n_groups = groups(buckets)
        if n_groups > len(near):
            near = np.empty((2 * n_groups, 2), np.int64)
        n_near = scan(queries[i], table.keys, rule.radius_bits, buckets, near)
        if n_near:
            pairs = with_room(pairs, n_pairs, n_near * LANES)
            n_pairs += report(names[i], queries[i], near[:n_near], table, rule, pairs[n_pairs:])
    return pairs[:n_pairs]


@compiled
def join(table: Table, rule: Rule, first: int, last: int) -> NDArray[np.uint64]:
    """Compare the keys of some buckets with those behind them in their bucket and those of later buckets.

    Parameters
    ----------
    table, rule
        Where to look, and for what.
    first, last
        The buckets, ``last`` not included.

    Returns
    -------
    numpy.ndarray
        A pair of slots each, one in the upper half, the other in the lower one.
    """
    buckets = np.empty((rule.flips.size, 2), np.int64)
    near = np.empty((FIRST_ROOM, 2), np.int64)
    pairs = np.empty(FIRST_ROOM, np.uint64)
    n_pairs = 0
    for own in range(first, last):
        begin, end = np.int64(table.starts[own]), np.int64(table.starts[own + 1])
        if begin == end:
            continue
        buckets[0, 0] = begin
        buckets[0, 1] = end
        n_buckets = 1
        for j in range(1, rule.flips.size):
            other = np.uint64(own) ^ rule.flips[j]
            buckets[n_buckets, 0] = table.starts[other]
            buckets[n_buckets, 1] = table.starts[other + np.uint64(1)]
            n_buckets += int(other > np.uint64(own))
        n_groups = groups(buckets[:n_buckets])
        if n_groups > len(near):
            near = np.empty((2 * n_groups, 2), np.int64)
        for place in range(begin, end):
            key = table.keys[place]
            buckets[0, 0] = place + 1
            n_near = scan(key, table.keys, rule.radius_bits, buckets[:n_buckets], near)
            if n_near:
                pairs = with_room(pairs, n_pairs, n_near * LANES)
                name = np.uint64(table.slots[place] if table.slots.size else place)
                n_pairs += report(name, key, near[:n_near], table, rule, pairs[n_pairs:])
    return pairs[:n_pairs]


@compiled
def compare(queries: NDArray[np.uint64], keys: NDArray[np.uint64], radius_bits: np.uint64) -> NDArray[np.uint64]:
    """Compare a few keys with each other: each query's number in the upper half, the place of a near key in the lower.

    Parameters
    ----------
    queries
        Shape (n,).
    keys
        Shape (m + LANES,), the last ones any.
    radius_bits
        Largest distance of a pair.
    """
    pairs = np.empty(FIRST_ROOM, np.uint64)
    n_pairs = 0
    n_keys = keys.size - LANES
    for i in range(queries.size):
        for first in range(0, n_keys, LANES):
            near = near_lanes(keys, first, queries[i], radius_bits)
            if near:
                pairs = with_room(pairs, n_pairs, LANES)
            for lane in range(min(LANES, n_keys - first) if near else 0):
                if near >> np.uint64(lane) & np.uint64(1):
                    pairs[n_pairs] = np.uint64(i) << np.uint64(SLOT_BITS) | np.uint64(first + lane)
                    n_pairs += 1
    return pairs[:n_pairs]


@compiled
def compare_all(queries: NDArray[np.uint64], names: NDArray[np.uint64], table: Table, rule: Rule) -> NDArray[np.uint64]:
    """Compare all queries with all keys; arguments and result are those of `probe`, the rule's flips play no part."""
    near = np.empty((GROUPS_A_TILE + 1, 2), np.int64)
    pairs = np.empty(FIRST_ROOM, np.uint64)
    n_pairs = 0
    n_keys = table.keys.size - LANES
    tile = np.empty((1, 2), np.int64)
    for first in range(0, n_keys, GROUPS_A_TILE * LANES):
        tile[0] = first, min(first + GROUPS_A_TILE * LANES, n_keys)
        for i in range(queries.size):
            n_near = scan(queries[i], table.keys, rule.radius_bits, tile, near)
            if n_near:
                pairs = with_room(pairs, n_pairs, n_near * LANES)
                n_pairs += report(names[i], queries[i], near[:n_near], table, rule, pairs[n_pairs:])
    return pairs[:n_pairs]
