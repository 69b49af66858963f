"""Elementary functions and the Threefry hash on vectors of members.

The functions are computed in double precision and rounded once, so that their results are within
about half a unit in the last place; the tests hold them against numpy's.
"""

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from jaxlab.native.lanes import DOUBLE, FLOAT, INT, Value, splat, vector

CONTRACT = ("contract",)  # a product and a sum may be fused; nothing else may be rearranged
LONG = ir.IntType(64)
TERMS = 9  # of the series; the first left out is below 1e-9, a hundredth of a float's last place


def call(builder: Any, name: str, *operands: Value) -> Value:
    """Call an intrinsic whose operands and result have one type."""
    kind = operands[0].type
    suffix = {FLOAT: "f32", DOUBLE: "f64"}[kind.element]
    full = f"llvm.{name}.v{kind.count}{suffix}"
    known = builder.module.globals.get(full)
    signature = ir.FunctionType(kind, [kind] * len(operands))
    return builder.call(known or ir.Function(builder.module, signature, full), operands)


def in_double(builder: Any, function: Callable, *operands: Value) -> Value:
    """Apply a function of doubles to floats and round its result."""
    wide = [builder.fpext(operand, vector(DOUBLE)) for operand in operands]
    return builder.fptrunc(function(_Doubles(builder), *wide), vector(FLOAT))


class _Doubles:
    """Arithmetic on vectors of doubles and plain numbers."""

    def __init__(self, builder: Any):
        self.builder = builder

    def _of(self, value) -> Value:
        return value if isinstance(value, ir.Value) else splat(value, DOUBLE)

    def add(self, a, b):
        return self.builder.fadd(self._of(a), self._of(b), flags=CONTRACT)

    def sub(self, a, b):
        return self.builder.fsub(self._of(a), self._of(b), flags=CONTRACT)

    def mul(self, a, b):
        return self.builder.fmul(self._of(a), self._of(b), flags=CONTRACT)

    def div(self, a, b):
        return self.builder.fdiv(self._of(a), self._of(b))

    def where(self, a, sign: str, b, yes, no):
        """Return `yes` where a compares true with b, else (and for NaN) `no`."""
        chosen = self.builder.fcmp_ordered(sign, self._of(a), self._of(b))
        return self.builder.select(chosen, self._of(yes), self._of(no))

    def series(self, x, coefficients):
        """Return the polynomial with these coefficients, the constant one first."""
        total = self._of(coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            total = self.add(self.mul(total, x), coefficient)
        return total

    def scale(self, x, exponent):
        """Return x 2^exponent for a whole exponent between -1022 and 1023."""
        builder = self.builder
        bits = builder.fptosi(exponent, vector(LONG))
        power = builder.shl(builder.add(bits, splat(1023, LONG)), splat(52, LONG))
        return self.mul(x, builder.bitcast(power, vector(DOUBLE)))

    def split(self, x):
        """Return mantissa in [1, 2) and exponent of a positive normal x."""
        builder = self.builder
        bits = builder.bitcast(x, vector(LONG))
        exponent = builder.sub(builder.lshr(bits, splat(52, LONG)), splat(1023, LONG))
        fraction = builder.and_(bits, splat(2**52 - 1, LONG))
        mantissa = builder.or_(fraction, splat(1023 << 52, LONG))
        numbers = builder.sitofp(builder.trunc(exponent, vector(INT)), vector(DOUBLE))
        return builder.bitcast(mantissa, vector(DOUBLE)), numbers


def exp(d: _Doubles, x):
    """e^x: 2^n times the series of what is left. Exponents are held to where floats end."""
    bounded = d.where(x, ">", 200.0, 200.0, d.where(x, "<", -200.0, -200.0, x))  # NaN stays
    whole = call(d.builder, "rint", d.mul(bounded, 1 / math.log(2)))
    rest = d.sub(bounded, d.mul(whole, math.log(2)))
    grown = d.series(rest, [1 / math.factorial(i) for i in range(TERMS)])
    valid = d.where(x, "==", x, whole, 0.0)  # NaN has no whole part
    return d.scale(grown, valid)


def expm1(d: _Doubles, x):
    """e^x - 1, without the loss of digits near 0."""
    near = d.mul(x, d.add(d.mul(x, 0.5), 1.0))
    return d.where(call(d.builder, "fabs", x), "<", 1e-5, near, d.sub(exp(d, x), 1.0))


def log(d: _Doubles, x):
    """Natural logarithm: exponent and mantissa apart; the mantissa's by the series of artanh."""
    mantissa, exponent = d.split(d.where(x, ">", 0.0, x, 1.0))
    high = d.where(mantissa, ">", math.sqrt(2), 1.0, 0.0)
    mantissa = d.where(mantissa, ">", math.sqrt(2), d.mul(mantissa, 0.5), mantissa)
    ratio = d.div(d.sub(mantissa, 1.0), d.add(mantissa, 1.0))
    square = d.mul(ratio, ratio)
    odd = d.series(square, [2 / (2 * i + 1) for i in range(TERMS)])
    value = d.add(d.mul(d.add(exponent, high), math.log(2)), d.mul(ratio, odd))
    value = d.where(x, "<", math.inf, value, x)
    value = d.where(x, "==", 0.0, -math.inf, value)
    return d.where(x, "<", 0.0, math.nan, value)


def log1p(d: _Doubles, x):
    """log(1 + x), without the loss of digits near 0."""
    near = d.mul(x, d.sub(1.0, d.mul(x, 0.5)))
    return d.where(call(d.builder, "fabs", x), "<", 1e-5, near, log(d, d.add(1.0, x)))


def tanh(d: _Doubles, x):
    """Hyperbolic tangent from the exponential; near 0 by its series."""
    square = d.mul(x, x)
    near = d.mul(x, d.sub(1.0, d.mul(square, 1 / 3)))
    far = d.sub(1.0, d.div(2.0, d.add(exp(d, d.mul(x, 2.0)), 1.0)))
    return d.where(call(d.builder, "fabs", x), "<", 1e-3, near, far)


def logistic(d: _Doubles, x):
    """1 / (1 + e^-x)."""
    return d.div(1.0, d.add(1.0, exp(d, d.mul(x, -1.0))))


def power(d: _Doubles, base, exponent):
    """base^exponent for a base of at least 0; 0^0 is 1."""
    raised = exp(d, d.mul(exponent, log(d, base)))
    return d.where(exponent, "==", 0.0, 1.0, raised)


def threefry(builder: Any, k1, k2, x1, x2) -> tuple[Value, Value]:
    """The Threefry-2x32 hash of 20 rounds (Salmon et al. 2011), as in JAX."""
    third = builder.xor(builder.xor(k1, k2), splat(0x1BD11BDA, INT))
    schedule = (k1, k2, third)
    x1, x2 = builder.add(x1, k1), builder.add(x2, k2)
    for block in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            x1 = builder.add(x1, x2)
            left = builder.shl(x2, splat(turn, INT))
            x2 = builder.xor(x1, builder.or_(left, builder.lshr(x2, splat(32 - turn, INT))))
        x1 = builder.add(x1, schedule[(block + 1) % 3])
        x2 = builder.add(builder.add(x2, schedule[(block + 2) % 3]), splat(block + 1, INT))
    return x1, x2
