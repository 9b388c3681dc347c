import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import "../js.ts"
import { explainNetwork } from "./explain-network.ts"
import type { Network } from "./network.ts"
import { renderNetwork } from "./network-text.ts"
import { readProblem } from "./problem.ts"

test("the worked example on the board", () => {
  const { network, ...example } = readProblem(JSON.parse(readFileSync("examples/worked.json", "utf8")))
  expect(renderNetwork(explainNetwork(network, example))).toMatchInlineSnapshot(`
    "One logistic neuron with 2 inputs; E is the half squared error

    Forward: from the input to the error
      s = w1·x1 + w2·x2 + b = 0.5·0.1 + 0.2·0.3 + 1.83 = 1.94
      y = 1 / (1 + exp(-s)) = 1 / (1 + exp(-1.94)) = 0.8743521
      E = ½ (y - t)² = ½ (0.8743521 - 0.03)² = 0.3564653

    Backward: how each step of the way changes with the one before it
                          by formula   measured
      dE/dy  = y - t       0.8443521  0.8443521
      dy/ds  = y (1 - y)   0.1098605  0.1098605
      ds/dw1 = x1          0.1        0.1
      ds/dw2 = x2          0.3        0.3
      ds/db  = 1           1          1

    Chain: the slope of E is the product of the factors on the way
      dE/dw1 = dE/dy · dy/ds · ds/dw1 = 0.8443521 · 0.1098605 · 0.1 = 0.009276093
      dE/dw2 = dE/dy · dy/ds · ds/dw2 = 0.8443521 · 0.1098605 · 0.3 = 0.02782828
      dE/db  = dE/dy · dy/ds · ds/db  = 0.8443521 · 0.1098605 · 1   = 0.09276093

    Check: the same slopes from adjoint's reverse mode and from differences
                    chain  adjoint's grad  differences
      dE/dw1  0.009276093     0.009276093  0.009276093
      dE/dw2  0.02782828      0.02782828   0.02782828
      dE/db   0.09276093      0.09276093   0.09276093
      No two ways differ by more than 3e-13.

    Reading
      E grows with w1, so the step lowers it; 10 % of the largest slope
      E grows with w2, so the step lowers it; 30 % of the largest slope
      E grows with b, so the step lowers it; the largest slope

    Step: w <- w - 0.01·dE/dw
             before      after
      w1  0.5        0.4999072
      w2  0.2        0.1997217
      b   1.83       1.829072
      E   0.3564653  0.3563706
      E changes by -0.00009468035; the slopes predict -0.00009465048.

    If a weight grew by 1: a slope holds for small changes only
          the slope predicts  E really changes by
      w1        +0.009276093         +0.008990175
      w2        +0.02782828          +0.02528437
      b         +0.09276093          +0.06654038"
  `)
})

test("a hidden weight on the board", () => {
  const network: Network = {
    layers: [
      {
        w: [
          [0.1, -0.4],
          [0.2, 0.5],
        ],
        b: [0.3, -0.6],
        activation: "logistic",
      },
      {
        w: [
          [0.7, -1, 0.13],
          [-0.8, 1.1, 0.14],
        ],
        b: [0.9, -1.2, -0.15],
        activation: "softmax",
      },
    ],
    loss: "cross-entropy",
  }
  const text = renderNetwork(explainNetwork(network, { x: [0.5, -1], target: 2 }, { weights: ["layers.0.w[0,0]"] }))
  expect(text).toMatchInlineSnapshot(`
    "A 2-2-3 network (logistic, softmax), 15 parameters; E is the cross-entropy
    Indices count from 0: w0[0,0] is layers.0.w[0,0]

    Forward: from the input to the error
      s0[0] = w0[0,0]·x[0] + w0[1,0]·x[1] + b0[0] = 0.1·0.5 + 0.2·(-1) + 0.3 = 0.15
      h0[0] = 1 / (1 + exp(-s0[0])) = 1 / (1 + exp(-0.15)) = 0.5374298
      s1[0] = w1[0,0]·h0[0] + w1[1,0]·h0[1] + b1[0]
            = 0.7·0.5374298 - 0.8·0.214165 + 0.9 = 1.104869
      y[0] = exp(s1[0]) / sum of exp(s1) = 0.7200318
      s1[1] = w1[0,1]·h0[0] + w1[1,1]·h0[1] + b1[1]
            = -1·0.5374298 + 1.1·0.214165 - 1.2 = -1.501848
      y[1] = exp(s1[1]) / sum of exp(s1) = 0.05312131
      s1[2] = w1[0,2]·h0[0] + w1[1,2]·h0[1] + b1[2]
            = 0.13·0.5374298 + 0.14·0.214165 - 0.15 = -0.05015102
      y[2] = exp(s1[2]) / sum of exp(s1) = 0.2268469
      E = -log(y[2]) = -log(0.2268469) = 1.48348

    Backward: how each step of the way changes with the one before it
                                                by formula     measured
      dE/ds1[0]           = y[0] - t[0]         0.7200318    0.7200318
      dE/ds1[1]           = y[1] - t[1]         0.05312131   0.05312131
      dE/ds1[2]           = y[2] - t[2]        -0.7731531   -0.7731531
      dE/dh0[0]           = sum of 3 terms      0.350391     0.350391
        w1[0,0]·dE/ds1[0] = 0.7·0.7200318       0.5040222
        w1[0,2]·dE/ds1[2] = 0.13·(-0.7731531)  -0.1005099
        w1[0,1]·dE/ds1[1] = -1·0.05312131      -0.05312131
      dh0[0]/ds0[0]       = h0[0] (1 - h0[0])   0.248599     0.248599
      dE/ds0[0]           = product of these    0.08710686   0.08710686
      ds0[0]/dw0[0,0]     = x[0]                0.5          0.5

    Chain: the slope of E is the product of the factors on the way
      dE/dw0[0,0] = dE/dh0[0] · dh0[0]/ds0[0] · ds0[0]/dw0[0,0]
                  = 0.350391 · 0.248599 · 0.5 = 0.04355343

    Check: the same slopes from adjoint's reverse mode and from differences
                        chain  adjoint's grad  differences
      dE/dw0[0,0]  0.04355343      0.04355343   0.04355343
      No two ways differ by more than 8e-13.

    Reading
      E grows with w0[0,0], so the step lowers it; 5.6 % of the largest slope

    Step: w <- w - 0.01·dE/dw
               before       after
      w0[0,0]     0.1  0.09956447
      With the step of all 15 parameters E changes by -0.01531682; the slopes
      predict -0.01535604.

    If a weight grew by 1: a slope holds for small changes only
               the slope predicts  E really changes by
      w0[0,0]         +0.04355343          +0.04313141"
  `)
})
