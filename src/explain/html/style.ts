// How pages and graphs look: light and dark, on screens from 360 pixels, on paper. Blue and orange are told apart by all eyes; what is
// positive, negative or nothing is also said by signs and by whole, dashed and dotted lines.

const LIGHT =
  "--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--ground:#f4f6f8;--pos:#0072b2;--neg:#c25200;--zero:#6e7781;--accent:#005a8c"
const DARK =
  "--paper:#14181d;--ink:#e8ebee;--soft:#a9b3bd;--line:#3a434d;--ground:#1e242b;--pos:#56b4e9;--neg:#e69f00;--zero:#9aa4ae;--accent:#7cc4f0"

const GRAPH = `
.adjoint-graph{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12.5px}
.adjoint-graph text{fill:var(--ink)}
.adjoint-graph .paper{fill:var(--paper)}
.adjoint-graph .frame{fill:var(--ink);fill-opacity:.04;stroke:var(--line)}
.adjoint-graph .frame-name{fill:var(--soft);font-size:11px}
.adjoint-graph .box text{text-anchor:middle}
.adjoint-graph .box .title{font-weight:600}
.adjoint-graph .box rect{fill:var(--paper);stroke-width:1.8;stroke:var(--soft)}
.adjoint-graph .box.many rect{fill:var(--ground);stroke-width:3}
.adjoint-graph .box.pos rect{stroke:var(--pos)}
.adjoint-graph .box.neg rect{stroke:var(--neg);stroke-dasharray:6 3}
.adjoint-graph .box.zero rect{stroke:var(--zero);stroke-dasharray:2 3}
.adjoint-graph .arrow{fill:none}
.adjoint-graph .arrow.pos{stroke:var(--pos)}
.adjoint-graph .arrow.neg{stroke:var(--neg);stroke-dasharray:7 4}
.adjoint-graph .arrow.zero{stroke:var(--zero);stroke-dasharray:2 3}
.adjoint-graph marker.pos path{fill:var(--pos)}
.adjoint-graph marker.neg path{fill:var(--neg)}
.adjoint-graph marker.zero path{fill:var(--zero)}
.adjoint-graph .label{font-size:11px;paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
`

/** Of a graph as a file of its own. */
export const GRAPH_STYLE = `.adjoint-graph{${LIGHT}}@media (prefers-color-scheme:dark){.adjoint-graph{${DARK}}}${GRAPH}`

export const PAGE_STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header,main{max-width:62rem;margin:0 auto;padding:0 1rem}
main{padding-bottom:3rem}
h1{font-size:1.6rem;line-height:1.25;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0;display:inline;font-weight:600}
p{margin:.5rem 0}
a{color:var(--accent)}
nav ul{list-style:none;margin:.8rem 0;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}
nav a{display:inline-block;padding:.2rem 0}
button{font:inherit;color:var(--ink);background:var(--ground);border:1px solid var(--soft);border-radius:6px;padding:.3rem .8rem;margin:0 .5rem .5rem 0;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.name{overflow-wrap:anywhere}
.verdict{border-left:4px solid var(--pos);background:var(--ground);padding:.6rem .9rem;margin:1rem 0}
.verdict.odd{border-left:8px double var(--neg)}
.soft{color:var(--soft)}
.formula{margin:.5rem 0}
.formula .katex{font-size:1.1em}
.formula .base{margin:.35em 0}
.scroll{overflow-x:auto;max-width:100%}
.graph{overflow:auto;max-height:64rem;border:1px solid var(--line);border-radius:8px;text-align:center}
.graph svg{display:block;margin:0 auto}
figure:has(.fit:checked) svg{max-width:100%;height:auto}
label{display:inline-block;padding:.3rem 0}
figure{margin:.5rem 0}
figcaption{color:var(--soft);font-size:.9rem;margin-top:.4rem}
table{border-collapse:collapse;margin:.4rem 0;max-width:100%}
caption{text-align:left;color:var(--soft);font-size:.9rem;padding:.2rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--soft);font-size:.9rem;vertical-align:bottom}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.c{text-align:right;font-variant-numeric:tabular-nums}
td.n,th.n,td.c,th.c{padding-left:.4rem}
.factors{min-width:40rem;width:100%}
.arithmetic td{overflow-wrap:anywhere}
.arithmetic .n{overflow-wrap:normal}
.factors .katex{white-space:nowrap}
.factors td:first-child,.factors th:first-child{padding-right:1rem}
.of{display:block}
.numbers{display:block;color:var(--soft);font-size:.9rem}
.bar{display:block;height:.4rem;margin:.2rem 0 0 auto;width:var(--w);min-width:2px;background:var(--pos)}
.bar.neg{background:repeating-linear-gradient(135deg,var(--neg) 0 4px,transparent 4px 6px);border:1px solid var(--neg)}
.bar.zero{background:var(--zero)}
details{margin:.4rem 0}
summary{cursor:pointer;padding:.35rem .5rem;background:var(--ground);border-radius:6px;overflow-wrap:anywhere}
details>.inside{padding:.2rem .2rem .4rem .9rem;border-left:2px solid var(--line);margin-left:.6rem}
.sum{white-space:nowrap;font-variant-numeric:tabular-nums}
.tree{list-style:none;margin:0;padding:0}
.tree .leaf{padding:.35rem .5rem .35rem 1.65rem;overflow-wrap:anywhere}
@media (max-width:34rem){
h1{font-size:1.3rem}
details>.inside{padding-left:.5rem;margin-left:.3rem}
th,td{padding-right:.5rem}
}
@media print{
:root{color-scheme:light;${LIGHT}}
@page{margin:1.6cm}
body{font-size:10.5pt;background:#fff}
header,main{max-width:none;padding:0}
nav,button,.screen{display:none!important}
details::details-content{content-visibility:visible!important;display:block!important;height:auto!important}
summary{list-style:none;padding-left:0;background:none}
summary::-webkit-details-marker{display:none}
.scroll,.graph{overflow:visible;max-height:none;border:none}
.graph svg{max-width:100%;max-height:15cm;height:auto;width:auto}
.graph.tall svg{max-height:23cm}
.factors{min-width:0}
.tree .leaf{padding-left:0}
.brief .units>.inside{display:none}
.bar,.verdict{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2,h3,summary{break-after:avoid}
tr,.graph,.verdict,.formula,.leaf{break-inside:avoid}
}
${GRAPH}`

/** Opens and closes all that expands, also for printing; without scripts the style sheet opens it on paper. */
export const SCRIPT = `
const all = [...document.querySelectorAll("details")]
const set = open => all.forEach(d => { d.open = open })
for (const button of document.querySelectorAll("button[data-open]")) {
  button.hidden = false
  button.addEventListener("click", () => set(button.dataset.open === "true"))
}
for (const graph of document.querySelectorAll(".graph")) {
  const start = graph.querySelector(".start")?.getBoundingClientRect()
  if (start) graph.scrollLeft = start.left + start.width / 2 - graph.getBoundingClientRect().left - graph.clientWidth / 2
}
let before = []
addEventListener("beforeprint", () => { before = all.map(d => d.open); set(true) })
addEventListener("afterprint", () => before.forEach((open, i) => { all[i].open = open }))
`
