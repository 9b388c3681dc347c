// Write a function forwards; `grad` gives its slopes.
import { grad, type Tensor, tensor } from "adjoint"

const f = (x: Tensor) => x.mul(x).sin().sum()
console.log(grad(f)(tensor([1, 2, 3]))) // 2x cos(x²): Tensor f32[3] [1.081, -2.615, -5.467]

// any tree of tensors: here weights and bias of a line through three points, (y - t)² on average
const x = tensor([[0], [1], [2]])
const t = tensor([[1], [3], [5]])
const line = { w: tensor([[0]]), b: tensor([0]) }
const error = ({ w, b }: typeof line) => x.matmul(w).add(b).sub(t).square().mean()
console.log(grad(error)(line)) // { w: Tensor f32[1,1] [[-8.667]], b: Tensor f32[1] [-6] }

// a derivative is a function like any other: it has a derivative itself
const cube = (x: Tensor) => x.mul(x).mul(x)
console.log(grad(grad(cube))(tensor(2))) // 6x: Tensor f32[] 12
