// What the exporter tells the code of a written module, as plain JSON.
import type { Encoding, TargetColumn } from "../data/encoding.ts"

/** Numbers that a module works with; those of 16 bits and booleans are the insides of programs only. */
export type Stored = "f32" | "f64" | "i32" | "u8"

/** An array in the module's memory. */
export interface Place {
  /** Address in bytes. */
  readonly at: number
  readonly dtype: Stored
  /** Elements of one row, or of all where there are no rows. */
  readonly size: number
}

/** A program for so many rows: the custom section that has its code, and the addresses that it is called with. */
export interface ProgramDescription {
  readonly section: string
  readonly rows: number
  readonly table: number
  readonly addresses: readonly number[]
}

/** How images become inputs: each is one row of pixels. */
export interface ImageEncoding {
  readonly kind: "images"
  /** Of one image. */
  readonly shape: readonly number[]
  /** What pixels are multiplied by. */
  readonly scale: number
  readonly target: TargetColumn
}

/** What a module says of itself. */
export interface Info {
  readonly name: string
  /** The version of adjoint that wrote it. */
  readonly adjoint: string
  /** Of one row, as the model sees it. */
  readonly inShape: readonly number[]
  readonly outShape: readonly number[]
  readonly parameters: number
  /** Names of the columns of a row, for a model of tables. */
  readonly columns?: readonly string[]
  /** What is predicted, if the model knows. */
  readonly target?: string
  readonly classes?: readonly string[]
  /** Rows that a step may take, and the optimizer. */
  readonly trainable?: { readonly batchSizes: readonly number[]; readonly optimizer: unknown }
}

export interface TrainingDescription {
  readonly steps: readonly ProgramDescription[]
  readonly y: Place
  readonly loss: Place
  /** The number of the next step, which decides dropout. */
  readonly counter: number
  /** What steps change and `save` keeps, in bytes. */
  readonly from: number
  readonly end: number
  /** A number that modules of one model, optimizer and layout share. */
  readonly kind: number
}

export interface Description {
  readonly info: Info
  readonly encoding: Encoding | ImageEncoding | null
  /** Of the memory, 64 KiB each. */
  readonly pages: number
  /** Where temporaries of programs lie. */
  readonly arena: number
  /** Where the data section goes. */
  readonly data: number
  readonly predict: readonly ProgramDescription[]
  readonly x: Place
  readonly outputs: Place
  /** Probabilities of classes, for a model that knows its classes. */
  readonly probabilities: Place | null
  readonly training: TrainingDescription | null
}
