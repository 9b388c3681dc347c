/**
 * Files as bytes: safetensors, NPY and NPZ, model folders, checkpoints, CSV.
 * @module adjoint/io
 */
export { type Checkpoint, packCheckpoint, unpackCheckpoint } from "./io/checkpoint.ts"
export { type FormatOptions, formatCsv } from "./io/csv.ts"
export { FormatError } from "./io/errors.ts"
export type { Json } from "./io/json.ts"
export { type PackedModel, packModel, unpackModel } from "./io/model.ts"
export { type NpyArray, readNpy, writeNpy } from "./io/npy.ts"
export { type NpyArrays, type NpzOptions, readNpz, writeNpz } from "./io/npz.ts"
export { readSafetensors, type StoredTensor, type StoredTensors, writeSafetensors } from "./io/safetensors.ts"
