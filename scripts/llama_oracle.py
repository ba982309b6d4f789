"""Asks llama.cpp (PyPI llama-cpp-python) for logits and chosen experts: F32 KV cache, no flash attention.

Weights are used as stored, so an F32 file is computed in F32 throughout. Activations beside quantised weights would be
rounded to 8 bits; an exact answer for a quantised file comes from a copy of it with the weights dequantised to F32.
"""

import ctypes as C
import os
import sys

import gguf
import llama_cpp
import numpy as np

_EXTENSION = {"linux": "so", "darwin": "dylib"}.get(sys.platform, "dll")
_FOLDER = os.path.join(os.path.dirname(llama_cpp.__file__), "lib")
_ggml = C.CDLL(os.path.join(_FOLDER, f"libggml-base.{_EXTENSION}"))
_ggml.ggml_get_name.restype, _ggml.ggml_get_name.argtypes = C.c_char_p, [C.c_void_p]
_ggml.ggml_backend_tensor_get.argtypes = [C.c_void_p, C.c_void_p, C.c_size_t, C.c_size_t]
_ggml.ggml_quantize_chunk.restype = C.c_size_t
_ggml.ggml_quantize_chunk.argtypes = [C.c_int, C.c_void_p, C.c_void_p, C.c_int64, C.c_int64, C.c_int64, C.c_void_p]


@llama_cpp.llama_log_callback
def _only_errors(level, text, _user):
    if level == 4:
        sys.stderr.write(text.decode(errors="replace"))


llama_cpp.llama_log_set(_only_errors, None)
llama_cpp.llama_backend_init()


class _TensorHead(C.Structure):
    """The first fields of ggml's struct for a tensor."""

    _fields_ = [("type", C.c_int), ("buffer", C.c_void_p), ("ne", C.c_int64 * 4), ("nb", C.c_size_t * 4)]


def _ids_of(tensor) -> list[list[int]]:
    """A 2-D view of 32-bit integers, row by row."""
    head = C.cast(tensor, C.POINTER(_TensorHead)).contents
    (k, n), (step, row) = head.ne[:2], head.nb[:2]
    flat = np.empty(((n - 1) * row + (k - 1) * step + 4) // 4, "<i4")
    _ggml.ggml_backend_tensor_get(tensor, flat.ctypes.data, 0, flat.nbytes)
    return np.lib.stride_tricks.as_strided(flat, (n, k), (row, step)).tolist()


class Llama:
    """A model in llama.cpp; positions count up with every call of `feed`."""

    def __init__(self, path, ctx: int, batch: int = 512):
        self.experts: dict[int, list[list[int]]] = {}
        params = llama_cpp.llama_model_default_params()
        params.use_extra_bufts = False  # weights stay as they are stored
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise RuntimeError(f"{path}: llama.cpp does not load it")
        self._callback = llama_cpp.ggml_backend_sched_eval_callback(self._watch)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = ctx, batch, batch
        params.n_threads = params.n_threads_batch = 1
        params.type_k = params.type_v = 0
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.cb_eval = self._callback
        self._ctx = llama_cpp.llama_init_from_model(self._model, params)
        if not self._ctx:
            raise RuntimeError(f"{path}: llama.cpp makes no context")
        self.vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.position = 0

    def _watch(self, tensor, ask, _user):
        name = _ggml.ggml_get_name(tensor).decode()
        wanted = name.startswith("ffn_moe_topk-")
        if ask:
            return wanted
        if wanted:
            self.experts.setdefault(int(name.split("-")[1]), []).extend(_ids_of(tensor))
        return True

    def feed(self, ids) -> np.ndarray:
        """Logits `(tokens, vocabulary)` of the next tokens."""
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i], batch.pos[i] = token, self.position + i
            batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, 0, 1
        if llama_cpp.llama_decode(self._ctx, batch) != 0:
            raise RuntimeError("llama_decode failed")
        llama_cpp.llama_batch_free(batch)
        self.position += len(ids)
        rows = [llama_cpp.llama_get_logits_ith(self._ctx, i) for i in range(len(ids))]
        return np.stack([np.ctypeslib.as_array(row, (self.n_vocab,)).copy() for row in rows])

    def reset(self):
        """Empties the KV cache."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._ctx), True)
        self.position = 0

    def tokenize(self, text: str, add_special: bool = False, parse_special: bool = False) -> list[int]:
        """Ids of a text; BOS where the model adds one, if asked; control tokens in the text as such, if asked."""
        raw = text.encode()
        ids = (llama_cpp.llama_token * (len(raw) + 8))()
        n = llama_cpp.llama_tokenize(self.vocab, raw, len(raw), ids, len(ids), add_special, parse_special)
        return list(ids[:n])

    def close(self):
        """Frees the model."""
        llama_cpp.llama_free(self._ctx)
        llama_cpp.llama_model_free(self._model)


def quantize(values: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Blocks `(..., bytes of a row)` of a type as ggml makes them, and the weights that they are."""
    kind = gguf.GGMLQuantizationType[kind]
    length, size = gguf.GGML_QUANT_SIZES[kind]
    values = np.ascontiguousarray(values, "<f4")
    blocks = np.empty((*values.shape[:-1], values.shape[-1] // length * size), np.uint8)
    rows = values.size // values.shape[-1]
    wrote = _ggml.ggml_quantize_chunk(kind, values.ctypes.data, blocks.ctypes.data, 0, rows, values.shape[-1], None)
    assert wrote == blocks.nbytes, (kind, wrote, blocks.nbytes)
    return blocks, gguf.quants.dequantize(blocks, kind).astype("<f4")


def write_gguf(path, arch: str, keys: dict, tensors: dict, kinds: dict | None = None):
    """Writes a GGUF file; keys that start with a dot get the architecture's name in front.

    `kinds` names the type of the tensors that are given as blocks.
    """
    writer = gguf.GGUFWriter(str(path), arch)
    for key, value in keys.items():
        key = arch + key if key.startswith(".") else key
        if isinstance(value, list):
            writer.add_array(key, value)
        else:
            add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
            add[type(value)](key, value)
    for name, values in tensors.items():
        kind = (kinds or {}).get(name)
        writer.add_tensor(name, values, raw_dtype=gguf.GGMLQuantizationType[kind] if kind else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
