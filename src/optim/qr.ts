// Linear least squares by Householder reflections, and symmetric systems by Cholesky's decomposition, on arrays of a few columns.

/** min |A x - b| for A [rows, n] of full rank: an upper triangle R with |R x - c| as good, row by row. */
export interface Triangle {
  /** [n, n] */
  readonly r: Float64Array
  readonly c: Float64Array
}

/**
 * A = Q R and c = Q^T b, for row-major `a` [rows, n] with rows >= n; both arrays are overwritten. Golub and Van Loan, Matrix computations,
 * algorithm 5.2.1.
 */
export function triangle(a: Float64Array, b: Float64Array, n: number): Triangle {
  const rows = b.length
  for (let k = 0; k < n; k++) {
    // scaled, so that squares neither overflow nor vanish
    let scale = 0
    for (let i = k; i < rows; i++) scale = Math.max(scale, Math.abs(a[i * n + k]!))
    if (scale === 0) continue
    let square = 0
    for (let i = k; i < rows; i++) square += (a[i * n + k]! / scale) ** 2
    const norm = scale * Math.sqrt(square)
    const alpha = a[k * n + k]! > 0 ? -norm : norm
    const head = a[k * n + k]! - alpha
    // v = (1, tail / head), H = I - beta v v^T
    const beta = -head / alpha
    for (let i = k + 1; i < rows; i++) a[i * n + k]! /= head
    a[k * n + k] = alpha
    for (let j = k + 1; j <= n; j++) {
      const [column, width, at] = j < n ? [a, n, j] : [b, 1, 0]
      let dot = column[k * width + at]!
      for (let i = k + 1; i < rows; i++) dot += a[i * n + k]! * column[i * width + at]!
      dot *= beta
      column[k * width + at]! -= dot
      for (let i = k + 1; i < rows; i++) column[i * width + at]! -= dot * a[i * n + k]!
    }
  }
  const r = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) r[i * n + j] = a[i * n + j]!
  return { r, c: b.slice(0, n) }
}

/** The x with R x = c. Where the diagonal is 0, x is 0. */
export function solveUpper(r: Float64Array, c: Float64Array): Float64Array {
  const n = c.length
  const x = new Float64Array(n)
  for (let i = n - 1; i >= 0; i--) {
    let s = c[i]!
    for (let j = i + 1; j < n; j++) s -= r[i * n + j]! * x[j]!
    x[i] = r[i * n + i] === 0 ? 0 : s / r[i * n + i]!
  }
  return x
}
/** The x with R^T x = c. Where the diagonal is 0, x is 0. */
export function solveTransposed(r: Float64Array, c: Float64Array): Float64Array {
  const n = c.length
  const x = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let s = c[i]!
    for (let j = 0; j < i; j++) s -= r[j * n + i]! * x[j]!
    x[i] = r[i * n + i] === 0 ? 0 : s / r[i * n + i]!
  }
  return x
}

/**
 * The x with A x = b for a symmetric positive definite A [n, n], or undefined for another one; of A the lower triangle is read. Golub and Van Loan,
 * algorithm 4.2.1 (Cholesky).
 */
export function solveSymmetric(a: Float64Array, b: Float64Array): Float64Array | undefined {
  const n = b.length
  // R with R^T R = A, row by row
  const r = new Float64Array(n * n)
  for (let k = 0; k < n; k++) {
    for (let i = k; i < n; i++) {
      let s = a[i * n + k]!
      for (let q = 0; q < k; q++) s -= r[q * n + k]! * r[q * n + i]!
      if (i > k) r[k * n + i] = s / r[k * n + k]!
      else if (s > 0) r[k * n + k] = Math.sqrt(s)
      else return undefined
    }
  }
  return solveUpper(r, solveTransposed(r, b))
}
