// Transformations, loops and rules called wrongly.
import { DtypeError, ShapeError } from "../../src/index.ts"
import { b, i, js, m, type Tables, tensor, x } from "./values.ts"

export const functions: Tables = {
  "derivatives of your own": [
    [
      "customVjp no pair",
      () =>
        js.grad(
          js.customVjp(
            (x: any) => x,
            (x: any) => x,
            (_: any, ct: any) => [ct],
          ),
        )(tensor(1)),
      TypeError,
      "customVjp: forward must return [value, residuals]",
    ],
    [
      "customVjp value",
      () =>
        js.grad(
          js.customVjp(
            (x: any) => x,
            (x: any) => [js.stack([x, x]), null],
            (_: any, ct: any) => [ct],
          ),
        )(tensor(1)),
      TypeError,
      "customVjp: the value that forward returns must be f32[], as f returns it; got f32[2]",
    ],
    [
      "customVjp backward no list",
      () =>
        js.grad(
          js.customVjp(
            (x: any) => x,
            (x: any) => [x, null],
            (_: any, ct: any) => ct,
          ),
        )(tensor(1)),
      TypeError,
      "customVjp: backward must return a list with 1 entries, one for each argument of f",
    ],
    [
      "customVjp cotangent shape",
      () =>
        js.grad(
          js.customVjp(
            (x: any) => x,
            (x: any) => [x, null],
            (_: any, ct: any) => [js.stack([ct, ct])],
          ),
        )(tensor(1)),
      TypeError,
      "customVjp: the cotangent of argument 0 must be like f32[]; number 0 is f32[2]",
    ],
    [
      "customVjp two args",
      () =>
        js.customVjp(
          (x: any) => x,
          (x: any) => [x, null],
        )(tensor(1)),
      TypeError,
      "customVjp: backward: wants a function; got undefined",
    ],
    [
      "customVjp not functions",
      () => js.customVjp((x: any) => x)(tensor(1)),
      TypeError,
      "customVjp: forward: wants a function; got undefined",
    ],
    [
      "customVjp captured",
      () =>
        js.grad((w: any) =>
          js.customVjp(
            (x: any) => x.mul(w),
            (x: any) => [x.mul(w), null],
            (_: any, ct: any) => [ct],
          )(tensor(1)),
        )(tensor(2)),
      TypeError,
      "customVjp: f uses a traced value f32[] from outside, whose gradient the rule cannot say; hand it in as an argument",
    ],
    [
      "customJvp no pair",
      () =>
        js.customJvp(
          (x: any) => x,
          (x: any) => x,
        )(tensor(1)),
      TypeError,
      "customJvp: rule must return [value, tangent]",
    ],
    ["customJvp no rule", () => js.customJvp((x: any) => x)(tensor(1)), TypeError, "customJvp: rule: wants a function; got undefined"],
    [
      "customJvp tangent",
      () =>
        js.customJvp(
          (x: any) => x,
          ([x]: any) => [x, js.stack([x, x])],
        )(tensor(1)),
      TypeError,
      "customJvp: the tangent that rule returns must be like f32[]; number 0 is f32[2]",
    ],
    [
      "customJvp value",
      () =>
        js.customJvp(
          (x: any) => x,
          ([x]: any, [t]: any) => [js.stack([x, x]), t],
        )(tensor(1)),
      TypeError,
      "customJvp: the value that rule returns must be f32[], as f returns it; got f32[2]",
    ],
  ],
  "branches and loops": [
    [
      "cond js bool",
      () =>
        js.cond(
          true,
          (x: any) => x,
          (x: any) => x,
          x,
        ),
      TypeError,
      "cond: the condition is a bool scalar, such as greater(x, 0); got boolean. Choose element by element with where(condition, x, y)",
    ],
    [
      "cond vector",
      () =>
        js.cond(
          b,
          (x: any) => x,
          (x: any) => x,
          x,
        ),
      TypeError,
      "cond: the condition is a bool scalar, such as greater(x, 0); got bool[3]. Choose element by element with where(condition, x, y)",
    ],
    [
      "cond float",
      () =>
        js.cond(
          x.at(0),
          (x: any) => x,
          (x: any) => x,
          x,
        ),
      TypeError,
      "cond: the condition is a bool scalar, such as greater(x, 0); got f32[]. Choose element by element with where(condition, x, y)",
    ],
    [
      "cond branches shape",
      () =>
        js.cond(
          b.at(0),
          (x: any) => x,
          (x: any) => x.sum(),
          x,
        ),
      ShapeError,
      "cond: both branches must return the same shapes and dtypes; result 0 differs; got f32[3], f32[]",
    ],
    [
      "cond branches dtype",
      () =>
        js.cond(
          b.at(0),
          (x: any) => x,
          (x: any) => js.cast(x, "f64"),
          x,
        ),
      DtypeError,
      "cond: both branches must return the same shapes and dtypes; result 0 differs; got f32[3], f64[3]. Convert with cast(x, dtype)",
    ],
    [
      "cond branches structure",
      () =>
        js.cond(
          b.at(0),
          (x: any) => [x],
          (x: any) => x,
          x,
        ),
      TypeError,
      "cond: both branches must return the same structure; onTrue returned [f32[3]], onFalse f32[3]",
    ],
    ["cond one branch", () => js.cond(b.at(0), (x: any) => x, x), TypeError, "cond: each branch: wants a function; got object"],
    ["cond values", () => js.cond(b.at(0), x, x), TypeError, "cond: each branch: wants a function; got object"],
    [
      "while bool js",
      () =>
        js.whileLoop(
          () => true,
          (x: any) => x,
          tensor(1),
        ),
      TypeError,
      "whileLoop: the condition must return a bool scalar, such as greater(error, 1e-6); it returned boolean",
    ],
    [
      "while cond vector",
      () =>
        js.whileLoop(
          (x: any) => js.less(x, 3),
          (x: any) => x.mul(2),
          x,
        ),
      TypeError,
      "whileLoop: the condition must return a bool scalar, such as greater(error, 1e-6); it returned bool[3]",
    ],
    [
      "while cond float",
      () =>
        js.whileLoop(
          (x: any) => x,
          (x: any) => x.mul(2),
          tensor(1),
        ),
      TypeError,
      "whileLoop: the condition must return a bool scalar, such as greater(error, 1e-6); it returned f32[]",
    ],
    [
      "while body shape",
      () =>
        js.whileLoop(
          (x: any) => js.less(x.sum(), 100),
          (x: any) => js.concat([x, x]),
          x,
        ),
      ShapeError,
      "whileLoop: the carry must stay f32[3] in every turn; make init of the shape that f returns; got f32[6]",
    ],
    [
      "while body none",
      () =>
        js.whileLoop(
          (x: any) => js.less(x, 100),
          () => undefined,
          tensor(1),
        ),
      TypeError,
      "whileLoop: body must return a carry with the structure of init, f32[]; it returned -",
    ],
    [
      "while body no function",
      () => js.whileLoop((x: any) => js.less(x, 100), tensor(1)),
      TypeError,
      "whileLoop: wants a function; got object",
    ],
    [
      "while grad",
      () =>
        js.grad((x: any) =>
          js.whileLoop(
            (x: any) => js.less(x, 100),
            (x: any) => x.mul(2),
            x,
          ),
        )(tensor(1)),
      TypeError,
      "whileLoop has no derivative in reverse mode: how many turns a backward pass would have to remember is not known beforehand. Use scan, whose length is fixed; fixedPoint or root, whose gradients do not depend on the way there; or forward mode (jvp, jacfwd)",
    ],
  ],
  "checkpoints and equations": [
    ["checkpoint no f", () => js.checkpoint(x)(x), TypeError, "checkpoint: wants a function; got object"],
    [
      "checkpoint save",
      () => js.checkpoint((x: any) => x, { save: "all" }),
      TypeError,
      'checkpoint: `save` must be "nothing" or "products"; got "all"',
    ],
    [
      "fixedPoint shape",
      () => js.fixedPoint((x: any) => x.sum(), x),
      ShapeError,
      "fixedPoint: f(x) must be like x, which is f32[3]; got f32[]",
    ],
    [
      "fixedPoint no start",
      () => js.fixedPoint((x: any) => x),
      TypeError,
      "fixedPoint: the start must hold floating-point tensors; got nothing",
    ],
    [
      "fixedPoint i32",
      () => js.fixedPoint((x: any) => x, i),
      TypeError,
      "fixedPoint: the start must hold floating-point tensors; got i32[3]",
    ],
    [
      "fixedPoint tol",
      () => js.fixedPoint((x: any) => x, x, { tolerance: -1 }),
      TypeError,
      "fixedPoint: wants a tolerance >= 0 and maxTurns from 1; got -1 and 1000",
    ],
    ["fixedPoint not f", () => js.fixedPoint(x, x), TypeError, "fixedPoint: wants a function; got object"],
    ["root shape", () => js.root((x: any) => x.sum(), x), ShapeError, "root: f(x) must be like x, which is f32[3]; got f32[]"],
    ["root i32", () => js.root((x: any) => x, i), TypeError, "root: the start must hold floating-point tensors; got i32[3]"],
    ["root not f", () => js.root(x, x), TypeError, "root: wants a function; got object"],
    ["composite no f", () => js.composite("a", {})(x), TypeError, "composite: wants a function; got undefined"],
  ],
  transformations: [
    ["grad not f", () => js.grad(x)(x), TypeError, "grad: wants a function; got object"],
    [
      "grad no args",
      () => js.grad((x: any) => x.sum())(),
      TypeError,
      "grad: there is no argument 0 (counted from 0); the function was called with 0",
    ],
    ["grad of sum direct", () => js.grad(js.sum(x)), TypeError, "grad: wants a function; got object"],
    [
      "grad aux",
      () => js.grad((x: any) => x.sum(), { hasAux: true })(x),
      TypeError,
      "grad: the function must return a floating-point scalar; it returned nothing. Reduce it with sum or mean, return [loss, aux] with { hasAux: true }, or use jacrev",
    ],
    [
      "grad argnums list",
      () => js.grad((x: any, y: any) => x.mul(y).sum(), { argnums: [0, 1] })(x, x),
      TypeError,
      "grad: there is no argument 0,1 (counted from 0); the function was called with 2",
    ],
    [
      "grad argnums text",
      () => js.grad((x: any) => x.sum(), { argnums: "w" })(x),
      TypeError,
      "grad: there is no argument w (counted from 0); the function was called with 1",
    ],
    [
      "jvp no lists",
      () => js.jvp((x: any) => x, x, x),
      TypeError,
      "jvp: primals and tangents are lists with an entry for each argument, as in jvp(f, [x], [t])",
    ],
    [
      "jvp none",
      () => js.jvp((x: any) => x, [x]),
      TypeError,
      "jvp: primals and tangents are lists with an entry for each argument, as in jvp(f, [x], [t])",
    ],
    ["jvp count", () => js.jvp((x: any, _y: any) => x, [x, x], [x]), TypeError, "jvp: tangents must be like f32[3], f32[3]; got f32[3]"],
    ["vjp ct none", () => js.vjp((x: any) => x, x)[1](), TypeError, "vjp: the cotangent must be like f32[3]; got nothing"],
    [
      "linearize tangent",
      () => js.linearize((x: any) => x, x)[1](tensor(1)),
      TypeError,
      "linearize: tangents must be like f32[3]; got f32[]",
    ],
    ["linearize none", () => js.linearize((x: any) => x, x)[1](), TypeError, "linearize: tangents must be like f32[3]; got nothing"],
    ["linearize not f", () => js.linearize(x, x), TypeError, "linearize: wants a function; got object"],
    [
      "hessian i32",
      () => js.hessian((x: any) => x.sum())(i),
      TypeError,
      "hessian: wants a floating-point tensor as first argument and as result; got i32[3]",
    ],
    [
      "hessian tree",
      () => js.hessian((x: any) => x.w.sum())({ w: x }),
      TypeError,
      "hessian: wants a floating-point tensor as first argument and as result; got object",
    ],
    [
      "jacfwd i32",
      () => js.jacfwd((x: any) => x)(i),
      TypeError,
      "jacfwd: wants a floating-point tensor as first argument and as result; got i32[3]",
    ],
    [
      "jacfwd number",
      () => js.jacfwd((x: any) => x)(2),
      TypeError,
      "jacfwd: wants a floating-point tensor as first argument and as result; got number",
    ],
    [
      "jacrev list",
      () => js.jacrev((x: any) => [x])(x),
      TypeError,
      "jacrev: wants a floating-point tensor as first argument and as result; got object",
    ],
    [
      "jacfwd none",
      () => js.jacfwd((x: any) => x)(),
      TypeError,
      "jacfwd: wants a floating-point tensor as first argument and as result; got undefined",
    ],
    [
      "hvp args",
      () => js.hvp((x: any) => x.sum(), x, x),
      TypeError,
      "hvp: the second argument is a list of the arguments of f, as in hvp(f, [x], v)",
    ],
    ["hvp v", () => js.hvp((x: any) => x.mul(x).sum(), [x], tensor(1)), TypeError, "jvp: tangents must be like f32[3]; got f32[]"],
    ["hvp none", () => js.hvp((x: any) => x.sum(), [x]), TypeError, "jvp: tangents must be like f32[3]; got nothing"],
    ["vmap not f", () => js.vmap(x)(x), TypeError, "vmap: wants a function; got object"],
    [
      "vmap half axis",
      () => js.vmap((x: any) => x, { inAxes: 0.5 })(x),
      TypeError,
      "vmap: there is no axis 0.5 in an argument of shape [3]; map it with null or wrap it in tensor",
    ],
    [
      "vmap text axes",
      () => js.vmap((x: any) => x, { inAxes: "0" })(x),
      TypeError,
      'vmap: there is no axis "0" in an argument of shape [3]; map it with null or wrap it in tensor',
    ],
    ["vmap axes direct", () => js.vmap((x: any) => x, 1)(m), TypeError, "vmap: options come by name, as in { inAxes: 1 }; got 1"],
    [
      "vmap outAxis half",
      () => js.vmap((x: any) => x, { outAxis: 0.5 })(x),
      TypeError,
      "vmap: outAxis 0.5 is no place in a batch of results, which has 1 axes",
    ],
    ["jit not f", () => js.jit(x)(x), TypeError, "jit: wants a function; got object"],
    [
      "jit donate number",
      () => js.jit((x: any) => x, { donate: 0 })(x),
      TypeError,
      "jit: `donate` is a list of numbers of arguments, counted from 0, such as [0]; got 0",
    ],
    [
      "jit static number",
      () => js.jit((x: any) => x, { static: 0 })(x),
      TypeError,
      "jit: `static` is a list of numbers of arguments, counted from 0, such as [0]; got 0",
    ],
  ],
  "checks of gradients": [
    ["checkGrads of no function", () => js.checkGrads(x, [x]), TypeError, "checkGrads: wants a function; got"],
    ["checkGrads no list", () => js.checkGrads(js.sin, x), TypeError, "checkGrads: wants a list of arguments, as in checkGrads(f, [x]); got a tensor"],
    ["checkGrads modes", () => js.checkGrads(js.sin, [x], { modes: ["backward"] }), TypeError, 'checkGrads: modes must be a list of "forward", "reverse", "vmap", "jit"; got "backward"'],
    ["checkGrads one mode", () => js.checkGrads(js.sin, [x], { modes: "forward" }), TypeError, 'checkGrads: modes must be a list of "forward", "reverse", "vmap", "jit"; got "forward"'],
    ["checkGrads no modes", () => js.checkGrads(js.sin, [x], { modes: [] }), TypeError, "; got []"],
    ["checkGrads dtype", () => js.checkGrads(js.sin, [x], { dtype: "i32" }), TypeError, 'checkGrads: dtype must be "f64" or "f32"; got "i32"'],
    ["checkGrads order", () => js.checkGrads(js.sin, [x], { order: 0 }), TypeError, "checkGrads: order must be a whole number from 1; got 0"],
    ["checkGrads of integers", () => js.checkGrads(js.neg, [i]), TypeError, "checkGrads: wants floating point among the arguments; got i32[3]. Convert with cast"],
    ["checkGrads of nothing", () => js.checkGrads(() => x, []), TypeError, "checkGrads: wants floating point among the arguments; got no tensors"],
  ], // biome-ignore format: a table
}
