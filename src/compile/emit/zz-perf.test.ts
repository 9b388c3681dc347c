import { test } from "vitest"
import { axisIndex, newAxis, plus, times, int, offset } from "../../ir/affine.ts"
import { op, reduce, cast, constant, guard } from "../../ir/expr.ts"
import { place } from "./testing/run-wasm.ts"
import { kernelKind } from "./wasm.ts"
const L=(slot:number,at:any,t="f32")=>({k:"load",t,slot,at}) as any
test("perf", () => {
  const time=(name:string,kernel:any,sizes:number[],outN:number,work:number)=>{
    const arr=(t:string,n:number)=>(t==="f64"?Float64Array:Float32Array).from({length:n} as any,()=>Math.random()-0.5) as any
    const t0=performance.now()
    const {run}=place([kernel],arr(kernel.out.t,outN),sizes.map((n,i)=>arr(kernel.loads[i],n)),{relaxed:true})
    const compile=performance.now()-t0
    const c0=performance.now(); run(); const first=performance.now()-c0
    const reps=Math.max(1,Math.round(3/Math.max(first,0.001)))
    for(let s=0;s<5;s++)for(let r=0;r<reps;r++)run()
    let best=1e9; for(let s=0;s<8;s++){const t0=performance.now();for(let r=0;r<reps;r++)run();best=Math.min(best,(performance.now()-t0)/reps)}
    console.log(name.padEnd(28),kernelKind(kernel),(best*1e6/work).toFixed(3),"ns/el",(best*1000).toFixed(1),"us")
  }
  const n=100000
  for(const t of ["f32","f64"] as const) for(const f of ["exp","log","tanh","sin","pow"] as const){
    const a=newAxis(n); const i=axisIndex(a)
    time(`${f} ${t}`,{axes:[a],out:{t,at:i,mode:"store",bounds:[]},body:f==="pow"?op(f,L(0,i,t),L(0,i,t)):op(f,L(0,i,t)),loads:[t]},[n],n,n)
  }
  { const a=newAxis(n),i=axisIndex(a); time("relu(x+b)",{axes:[a],out:{t:"f32",at:i,mode:"store",bounds:[]},body:op("max",op("add",L(0,i),L(1,i)),constant("f32",0)),loads:["f32","f32"]},[n,n],n,n) }
  { const a=newAxis(n),i=axisIndex(a); const g=L(1,i), m=op("add",op("mul",constant("f32",.9),L(0,i)),op("mul",constant("f32",.1),g)); time("adam-like",{axes:[a],out:{t:"f32",at:i,mode:"store",bounds:[]},body:op("sub",L(2,i),op("div",m,op("add",op("sqrt",L(3,i)),constant("f32",1e-8)))),loads:["f32","f32","f32","f32"]},[n,n,n,n],n,n) }
  const R=256,C=1024
  { const [r,c]=[newAxis(R),newAxis(C)]; const [i,j]=[r,c].map(axisIndex) as any; const at=plus(times(i,C),j)
    time("column sums",{axes:[c],out:{t:"f32",at:j,mode:"store",bounds:[]},body:reduce("sum",[r],L(0,at)),loads:["f32"]},[R*C],C,R*C)
    time("row sums L8",{axes:[r],out:{t:"f32",at:i,mode:"store",bounds:[]},body:{...reduce("sum",[c],L(0,at)),lanes:8},loads:["f32"]},[R*C],R,R*C)
    time("row max",{axes:[r],out:{t:"f32",at:i,mode:"store",bounds:[]},body:reduce("max",[c],L(0,at)),loads:["f32"]},[R*C],R,R*C)
    time("row argmax",{axes:[r],out:{t:"i32",at:i,mode:"store",bounds:[]},body:reduce("argmax",[c],L(0,at)),loads:["f32"]},[R*C],R,R*C)
    time("matvec L8",{axes:[r],out:{t:"f32",at:i,mode:"store",bounds:[]},body:{...reduce("sum",[c],op("mul",L(0,at),L(1,j))),lanes:8},loads:["f32","f32"]},[R*C,C],R,R*C)
    time("matvec L1",{axes:[r],out:{t:"f32",at:i,mode:"store",bounds:[]},body:reduce("sum",[c],op("mul",L(0,at),L(1,j))),loads:["f32","f32"]},[R*C,C],R,R*C)
    time("vecmat",{axes:[c],out:{t:"f32",at:j,mode:"store",bounds:[]},body:reduce("sum",[r],op("mul",L(0,at),L(1,i))),loads:["f32","f32"]},[R*C,R],C,R*C)
    time("transpose",{axes:[r,c],out:{t:"f32",at,mode:"store",bounds:[]},body:L(0,plus(times(j,R),i)),loads:["f32"]},[R*C],R*C,R*C)
    time("softmax",{axes:[r,c],out:{t:"f32",at,mode:"store",bounds:[]},body:(()=>{const k=newAxis(C);const x=L(0,plus(times(i,C),axisIndex(k)));const m=reduce("max",[k],x);return op("div",op("exp",op("sub",L(0,at),m)),{...reduce("sum",[k],op("exp",op("sub",x,m))),lanes:8} as any)})(),loads:["f32"]},[R*C],R*C,R*C)
  }
  { // conv 3x3, 8 -> 8 channels, 28 x 28
    const [co,y,x,ci,ky,kx]=[8,28,28,8,3,3].map(newAxis); const [o,yy,xx,c,a,b]=[co,y,x,ci,ky,kx].map(z=>axisIndex(z!)) as any
    const py=offset(plus(yy,a),-1), px=offset(plus(xx,b),-1)
    const at=plus(plus(times(o,784),yy,28),xx)
    const inp=guard([{i:py,n:28},{i:px,n:28}],L(0,plus(plus(times(c,784),py,28),px)))
    const body=reduce("sum",[ci!,ky!,kx!],op("mul",inp,L(1,plus(plus(times(o,72),c,9),plus(times(a,3),b)))))
    time("conv 3x3 (per madd)",{axes:[co,y,x],out:{t:"f32",at,mode:"store",bounds:[]},body,loads:["f32","f32"]},[8*784,576],8*784,8*784*72)
  }
})
