"""Compiles a function for this machine's processor and makes it callable from JAX programs.

The function is handed to XLA through its foreign function interface, whose structures (of version
0.x of the interface) are read by their offsets.
"""

import ctypes
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from llvmlite import binding, ir

from jaxlab import surroundings
from jaxlab.native.elementary import LONG
from jaxlab.native.lanes import INT, Value

INTERFACE = (0, 1)  # the version whose structures these are
EXECUTE = 3  # the stage of a call in which there is something to do
FRAME_EXTENSION, FRAME_STAGE, FRAME_ARGUMENTS, FRAME_RESULTS = 8, 32, 72, 112
EXTENSION_METADATA, METADATA_MAJOR, METADATA_MINOR = 24, 24, 28
BUFFER_DATA, BUFFER_DIMENSIONS = 24, 40
POINTER, BYTE = ir.PointerType(), ir.IntType(8)
NULL = ir.Constant(POINTER, None)
TRIED = 4711  # an odd number, that memory does not hold by chance

_registered: dict[str, binding.ExecutionEngine] = {}  # code must outlive all that calls it
_lock = threading.Lock()


def _field(builder: Any, pointer: Value, offset: int, kind: ir.Type = POINTER) -> Value:
    return builder.load(builder.gep(pointer, [LONG(offset)], source_etype=BYTE), typ=kind)


@dataclass(frozen=True)
class Call:
    """The arrays of a call that is being written."""

    builder: Any
    frame: Value

    def _buffer(self, table: int, i: int) -> Value:
        return _field(self.builder, _field(self.builder, self.frame, table), 8 * i)

    def given(self, i: int) -> Value:
        """Return where the argument of that number is."""
        return _field(self.builder, self._buffer(FRAME_ARGUMENTS, i), BUFFER_DATA)

    def size(self, i: int, axis: int) -> Value:
        """Return how long an axis of an argument is."""
        sizes = _field(self.builder, self._buffer(FRAME_ARGUMENTS, i), BUFFER_DIMENSIONS)
        return _field(self.builder, sizes, 8 * axis, LONG)

    def result(self, i: int) -> Value:
        """Return where the result of that number is to be."""
        return _field(self.builder, self._buffer(FRAME_RESULTS, i), BUFFER_DATA)

    def whole_number(self, place: Value, i: int) -> Value:
        """Return an entry of an array of 32-bit integers."""
        return self.builder.sext(_field(self.builder, place, 4 * i, INT), LONG)


def _source(write: Callable[[Any, Call], None], name: str) -> str:
    module = ir.Module()
    handler = ir.Function(module, ir.FunctionType(POINTER, [POINTER]), name)
    (frame,) = handler.args
    builder: Any = ir.IRBuilder(handler.append_basic_block())
    body = builder.append_basic_block()
    builder.branch(body)  # the first block is for the variables
    builder.position_at_end(body)
    extension = _field(builder, frame, FRAME_EXTENSION)
    with builder.if_then(builder.icmp_unsigned("!=", extension, NULL)):  # asks for the version
        metadata = _field(builder, extension, EXTENSION_METADATA)
        for offset, number in zip((METADATA_MAJOR, METADATA_MINOR), INTERFACE, strict=True):
            builder.store(INT(number), builder.gep(metadata, [LONG(offset)], source_etype=BYTE))
        builder.ret(NULL)
    stage = _field(builder, frame, FRAME_STAGE, INT)
    with builder.if_then(builder.icmp_unsigned("==", stage, INT(EXECUTE))):
        write(builder, Call(builder, frame))
    builder.ret(NULL)
    return str(module)


def _target() -> binding.TargetMachine:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    triple = binding.Target.from_default_triple()
    return triple.create_target_machine(binding.get_host_cpu_name(), features, opt=3, jit=True)


def _machine_code(text: str) -> binding.ExecutionEngine:
    target, module = _target(), binding.parse_assembly(text)
    module.verify()
    passes = binding.create_pass_builder(
        target, binding.create_pipeline_tuning_options(speed_level=2)
    )
    passes.getModulePassManager().run(module, passes)
    engine = binding.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def compiled(write: Callable[[Any, Call], None]) -> str:
    """Compile and register what `write` writes as the body of a call; return its name for JAX.

    The name is a hash of the code, so that a program from a compilation cache never calls another.
    May raise UnsupportedError.
    """
    name = "jaxlab"
    text = _source(write, name)
    digest = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    with _lock:  # LLVM's compiler is not to be entered twice
        if digest not in _registered:
            engine = _machine_code(text)
            handler = ctypes.CFUNCTYPE(ctypes.c_void_p)(engine.get_function_address(name))
            jax.ffi.register_ffi_target(digest, jax.ffi.pycapsule(handler), platform="cpu")
            _registered[digest] = engine
    return digest


def try_out() -> None:
    """Raise an error, of any kind, unless XLA calls machine code and gets back what it writes."""

    def write(builder: Any, call: Call) -> None:
        builder.store(INT(TRIED), call.result(0))

    kind = jax.ShapeDtypeStruct((), np.int32)
    here = jax.local_devices(backend="cpu")[0]
    with jax.default_device(here), surroundings.pinned():
        found = int(jax.ffi.ffi_call(compiled(write), kind)())
    if found != TRIED:
        raise ValueError(f"it calls it, but takes {found} for {TRIED}")
