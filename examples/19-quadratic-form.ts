// The slope of xᵀ A x by x: (A + Aᵀ) x where A is constant, 2 a x where A is a number, and the whole truth where A depends on x itself. Autograd
// needs none of these rules: the function is written forwards.
import { grad, hessian, matmul, mul, outer, stopGradient, type Tensor, tensor } from "adjoint"

const f64 = (v: number | number[] | number[][]) => tensor(v, { dtype: "f64" })
const x = f64([0.5, -1])
const rows = [
  [1, 2],
  [3, 4],
]
const A = f64(rows)
const form = (x: Tensor, A: Tensor) => matmul(x, matmul(A, x))

console.log("A constant:       ", grad(form)(x, A).toArray())
console.log("(A + Aᵀ) x:       ", matmul(A.add(A.transpose()), x).toArray())
console.log("A the number 3:   ", grad((x: Tensor) => mul(matmul(x, x), 3))(x).toArray())
const own = (x: Tensor) => form(x, outer(x, x)) // (xᵀ x)², slope 4 (xᵀ x) x
console.log("A = x xᵀ:         ", grad(own)(x).toArray())
const held = (x: Tensor) => form(x, stopGradient(outer(x, x))) // A counted as a constant gives another number
console.log("A = x xᵀ, held:   ", grad(held)(x).toArray())
console.log("by A itself, x xᵀ:", grad(form, { argnums: 1 })(x, A).toArray())
console.log("twice by x, A + Aᵀ:", hessian(form)(x, A).toArray())
